
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Made by "make embed" of the .lua files beside it: do not edit.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_ticket_script.h>


ngx_ws_mgr_redis_script_t  ngx_ws_mgr_ticket_script_store = {
    ngx_string(
"-- Issues, consumes, looks at or revokes one ticket.\n"
"--\n"
"-- KEYS: the ticket.\n"
"-- ARGV: a tag, the verb, ms since 1970, the record to issue, ms t"
"hat the record\n"
"-- is kept, and the longest record.\n"
"--\n"
"-- The answer is the tag, which ties the answer to its question, a"
" result word\n"
"-- and the record.  A record that this script cannot parse is \"inv"
"alid\" and is\n"
"-- never handed out: another parser that understands it would let "
"a client in\n"
"-- again and again.\n"
"\n"
"local key, tag, verb, now = KEYS[1], ARGV[1], ARGV[2], tonumber(AR"
"GV[3])\n"
"if verb == "
ngx_value(NGX_WS_MGR_TICKET_VERB_ISSUE)
" then\n"
"  if redis.call('SET', key, ARGV[4], 'NX', 'PX', ARGV[5]) then\n"
"    return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_OK)
", ''}\n"
"  end\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_TAKEN)
", ''}\n"
"end\n"
"local record = redis.pcall('GET', key)\n"
"if not record then\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_UNKNOWN)
", ''}\n"
"end\n"
"if type(record) == 'table' then\n"
"  if string.find(record.err, 'WRONGTYPE', 1, true) then\n"
"    return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_INVALID)
", ''}\n"
"  end\n"
"  return record\n"
"end\n"
"if #record > tonumber(ARGV[6]) then\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_INVALID)
", ''}\n"
"end\n"
"local sound, ticket = pcall(cjson.decode, record)\n"
"if not sound or type(ticket) ~= 'table' then\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_INVALID)
", ''}\n"
"end\n"
"if ticket.used == true then\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_USED)
", ''}\n"
"end\n"
"local till = ticket.expires_at\n"
"if type(till) ~= 'number' or till ~= till then\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_INVALID)
", ''}\n"
"end\n"
"local left = till * 1000 - now\n"
"if left <= 0 then\n"
"  return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_EXPIRED)
", ''}\n"
"end\n"
"if verb == "
ngx_value(NGX_WS_MGR_TICKET_VERB_CONSUME)
" and ticket.single_use ~= false then\n"
"  local ttl = redis.call('PTTL', key)\n"
"  if ttl <= 0 then\n"
"    ttl = math.min(math.ceil(left), "
ngx_value(NGX_WS_MGR_TICKET_YEAR)
")\n"
"  end\n"
"  redis.call('SET', key, '{\"used\":true}', 'PX',\n"
"             string.format('%.0f', ttl))\n"
"elseif verb == "
ngx_value(NGX_WS_MGR_TICKET_VERB_REVOKE)
" then\n"
"  redis.call('DEL', key)\n"
"end\n"
"return {tag, "
ngx_value(NGX_WS_MGR_TICKET_WORD_OK)
", record}\n"
    ),
    { 0 }
};


void
ngx_ws_mgr_ticket_script_init(void)
{
    ngx_ws_mgr_redis_script(&ngx_ws_mgr_ticket_script_store);
}
