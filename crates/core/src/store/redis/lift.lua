-- Lifts a suppression: the operator's entry goes, evidence up to the fence no longer counts. A tombstone stays as
-- it is.
--
-- KEYS  1 the record (hash)   2 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   3 now   4 the lift (JSON), with now for its fence
-- reply 1 if there was a record, else 0
--
-- Set in front of this file: ID_BYTES.

local record, changes = KEYS[1], KEYS[2]
local address, max_changes, now, lift = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('EXISTS', record) == 0 then return 0 end
if redis.call('HGET', record, 'erased') then return 1 end

-- The fence is the time of the newest evidence, if that is later than now.
local fence = tonumber(now)
local fields = redis.call('HGETALL', record)
for place = 1, #fields, 2 do
  if #fields[place] == ID_BYTES then
    local time = string.match(fields[place + 1], '^[%l%d]+')
    fence = math.max(fence, time and tonumber(time, 36) or 0)
  end
end

-- A quote within who or why is escaped, so this can only be the name of the field.
lift = string.gsub(lift, '"fence":%d+', string.format('"fence":%.0f', fence), 1)
redis.call('HDEL', record, 'manual')
redis.call('HSET', record, 'lift', lift)
redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', 'lift')
return 1
