-- Enters an operator's suppression. A tombstone stays as it is: it suppresses already.
--
-- KEYS  1 the record (hash)   2 the feed of its bucket (stream)   3 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   3 the entry (JSON)

local record, feed, changes = KEYS[1], KEYS[2], KEYS[3]
local address, max_changes, entry = ARGV[1], ARGV[2], ARGV[3]

if redis.call('HGET', record, 'erased') then return 1 end
if redis.call('EXISTS', record) == 0 then
  redis.call('XADD', feed, '*', 'a', address)
  redis.pcall('PUBLISH', 'sup:feed', string.match(feed, '{(%x+)}'))
end
redis.call('HSET', record, 'manual', entry)
redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', 'suppress')
return 1
