-- Appends events to a user's log and tells the workers that are members.
--
-- KEYS: log, events, ids, members, runs.
-- ARGV: the most events and bytes of the log, ms that events are kept, ms that
-- the rest is kept, the channel of workers, the user, the check of run order
-- (NGX_WS_MGR_CHECK_); then for each event its event_id, its record, its run
-- and its step in the run: one of the NGX_WS_MGR_STEP_ letters, followed by the
-- tool's name where the step is a tool's.  An empty step is not checked.
--
-- The answer is the epoch and, for each event, one of the NGX_WS_MGR_APPEND_
-- numbers, the seq, the ts, the number of nodes that heard the event, and the
-- fault of run order (NGX_WS_MGR_RUN_).

local log, events, ids, members, runs = unpack(KEYS)
local max, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local age, life = tonumber(ARGV[3]), tonumber(ARGV[4])
local channel, user, mode = ARGV[5], ARGV[6], tonumber(ARGV[7])

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local h = redis.call('HMGET', log, 'epoch', 'last', 'floor', 'bytes')
local epoch, last = h[1], tonumber(h[2] or 0)
local floor, bytes = tonumber(h[3] or 0), tonumber(h[4] or 0)

if not epoch then
  epoch = string.format('%.0f', t[1] * 1000000 + t[2])
  last, floor, bytes = 0, 0, 0
  redis.call('DEL', events, ids, runs)
end

local function trim(size)
  for _ = 1, NGX_WS_MGR_ENGINE_TRIM do
    local e = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
    if not e then
      floor, bytes = last, 0
      return
    end
    local f = e[2]
    if last - floor < max and bytes + size <= room
       and f[2] + age > now
    then
      return
    end
    redis.call('XDEL', events, e[1])
    if f[4] ~= '' then
      redis.call('HDEL', ids, f[4])
    end
    floor = tonumber(string.match(e[1], '^%d+'))
    bytes = bytes - #f[6]
  end
end

local function order(run, step)
  local text = redis.call('HGET', runs, run)
  local r = text and cjson.decode(text) or { o = {}, n = true }
  local kind = string.sub(step, 1, 1)
  if r.e then
    return NGX_WS_MGR_RUN_ENDED, r
  elseif kind == NGX_WS_MGR_STEP_STARTED then
    return r.s and NGX_WS_MGR_RUN_AGAIN or 0, r
  elseif not r.s then
    return NGX_WS_MGR_RUN_UNBEGUN, r
  elseif kind == NGX_WS_MGR_STEP_COMPLETED
         and not r.f and not r.o[string.sub(step, 2)]
  then
    return NGX_WS_MGR_RUN_NO_TOOL, r
  end
  return 0, r
end

local function forget()
  local all, oldest, at = redis.call('HGETALL', runs), nil, nil
  for i = 1, #all, 2 do
    local seen = cjson.decode(all[i + 1]).t
    if not at or seen < at then
      oldest, at = all[i], seen
    end
  end
  redis.call('HDEL', runs, oldest)
end

local function note(run, step, r)
  local kind, tool = string.sub(step, 1, 1), string.sub(step, 2)
  if kind == NGX_WS_MGR_STEP_STARTED then
    r.s = true
  elseif kind == NGX_WS_MGR_STEP_ENDED then
    r.e, r.o = true, {}
  elseif kind == NGX_WS_MGR_STEP_EXECUTING then
    local kinds = 0
    for _ in pairs(r.o) do
      kinds = kinds + 1
    end
    if r.o[tool] or kinds < NGX_WS_MGR_RUN_TOOLS then
      r.o[tool] = (r.o[tool] or 0) + 1
    else
      r.f = true
    end
  elseif kind == NGX_WS_MGR_STEP_COMPLETED and r.o[tool] then
    r.o[tool] = r.o[tool] > 1 and r.o[tool] - 1 or nil
  end
  if r.n and redis.call('HLEN', runs) >= NGX_WS_MGR_RUNS then
    forget()
  end
  r.n, r.t = nil, now
  redis.call('HSET', runs, run, cjson.encode(r))
end

local result, told, named = { epoch }, {}, {}

for i = NGX_WS_MGR_PUBLISH_ARGS + 1, #ARGV, NGX_WS_MGR_PUBLISH_EACH do
  local id, record = ARGV[i], ARGV[i + 1]
  local run, step = ARGV[i + 2], ARGV[i + 3]
  local code, fault, r = NGX_WS_MGR_APPEND_NEW, 0, nil
  local seq, at, nodes = 0, now, 0
  local known = id ~= '' and redis.call('HGET', ids, id)
  if known then
    local s, n = string.match(known, '^(%d+):(%d+)$')
    local e = redis.call('XRANGE', events, s .. '-0', s .. '-0')[1]
    seq, nodes = tonumber(s), tonumber(n)
    if e then
      code = e[2][6] == record and NGX_WS_MGR_APPEND_DUPLICATE
             or NGX_WS_MGR_APPEND_CONFLICT
      at = tonumber(e[2][2])
    else
      known = false
    end
  end
  if not known and mode ~= NGX_WS_MGR_CHECK_OFF and step ~= '' then
    fault, r = order(run, step)
    if fault > 0 and mode == NGX_WS_MGR_CHECK_ENFORCE then
      code = NGX_WS_MGR_APPEND_DISORDER
    end
  end
  if not known and code == NGX_WS_MGR_APPEND_NEW then
    trim(#record)
    last = last + 1
    seq, nodes, bytes = last, 0, bytes + #record
    redis.call('XADD', events, seq .. '-0', 't', now, 'i', id, 'r', record)
    if id ~= '' then
      redis.call('HSET', ids, id, seq .. ':0')
      named[#named + 1] = id
      named[#named + 1] = seq
    end
    if r then
      note(run, step, r)
    end
    told[#told + 1] = seq .. ' ' .. now .. ' ' .. #record .. '\n'
                      .. record
  end
  for _, v in ipairs({ code, seq, at, nodes, fault }) do
    result[#result + 1] = v
  end
end

if #told == 0 then
  return result
end

redis.call('HSET', log, 'epoch', epoch, 'last', last, 'floor', floor,
           'bytes', bytes)
redis.call('PEXPIRE', log, life)
redis.call('PEXPIRE', events, age)
redis.call('PEXPIRE', ids, age)
redis.call('PEXPIRE', runs, life)

local text = NGX_WS_MGR_TELL_EVENTS .. ' ' .. epoch .. ' ' .. #user .. '\n'
             .. user .. table.concat(told)
local heard, seen = 0, {}

for _, m in ipairs(redis.call('HKEYS', members)) do
  if redis.call('PUBLISH', channel .. m, text) == 0 then
    redis.call('HDEL', members, m)
  else
    local node = string.match(m, '^[^.]*')
    if not seen[node] then
      seen[node], heard = true, heard + 1
    end
  end
end

for i = 2, #result, NGX_WS_MGR_PUBLISH_RESULT do
  if result[i] == NGX_WS_MGR_APPEND_NEW then
    result[i + 3] = heard
  end
end

if heard > 0 then
  for i = 1, #named, 2 do
    redis.call('HSET', ids, named[i], named[i + 1] .. ':' .. heard)
  end
end

return result
