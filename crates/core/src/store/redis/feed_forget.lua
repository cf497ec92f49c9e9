-- Has a name left out of a feed when that is written anew. Whoever has begun to write it anew begins again.
--
-- KEYS  1 the names that are left out (fields of a hash)   2 the stream in which the feed is being written anew
-- ARGV  1 the address

redis.call('HSET', KEYS[1], ARGV[1], '')
redis.call('DEL', KEYS[2])
return 1
