-- Records events of addresses. Atomic; knows no policy: it tells events apart, keeps and counts.
--
-- KEYS  three for each part: the feed of its bucket (stream), the changes of its bucket (stream), the record (hash); each of them
--       may come again
-- ARGV  1 most entries of the changes   2 what is published of new records   then each part, the events of an address in their
--       order, no more than are kept of a class for one day and no two with one id:
--         how many events, how many arguments F, the address, the changes with blanks between them, what is usual in a new
--         record, and F arguments: the name and the text of each event, with its time alone where that is what it says beside
--         what is usual, then each class and how many of the events are of it
--       or the one delivery of a part: 0 and its time
-- reply for each event 1 recorded, 2 duplicate, 3 ignored; of a tombstone, all are ignored
--
-- Set in front of this file: record_known.lua.

local outcomes, has_new, place = {}, false, 3

for part = 1, #KEYS, 3 do
  local feed, changes, record = KEYS[part], KEYS[part + 1], KEYS[part + 2]
  local is_there = redis.call('EXISTS', record) == 1
  if ARGV[place] == '0' then
    outcomes[#outcomes + 1] = is_there and deliver(record, ARGV[place + 1]) or RECORDED
    place = place + 2
  else
    local first_field = place + 5
    local behind = first_field + ARGV[place + 1]
    if is_there then
      record_known(changes, record, place, first_field, behind, outcomes)
    else
      -- The usual case: nothing has to be looked for, and all goes as it came.
      local address = ARGV[place + 2]
      redis.call('XADD', feed, '*', 'a', address)
      redis.call('HSET', record, 'as', ARGV[place + 4], unpack(ARGV, first_field, behind - 1))
      tell(changes, address, ARGV[place + 3])
      for _ = 1, ARGV[place] do outcomes[#outcomes + 1] = RECORDED end
      has_new = true
    end
    place = behind
  end
end
-- Who follows the feed knows of it sooner. It is no fault if nobody may hear of it.
if has_new then redis.pcall('PUBLISH', 'sup:feed', ARGV[2]) end
return outcomes
