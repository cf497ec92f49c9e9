-- Puts a book of incidents in the place of the one of a version, whole or not at all.
--
-- KEYS  1 the book (hash)
-- ARGV  1 the version that is replaced, 0 if there is no book   then two for each field: its name and its text
-- reply 1, or 0 if the version is another one by now

local book, known = KEYS[1], ARGV[1]

local version = redis.call('HGET', book, 'version') or (redis.call('EXISTS', book) == 0 and '0')
if version ~= known then return 0 end
-- A first command that is refused, for lack of memory or of a right, leaves all as it was.
redis.call('DEL', book)
for place = 2, #ARGV, 2 do
  redis.call('HSET', book, ARGV[place], ARGV[place + 1])
end
return 1
