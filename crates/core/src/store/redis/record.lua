-- Records events of addresses. Atomic; knows no policy: it tells events apart, keeps and counts.
--
-- KEYS  for each batch: the feed of its bucket (stream), the changes of its bucket (stream), and the record of each of its parts
--       (hash), none of them twice
-- ARGV  1 most entries of the changes   2 what is published of new records   then each batch, whose parts are of one bucket and
--       alike:
--         how many parts, how many arguments F and how many events each of them has, the addresses with line feeds between them,
--         their changes with line feeds between those of two addresses and blanks between those of one, and F arguments of each
--         part, the events of an address in their order, no more than are kept of a class for one day and no two with one id:
--           the identity and the text of each event; perhaps in front of them "as" and what is usual: of an event that says the
--           same beside its time, the text is the time alone
--         or, of deliveries, one a part: how many, 1, 1, and the time of each
-- reply a letter for each event: r recorded, d duplicate, i ignored; of a tombstone, all are ignored
--
-- Set in front of this file: record_known.lua.

local outcomes, has_new, key, place, keys = {}, false, 1, 3, #KEYS

while key <= keys do
  local parts, width, events = tonumber(ARGV[place]), tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
  local feed, changes, first_key = KEYS[key], KEYS[key + 1], key + 2
  key = first_key + parts
  local are_new = redis.call('EXISTS', unpack(KEYS, first_key, key - 1)) == 0
  if width == DELIVERY then
    place = place + 3
    for part = 0, parts - 1 do
      outcomes[#outcomes + 1] = are_new and RECORDED or deliver(KEYS[first_key + part], ARGV[place + part])
    end
  else
    local names = place + 3
    place = place + 5
    if are_new then
      -- The usual case: nothing has to be looked for, and all goes as it came.
      redis.call('XADD', feed, '*', 'a', ARGV[names])
      tell(changes, ARGV[names], ARGV[names + 1])
      for part = 0, parts - 1 do
        local first = place + part * width
        redis.call('HSET', KEYS[first_key + part], unpack(ARGV, first, first + width - 1))
      end
      outcomes[#outcomes + 1] = string.rep(RECORDED, parts * events)
      has_new = true
    else
      has_new = record_mixed(feed, changes, first_key, parts, names, width, events, outcomes) or has_new
    end
  end
  place = place + parts * width
end
-- Who follows the feed knows of it sooner. It is no fault if nobody may hear of it.
if has_new then redis.pcall('PUBLISH', 'sup:feed', ARGV[2]) end
return table.concat(outcomes)
