-- Removes one letter.
--
-- KEYS  1 heads (hash)   2 by time (sorted set)   3 content (hash)   4 how many bytes (number)
-- ARGV  1 id
-- reply 1 if it was there, else 0

local heads, by_time, content, bytes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id = ARGV[1]

local head = redis.call('HGET', heads, id)
if not head then return 0 end
redis.call('DECRBY', bytes, string.match(head, '^%d+|(%d+)|') or '0')
redis.call('HDEL', heads, id)
redis.call('HDEL', content, id)
redis.call('ZREM', by_time, id)
return 1
