-- Registers a worker as member of a user's log and answers what the worker's
-- copy of the log lacks.
--
-- KEYS: log, events, ids, members.
-- ARGV: the worker's field (empty: the worker does not listen), its sockets of
-- the user, ms that members are kept; whether a missing log is created, ms that
-- events are kept; of the worker's copy the epoch (0: no copy), the highest seq
-- that was evicted, the last seq, and its ts; whether past events are wanted,
-- and back to which epoch and seq; the most events and bytes of the answer; the
-- channel of workers, and the user, whose arrival is told to the others.
--
-- A copy that has more events than the log, or other ones, shows that Redis has
-- lost events: the log begins anew.
--
-- The answer is the epoch, the last seq, the seq behind which the answer
-- begins, whether the events go back from there, and seq, ts and record of each
-- event.

local log, events, ids, members = unpack(KEYS)
local field, sockets, life = ARGV[1], ARGV[2], ARGV[3]
local create, age = ARGV[4] == '1', tonumber(ARGV[5])
local mine, low, high, stamp = tonumber(ARGV[6]), tonumber(ARGV[7]),
                               tonumber(ARGV[8]), ARGV[9]
local want, epoch_wanted, wanted = ARGV[10] == '1', tonumber(ARGV[11]),
                                   tonumber(ARGV[12])
local most, room = tonumber(ARGV[13]), tonumber(ARGV[14])

local h = redis.call('HMGET', log, 'epoch', 'last', 'floor')
local epoch, last, floor = h[1], tonumber(h[2] or 0), tonumber(h[3] or 0)

local function renew()
  local t = redis.call('TIME')
  epoch = string.format('%.0f', t[1] * 1000000 + t[2])
  last, floor = 0, 0
  redis.call('DEL', events, ids)
  redis.call('HSET', log, 'epoch', epoch, 'last', 0, 'floor', 0,
             'bytes', 0)
end

local function lost()
  if mine ~= tonumber(epoch) then
    return mine > tonumber(epoch)
  end
  if high > last then
    return true
  end
  if stamp == '0' or high <= floor then
    return false
  end
  local e = redis.call('XRANGE', events, high .. '-0', high .. '-0')[1]
  return e and e[2][2] ~= stamp
end

if field ~= '' then
  local before = redis.call('HGET', members, field) or '0'
  redis.call('HSET', members, field, sockets)
  if before == '0' and sockets ~= '0' then
    for _, m in ipairs(redis.call('HKEYS', members)) do
      if m ~= field then
        redis.call('PUBLISH', ARGV[15] .. m,
                   NGX_WS_MGR_TELL_JOINED .. ' ' .. ARGV[16])
      end
    end
  end
  redis.call('PEXPIRE', members, life)
end

if not epoch and not create then
  return {}
end

if not epoch or (mine > 0 and lost()) then
  renew()
end

if create then
  redis.call('PEXPIRE', log, life)
end

local now = redis.call('TIME')[1] * 1000

local function oldest()
  return redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
end

local e = floor < last and oldest()

while floor < last and (not e or e[2][2] + age <= now) do
  if not e then
    floor = last
    redis.call('HSET', log, 'floor', floor, 'bytes', 0)
  else
    redis.call('XDEL', events, e[1])
    redis.call('HDEL', ids, e[2][4])
    floor = tonumber(string.match(e[1], '^%d+'))
    redis.call('HSET', log, 'floor', floor)
    redis.call('HINCRBY', log, 'bytes', -#e[2][6])
    e = oldest()
  end
end

local lower = floor

if epoch_wanted == tonumber(epoch) and wanted > floor then
  lower = wanted
end

local found, base, past = {}, high, 0

if mine ~= tonumber(epoch) then
  base = (want or mine > 0) and math.min(lower, last) or last
  found = redis.call('XRANGE', events, (base + 1) .. '-0', '+',
                     'COUNT', most)
elseif high < last then
  base = math.max(high, floor)
  found = redis.call('XRANGE', events, (base + 1) .. '-0', '+',
                     'COUNT', most)
elseif want and low > lower then
  base, past = low, 1
  found = redis.call('XREVRANGE', events, low .. '-0', (lower + 1) .. '-0',
                     'COUNT', most)
end

local result, bytes = { epoch, last, base, past }, 0

for _, x in ipairs(found) do
  bytes = bytes + #x[2][6]
  if #result > 4 and bytes > room then
    break
  end
  result[#result + 1] = tonumber(string.match(x[1], '^%d+'))
  result[#result + 1] = tonumber(x[2][2])
  result[#result + 1] = x[2][6]
end

return result
