-- Answers the name of the server's data and checks that Redis accepts writes.
--
-- KEYS: the name of the data; a key that is written as a check.

local id = redis.call('GET', KEYS[1])
if not id then
  local t = redis.call('TIME')
  id = string.format('%.0f', t[1] * 1000000 + t[2])
  redis.call('SET', KEYS[1], id)
end
redis.call('SET', KEYS[2], 1, 'PX', 1000)
return id
