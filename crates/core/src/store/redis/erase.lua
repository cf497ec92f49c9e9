-- Removes a record, if it still is what was seen. A tombstone takes its place, if there is one.
--
-- KEYS  1 the record (text)   2 the feed of its bucket (stream)   3 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   3 the tombstone (JSON), or nothing
--       then, unless no record was seen, what it had of: hard soft expired unmapped complaint delivered, nothing for what was not
--       there; of manual, lift, erased whether it was there: 1, or nothing; and how many events it had
-- reply 1 it is gone, 0 there was none, or only a tombstone, -1 it is another one than was seen
--
-- Set in front of this file: ID_BYTES and record_text.lua.

local record, feed, changes = KEYS[1], KEYS[2], KEYS[3]
local address, max_changes, tombstone = ARGV[1], ARGV[2], ARGV[3]

local COUNTERS, FIELDS = 5, { 'hard', 'soft', 'expired', 'unmapped', 'complaint', 'delivered', 'manual', 'lift', 'erased' }
local kept = read_record(record)
local has_record = kept and true or false
if has_record ~= (#ARGV > 3) then return -1 end
local is_tombstone = kept and kept.said.erased
for place = 1, has_record and #FIELDS or 0 do
  local value = kept.said[FIELDS[place]] or ''
  if value == '0' and place <= COUNTERS then value = '' end
  if place > COUNTERS + 1 and value ~= '' then value = '1' end
  if value ~= ARGV[place + 3] then return -1 end
end
-- An event that came since is kept, or another one that was has been counted among those that are gone. Which ones they are is not
-- asked: only if somebody else has erased what was seen meanwhile, may as many be others.
local events = 0
for _, field in ipairs(kept and kept.names or {}) do
  if #field == ID_BYTES then events = events + 1 end
end
if has_record and events ~= tonumber(ARGV[#ARGV]) then return -1 end

if is_tombstone and tombstone ~= '' then return 0 end
redis.call('DEL', record)
if tombstone ~= '' then
  if not has_record then
    redis.call('XADD', feed, '*', 'a', address)
    redis.pcall('PUBLISH', 'sup:feed', string.match(feed, '{(%x+)}'))
  end
  write_record(record, { said = { erased = tombstone }, names = { 'erased' } })
  redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', 'erase')
elseif has_record then
  -- Without a name: whoever follows the changes begins anew.
  redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'w', 'erase')
end
return has_record and not is_tombstone and 1 or 0
