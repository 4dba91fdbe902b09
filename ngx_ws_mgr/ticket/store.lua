-- Issues, consumes, looks at or revokes one ticket.
--
-- KEYS: the ticket.
-- ARGV: a tag, the verb, ms since 1970, the record to issue, ms that the record
-- is kept, and the longest record.
--
-- The answer is the tag, which ties the answer to its question, a result word
-- and the record.  A record that this script cannot parse is "invalid" and is
-- never handed out: another parser that understands it would let a client in
-- again and again.

local key, tag, verb, now = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if verb == NGX_WS_MGR_TICKET_VERB_ISSUE then
  if redis.call('SET', key, ARGV[4], 'NX', 'PX', ARGV[5]) then
    return {tag, NGX_WS_MGR_TICKET_WORD_OK, ''}
  end
  return {tag, NGX_WS_MGR_TICKET_WORD_TAKEN, ''}
end
local record = redis.pcall('GET', key)
if not record then
  return {tag, NGX_WS_MGR_TICKET_WORD_UNKNOWN, ''}
end
if type(record) == 'table' then
  if string.find(record.err, 'WRONGTYPE', 1, true) then
    return {tag, NGX_WS_MGR_TICKET_WORD_INVALID, ''}
  end
  return record
end
if #record > tonumber(ARGV[6]) then
  return {tag, NGX_WS_MGR_TICKET_WORD_INVALID, ''}
end
local sound, ticket = pcall(cjson.decode, record)
if not sound or type(ticket) ~= 'table' then
  return {tag, NGX_WS_MGR_TICKET_WORD_INVALID, ''}
end
if ticket.used == true then
  return {tag, NGX_WS_MGR_TICKET_WORD_USED, ''}
end
local till = ticket.expires_at
if type(till) ~= 'number' or till ~= till then
  return {tag, NGX_WS_MGR_TICKET_WORD_INVALID, ''}
end
local left = till * 1000 - now
if left <= 0 then
  return {tag, NGX_WS_MGR_TICKET_WORD_EXPIRED, ''}
end
if verb == NGX_WS_MGR_TICKET_VERB_CONSUME and ticket.single_use ~= false then
  local ttl = redis.call('PTTL', key)
  if ttl <= 0 then
    ttl = math.min(math.ceil(left), NGX_WS_MGR_TICKET_YEAR)
  end
  redis.call('SET', key, '{"used":true}', 'PX',
             string.format('%.0f', ttl))
elseif verb == NGX_WS_MGR_TICKET_VERB_REVOKE then
  redis.call('DEL', key)
end
return {tag, NGX_WS_MGR_TICKET_WORD_OK, record}
