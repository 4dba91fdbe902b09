-- Tells the workers that are members.
--
-- KEYS: members.  ARGV: the channel of workers, the message.
--
-- The answer is the nodes that heard the message, each with a 0.

local heard, seen = {}, {}
for _, m in ipairs(redis.call('HKEYS', KEYS[1])) do
  if redis.call('PUBLISH', ARGV[1] .. m, ARGV[2]) == 0 then
    redis.call('HDEL', KEYS[1], m)
  else
    local node = string.match(m, '^[^.]*')
    if not seen[node] then
      seen[node] = true
      heard[#heard + 1] = node
      heard[#heard + 1] = 0
    end
  end
end
return heard
