-- Puts in the place of what is said of the names of addresses something else, unless somebody else has.
--
-- KEYS  1 what is said (string)
-- ARGV  1 what is replaced, nothing if nothing is said   2 what is said from now on
-- reply 1, or 0 if something else is said by now

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
