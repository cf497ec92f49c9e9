-- Keeps one letter, if it is not there yet and fits. Letters past their age make room first.
--
-- KEYS  1 heads (hash)   2 by time (sorted set)   3 content (hash)   4 how many bytes (number)
-- ARGV  1 id   2 received   3 its bytes   4 head   5 content   6 oldest time that is kept   7 most letters   8 most bytes
--       9 most letters past their age that one call removes
-- reply 1 kept, 0 it is there, -1 there is no room

local heads, by_time, content, bytes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, received, size, head = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local oldest, max_letters, max_bytes = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])

local function remove(old)
  local old_size = string.match(redis.call('HGET', heads, old) or '', '^%d+|(%d+)|') or '0'
  redis.call('DECRBY', bytes, old_size)
  redis.call('HDEL', heads, old)
  redis.call('HDEL', content, old)
  redis.call('ZREM', by_time, old)
end

for _, old in ipairs(redis.call('ZRANGEBYSCORE', by_time, '-inf', '(' .. oldest, 'LIMIT', 0, ARGV[9])) do
  remove(old)
end
-- More may be past their age than one call removes. This letter must not be taken for kept if it is one of them.
local known = redis.call('ZSCORE', by_time, id)
if known and tonumber(known) < tonumber(oldest) then
  remove(id)
  known = false
end
if known then return 0 end

if redis.call('HLEN', heads) >= max_letters then return -1 end
if tonumber(redis.call('GET', bytes) or '0') + size > max_bytes then return -1 end
redis.call('INCRBY', bytes, ARGV[3])
redis.call('HSET', content, id, ARGV[5])
redis.call('HSET', heads, id, head)
redis.call('ZADD', by_time, received, id)
return 1
