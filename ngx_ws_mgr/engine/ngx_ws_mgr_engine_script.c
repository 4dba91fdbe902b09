
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_io.h>


/*
 * KEYS: log, events, ids, members, runs.  ARGV: how many events and bytes the
 * log may have, ms that they are kept, ms that the rest is; the channel of
 * workers, the user, how run order is checked; of each event its event_id, its
 * record, its run and its step in it: s for started, x and the tool for
 * executing, c and the tool for completed, e for ended, o for another known
 * one, empty for one that is not checked.
 *
 * The answer is the epoch and, of each event, what became of it (0: it is in
 * the log, 1: it was, 2: another was with its event_id, 3: refused for its
 * order), its seq, its ts, how many nodes have heard of it, and what was wrong
 * with its order.
 */

ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_publish = {
    ngx_string(
"local log, events, ids, members, runs = unpack(KEYS)\n"
"local max, room = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
"local age, life = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
"local channel, user, mode = ARGV[5], ARGV[6], tonumber(ARGV[7])\n"
"\n"
"local t = redis.call('TIME')\n"
"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
"local h = redis.call('HMGET', log, 'epoch', 'last', 'floor', 'bytes')\n"
"local epoch, last = h[1], tonumber(h[2] or 0)\n"
"local floor, bytes = tonumber(h[3] or 0), tonumber(h[4] or 0)\n"
"\n"
"if not epoch then\n"
"  epoch = string.format('%.0f', t[1] * 1000000 + t[2])\n"
"  last, floor, bytes = 0, 0, 0\n"
"  redis.call('DEL', events, ids, runs)\n"
"end\n"
"\n"
"local function trim(size)\n"
"  for i = 1, 64 do\n"
"    local e = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]\n"
"    if not e then\n"
"      floor, bytes = last, 0\n"
"      return\n"
"    end\n"
"    local f = e[2]\n"
"    if last - floor < max and bytes + size <= room\n"
"       and f[2] + age > now\n"
"    then\n"
"      return\n"
"    end\n"
"    redis.call('XDEL', events, e[1])\n"
"    if f[4] ~= '' then\n"
"      redis.call('HDEL', ids, f[4])\n"
"    end\n"
"    floor = tonumber(string.match(e[1], '^%d+'))\n"
"    bytes = bytes - #f[6]\n"
"  end\n"
"end\n"
"\n"
"local function order(run, step)\n"
"  local text = redis.call('HGET', runs, run)\n"
"  local r = text and cjson.decode(text) or { o = {}, n = true }\n"
"  local kind = string.sub(step, 1, 1)\n"
"  if r.e then\n"
"    return 1, r\n"
"  elseif kind == 's' then\n"
"    return r.s and 2 or 0, r\n"
"  elseif not r.s then\n"
"    return 3, r\n"
"  elseif kind == 'c' and not r.f and not r.o[string.sub(step, 2)] then\n"
"    return 4, r\n"
"  end\n"
"  return 0, r\n"
"end\n"
"\n"
"local function forget()\n"
"  local all, oldest, at = redis.call('HGETALL', runs), nil, nil\n"
"  for i = 1, #all, 2 do\n"
"    local seen = cjson.decode(all[i + 1]).t\n"
"    if not at or seen < at then\n"
"      oldest, at = all[i], seen\n"
"    end\n"
"  end\n"
"  redis.call('HDEL', runs, oldest)\n"
"end\n"
"\n"
"local function note(run, step, r)\n"
"  local kind, tool = string.sub(step, 1, 1), string.sub(step, 2)\n"
"  if kind == 's' then\n"
"    r.s = true\n"
"  elseif kind == 'e' then\n"
"    r.e, r.o = true, {}\n"
"  elseif kind == 'x' then\n"
"    local kinds = 0\n"
"    for _ in pairs(r.o) do\n"
"      kinds = kinds + 1\n"
"    end\n"
"    if r.o[tool] or kinds < 8 then\n"
"      r.o[tool] = (r.o[tool] or 0) + 1\n"
"    else\n"
"      r.f = true\n"
"    end\n"
"  elseif kind == 'c' and r.o[tool] then\n"
"    r.o[tool] = r.o[tool] > 1 and r.o[tool] - 1 or nil\n"
"  end\n"
"  if r.n and redis.call('HLEN', runs) >= 64 then\n"
"    forget()\n"
"  end\n"
"  r.n, r.t = nil, now\n"
"  redis.call('HSET', runs, run, cjson.encode(r))\n"
"end\n"
"\n"
"local result, told, named = { epoch }, {}, {}\n"
"\n"
"for i = 8, #ARGV, 4 do\n"
"  local id, record = ARGV[i], ARGV[i + 1]\n"
"  local run, step = ARGV[i + 2], ARGV[i + 3]\n"
"  local code, seq, at, nodes, fault, r = 0, 0, now, 0, 0, nil\n"
"  local known = id ~= '' and redis.call('HGET', ids, id)\n"
"  if known then\n"
"    local s, n = string.match(known, '^(%d+):(%d+)$')\n"
"    local e = redis.call('XRANGE', events, s .. '-0', s .. '-0')[1]\n"
"    seq, nodes = tonumber(s), tonumber(n)\n"
"    if e then\n"
"      code = e[2][6] == record and 1 or 2\n"
"      at = tonumber(e[2][2])\n"
"    else\n"
"      known = false\n"
"    end\n"
"  end\n"
"  if not known and mode > 0 and step ~= '' then\n"
"    fault, r = order(run, step)\n"
"    if fault > 0 and mode == 2 then\n"
"      code = 3\n"
"    end\n"
"  end\n"
"  if not known and code == 0 then\n"
"    trim(#record)\n"
"    last = last + 1\n"
"    seq, nodes, bytes = last, 0, bytes + #record\n"
"    redis.call('XADD', events, seq .. '-0', 't', now, 'i', id, 'r', record)\n"
"    if id ~= '' then\n"
"      redis.call('HSET', ids, id, seq .. ':0')\n"
"      named[#named + 1] = id\n"
"      named[#named + 1] = seq\n"
"    end\n"
"    if r then\n"
"      note(run, step, r)\n"
"    end\n"
"    told[#told + 1] = seq .. ' ' .. now .. ' ' .. #record .. '\\n'\n"
"                      .. record\n"
"  end\n"
"  for _, v in ipairs({ code, seq, at, nodes, fault }) do\n"
"    result[#result + 1] = v\n"
"  end\n"
"end\n"
"\n"
"if #told == 0 then\n"
"  return result\n"
"end\n"
"\n"
"redis.call('HSET', log, 'epoch', epoch, 'last', last, 'floor', floor,\n"
"           'bytes', bytes)\n"
"redis.call('PEXPIRE', log, life)\n"
"redis.call('PEXPIRE', events, age)\n"
"redis.call('PEXPIRE', ids, age)\n"
"redis.call('PEXPIRE', runs, life)\n"
"\n"
"local text = 'E ' .. epoch .. ' ' .. #user .. '\\n' .. user\n"
"             .. table.concat(told)\n"
"local heard, seen = 0, {}\n"
"\n"
"for _, m in ipairs(redis.call('HKEYS', members)) do\n"
"  if redis.call('PUBLISH', channel .. m, text) == 0 then\n"
"    redis.call('HDEL', members, m)\n"
"  else\n"
"    local node = string.match(m, '^[^.]*')\n"
"    if not seen[node] then\n"
"      seen[node], heard = true, heard + 1\n"
"    end\n"
"  end\n"
"end\n"
"\n"
"for i = 2, #result, 5 do\n"
"  if result[i] == 0 then\n"
"    result[i + 3] = heard\n"
"  end\n"
"end\n"
"\n"
"if heard > 0 then\n"
"  for i = 1, #named, 2 do\n"
"    redis.call('HSET', ids, named[i], named[i + 1] .. ':' .. heard)\n"
"  end\n"
"end\n"
"\n"
"return result\n"
    ),
    { 0 }
};


/*
 * KEYS: log, events, ids, members.  ARGV: this worker's field (empty: it does
 * not listen), its sockets of the user, ms that it is kept; whether a log is
 * made where there is none, ms that events are kept; of the log here its epoch
 * (0: none that is ours), the highest seq that is gone, the last one, and its
 * ts; whether the past is wanted, and back to which epoch and seq; how many
 * events and bytes the answer may have; the channel of workers, and the user:
 * they are told where sockets come.
 *
 * A log here that has more than we do, or something else, has seen what we have
 * lost: the log begins anew.
 *
 * The answer is the epoch, the last seq, the seq behind which it begins,
 * whether it goes back from there, and seq, ts and record of each event.
 */

ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_sync = {
    ngx_string(
"local log, events, ids, members = unpack(KEYS)\n"
"local field, sockets, life = ARGV[1], ARGV[2], ARGV[3]\n"
"local create, age = ARGV[4] == '1', tonumber(ARGV[5])\n"
"local mine, low, high, stamp = tonumber(ARGV[6]), tonumber(ARGV[7]),\n"
"                               tonumber(ARGV[8]), ARGV[9]\n"
"local want, epoch_wanted, wanted = ARGV[10] == '1', tonumber(ARGV[11]),\n"
"                                   tonumber(ARGV[12])\n"
"local most, room = tonumber(ARGV[13]), tonumber(ARGV[14])\n"
"\n"
"local h = redis.call('HMGET', log, 'epoch', 'last', 'floor')\n"
"local epoch, last, floor = h[1], tonumber(h[2] or 0), tonumber(h[3] or 0)\n"
"\n"
"local function renew()\n"
"  local t = redis.call('TIME')\n"
"  epoch = string.format('%.0f', t[1] * 1000000 + t[2])\n"
"  last, floor = 0, 0\n"
"  redis.call('DEL', events, ids)\n"
"  redis.call('HSET', log, 'epoch', epoch, 'last', 0, 'floor', 0,\n"
"             'bytes', 0)\n"
"end\n"
"\n"
"local function lost()\n"
"  if mine ~= tonumber(epoch) then\n"
"    return mine > tonumber(epoch)\n"
"  end\n"
"  if high > last then\n"
"    return true\n"
"  end\n"
"  if stamp == '0' or high <= floor then\n"
"    return false\n"
"  end\n"
"  local e = redis.call('XRANGE', events, high .. '-0', high .. '-0')[1]\n"
"  return e and e[2][2] ~= stamp\n"
"end\n"
"\n"
"if field ~= '' then\n"
"  local before = redis.call('HGET', members, field) or '0'\n"
"  redis.call('HSET', members, field, sockets)\n"
"  if before == '0' and sockets ~= '0' then\n"
"    for _, m in ipairs(redis.call('HKEYS', members)) do\n"
"      if m ~= field then\n"
"        redis.call('PUBLISH', ARGV[15] .. m, 'J ' .. ARGV[16])\n"
"      end\n"
"    end\n"
"  end\n"
"  redis.call('PEXPIRE', members, life)\n"
"end\n"
"\n"
"if not epoch and not create then\n"
"  return {}\n"
"end\n"
"\n"
"if not epoch or (mine > 0 and lost()) then\n"
"  renew()\n"
"end\n"
"\n"
"if create then\n"
"  redis.call('PEXPIRE', log, life)\n"
"end\n"
"\n"
"local now = redis.call('TIME')[1] * 1000\n"
"\n"
"local function oldest()\n"
"  return redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]\n"
"end\n"
"\n"
"local e = floor < last and oldest()\n"
"\n"
"while floor < last and (not e or e[2][2] + age <= now) do\n"
"  if not e then\n"
"    floor = last\n"
"    redis.call('HSET', log, 'floor', floor, 'bytes', 0)\n"
"  else\n"
"    redis.call('XDEL', events, e[1])\n"
"    redis.call('HDEL', ids, e[2][4])\n"
"    floor = tonumber(string.match(e[1], '^%d+'))\n"
"    redis.call('HSET', log, 'floor', floor)\n"
"    redis.call('HINCRBY', log, 'bytes', -#e[2][6])\n"
"    e = oldest()\n"
"  end\n"
"end\n"
"\n"
"local lower = floor\n"
"\n"
"if epoch_wanted == tonumber(epoch) and wanted > floor then\n"
"  lower = wanted\n"
"end\n"
"\n"
"local found, base, past = {}, high, 0\n"
"\n"
"if mine ~= tonumber(epoch) then\n"
"  base = (want or mine > 0) and math.min(lower, last) or last\n"
"  found = redis.call('XRANGE', events, (base + 1) .. '-0', '+',\n"
"                     'COUNT', most)\n"
"elseif high < last then\n"
"  base = math.max(high, floor)\n"
"  found = redis.call('XRANGE', events, (base + 1) .. '-0', '+',\n"
"                     'COUNT', most)\n"
"elseif want and low > lower then\n"
"  base, past = low, 1\n"
"  found = redis.call('XREVRANGE', events, low .. '-0', (lower + 1) .. '-0',\n"
"                     'COUNT', most)\n"
"end\n"
"\n"
"local result, bytes = { epoch, last, base, past }, 0\n"
"\n"
"for _, x in ipairs(found) do\n"
"  bytes = bytes + #x[2][6]\n"
"  if #result > 4 and bytes > room then\n"
"    break\n"
"  end\n"
"  result[#result + 1] = tonumber(string.match(x[1], '^%d+'))\n"
"  result[#result + 1] = tonumber(x[2][2])\n"
"  result[#result + 1] = x[2][6]\n"
"end\n"
"\n"
"return result\n"
    ),
    { 0 }
};


/* KEYS: members.  ARGV: the channel of workers, what to tell them.  The answer
   is the nodes that heard it, each with a 0 */

ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_tell = {
    ngx_string(
"local heard, seen = {}, {}\n"
"for _, m in ipairs(redis.call('HKEYS', KEYS[1])) do\n"
"  if redis.call('PUBLISH', ARGV[1] .. m, ARGV[2]) == 0 then\n"
"    redis.call('HDEL', KEYS[1], m)\n"
"  else\n"
"    local node = string.match(m, '^[^.]*')\n"
"    if not seen[node] then\n"
"      seen[node] = true\n"
"      heard[#heard + 1] = node\n"
"      heard[#heard + 1] = 0\n"
"    end\n"
"  end\n"
"end\n"
"return heard\n"
    ),
    { 0 }
};


/* KEYS: members.  ARGV: the channel of workers.  The answer is the nodes with
   sockets, and how many each has */

ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_nodes = {
    ngx_string(
"local all, at, nodes = redis.call('HGETALL', KEYS[1]), {}, {}\n"
"for i = 1, #all, 2 do\n"
"  local node = string.match(all[i], '^[^.]*')\n"
"  local n = tonumber(all[i + 1])\n"
"  local heard = redis.call('PUBSUB', 'NUMSUB', ARGV[1] .. all[i])[2]\n"
"  if n > 0 and heard > 0 then\n"
"    if not at[node] then\n"
"      nodes[#nodes + 1] = node\n"
"      nodes[#nodes + 1] = 0\n"
"      at[node] = #nodes\n"
"    end\n"
"    nodes[at[node]] = nodes[at[node]] + n\n"
"  end\n"
"end\n"
"return nodes\n"
    ),
    { 0 }
};


/* KEYS: what the server's data is known by, and one to see that it can be
   written to.  The answer is the former */

ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_instance = {
    ngx_string(
"local id = redis.call('GET', KEYS[1])\n"
"if not id then\n"
"  local t = redis.call('TIME')\n"
"  id = string.format('%.0f', t[1] * 1000000 + t[2])\n"
"  redis.call('SET', KEYS[1], id)\n"
"end\n"
"redis.call('SET', KEYS[2], 1, 'PX', 1000)\n"
"return id\n"
    ),
    { 0 }
};


void
ngx_ws_mgr_engine_scripts(void)
{
    ngx_ws_mgr_redis_script(&ngx_ws_mgr_engine_script_publish);
    ngx_ws_mgr_redis_script(&ngx_ws_mgr_engine_script_sync);
    ngx_ws_mgr_redis_script(&ngx_ws_mgr_engine_script_tell);
    ngx_ws_mgr_redis_script(&ngx_ws_mgr_engine_script_nodes);
    ngx_ws_mgr_redis_script(&ngx_ws_mgr_engine_script_instance);
}
