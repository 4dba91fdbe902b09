-- Counts the sockets of a user by node.
--
-- KEYS: members.  ARGV: the channel of workers.
--
-- The answer is the nodes with sockets, each with the number of its sockets.

local all, at, nodes = redis.call('HGETALL', KEYS[1]), {}, {}
for i = 1, #all, 2 do
  local node = string.match(all[i], '^[^.]*')
  local n = tonumber(all[i + 1])
  local heard = redis.call('PUBSUB', 'NUMSUB', ARGV[1] .. all[i])[2]
  if n > 0 and heard > 0 then
    if not at[node] then
      nodes[#nodes + 1] = node
      nodes[#nodes + 1] = 0
      at[node] = #nodes
    end
    nodes[at[node]] = nodes[at[node]] + n
  end
end
return nodes
