-- The book of incidents, unless it is of the version that is known.
--
-- KEYS  1 the book (hash)
-- ARGV  1 the known version, 0 if there is no book, or nothing
-- reply nothing, or all fields of the book

local book, known = KEYS[1], ARGV[1]

local version = redis.call('HGET', book, 'version') or (redis.call('EXISTS', book) == 0 and '0')
if version == known then return false end
return redis.call('HGETALL', book)
