-- Records events of addresses. Atomic; knows no policy: it tells events apart, keeps and counts.
--
-- KEYS  for each batch: the feed of its bucket (stream), the changes of its bucket (stream), and the record of each of its parts
--       (text), none of them twice; of deliveries, the records alone
-- ARGV  1 most entries of the changes   2 what is published of new records   3 bytes: 1 if no batch has a record of another one;
--       then for each batch, whose parts are of one bucket and alike, how many parts it has, how many events each of them, and 1 if
--       it is time to remove old changes   then for each batch:
--         the addresses with line feeds between them, their changes with line feeds between those of two addresses and blanks
--         between those of one, and the text of each part, which is that of a new record: its events in their order, no more than
--         are kept of a class for one day and no two with one id, perhaps with "as" in front of them
--         or, of deliveries, one a part, which have 0 events: the time of each
-- reply a letter for each event: r recorded, d duplicate, i ignored; of a tombstone, all are ignored
--
-- Set in front of this file: record_known.lua.

-- What is local is found sooner.
local KEYS, ARGV = KEYS, ARGV

local counts = { string.byte(ARGV[3], 1, -1) }

-- Where the first batch has its arguments.
local FIRST_PLACE = 4

-- What a batch of events has in front of its records, and in front of their texts.
local IN_FRONT = 2

-- How many keys or arguments a batch has.
local function width_of(parts, events)
  return events == 0 and parts or IN_FRONT + parts
end

-- The number of all events, if nobody has a record, and what is to be written then: key, text, key, text.
local function all_new()
  local records, written, last, in_all = {}, {}, 0, 0
  local key, place = 1, FIRST_PLACE
  for at = 2, #counts, 3 do
    local parts, events = counts[at], counts[at + 1]
    for part = events == 0 and 0 or IN_FRONT, width_of(parts, events) - 1 do
      records[#records + 1] = KEYS[key + part]
      if events > 0 then
        written[last + 1], written[last + 2] = KEYS[key + part], ARGV[place + part]
        last = last + 2
      end
    end
    in_all = in_all + parts * math.max(events, 1)
    local width = width_of(parts, events)
    key, place = key + width, place + width
  end
  if redis.call('EXISTS', unpack(records)) > 0 then return nil end
  return in_all, written
end

-- Names all in the feeds, tells of them, and then enters them. Whatever can fail comes first, and what has been told by then is told
-- again when it is repeated: so there is never a record that no feed names, or of which nobody is told.
local function enter(written)
  local key, place = 1, FIRST_PLACE
  for at = 2, #counts, 3 do
    local parts, events = counts[at], counts[at + 1]
    if events > 0 then
      redis.call('XADD', KEYS[key], '*', 'a', ARGV[place])
      tell(KEYS[key + 1], ARGV[place], ARGV[place + 1], counts[at + 2] == 1)
    end
    local width = width_of(parts, events)
    key, place = key + width, place + width
  end
  redis.call('MSET', unpack(written))
end

-- Records batch by batch. Says what became of each event, and whether there are records now that were not.
local function record_by_batch()
  local outcomes, has_new = {}, false
  local key, place = 1, FIRST_PLACE
  for at = 2, #counts, 3 do
    local parts, events = counts[at], counts[at + 1]
    if events == 0 then
      for part = 0, parts - 1 do outcomes[#outcomes + 1] = deliver(KEYS[key + part], ARGV[place + part]) end
    else
      has_new = record_mixed(key, place, parts, events, counts[at + 2] == 1, outcomes) or has_new
    end
    local width = width_of(parts, events)
    key, place = key + width, place + width
  end
  return table.concat(outcomes), has_new
end

-- The usual case is that nobody has a record, and all goes as it came.
local outcomes, has_new
local events, written
if counts[1] == 1 then events, written = all_new() end
if events then
  outcomes, has_new = string.rep(RECORDED, events), #written > 0
  if has_new then enter(written) end
else
  outcomes, has_new = record_by_batch()
end
-- Who follows the feed knows of it sooner. It is no fault if nobody may hear of it.
if has_new then redis.pcall('PUBLISH', 'sup:feed', ARGV[2]) end
return outcomes
