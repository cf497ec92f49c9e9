-- Enters an operator's suppression. A tombstone stays as it is: it suppresses already.
--
-- KEYS  1 the record (text)   2 the feed of its bucket (stream)   3 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   3 the entry (JSON)
--
-- Set in front of this file: record_text.lua.

local record, feed, changes = KEYS[1], KEYS[2], KEYS[3]
local address, max_changes, entry = ARGV[1], ARGV[2], ARGV[3]

local kept = read_record(record)
if kept and kept.said.erased then return 1 end
if not kept then
  kept = { said = {}, names = {} }
  redis.call('XADD', feed, '*', 'a', address)
  redis.pcall('PUBLISH', 'sup:feed', string.match(feed, '{(%x+)}'))
end
set_field(kept, 'manual', entry)
write_record(record, kept)
redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', 'suppress')
return 1
