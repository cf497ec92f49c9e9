-- Lifts a suppression: the operator's entry goes, evidence up to the fence no longer counts. A tombstone stays as
-- it is.
--
-- KEYS  1 the record (text)   2 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   3 now   4 the lift (JSON), with now for its fence
-- reply 1 if there was a record, else 0
--
-- Set in front of this file: ID_BYTES and record_text.lua.

local record, changes = KEYS[1], KEYS[2]
local address, max_changes, now, lift = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local kept = read_record(record)
if not kept then return 0 end
if kept.said.erased then return 1 end

-- The fence is the time of the newest evidence, if that is later than now.
local fence = tonumber(now)
for name, said in pairs(kept.said) do
  if #name == ID_BYTES then
    local time = string.match(said, '^[%l%d]+')
    fence = math.max(fence, time and tonumber(time, 36) or 0)
  end
end

-- A quote within who or why is escaped, so this can only be the name of the field.
lift = string.gsub(lift, '"fence":%d+', string.format('"fence":%.0f', fence), 1)
remove_field(kept, 'manual')
set_field(kept, 'lift', lift)
write_record(record, kept)
redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', 'lift')
return 1
