-- Records events of one address, in their order. Atomic; knows no policy: it tells events apart, keeps and counts.
--
-- KEYS  1 the record (hash)   2 the feed of its bucket (stream)   3 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   then two for each event:
--       its id and the text that is kept of it; of a delivery, an empty id and its time
-- reply for each event 1 recorded, 2 duplicate, 3 ignored; of a tombstone, all are ignored
--
-- Set in front of this file: is_text_before and, from the rules in Rust, KEPT_DAYS, KEPT_PER_DAY, DAY_SECONDS, CLASS_OF (of a
-- category).

local RECORDED, DUPLICATE, IGNORED = 1, 2, 3
local record, feed, changes = KEYS[1], KEYS[2], KEYS[3]
local address, max_changes = ARGV[1], ARGV[2]

local has_record = redis.call('EXISTS', record) == 1

local TIME_OF_RECEIPT = 'time of receipt'

-- Text of evidence to its class, to the shelf that it stands on with the time by which it is ranked there, and to its kind;
-- nothing if it cannot be read: who reads the record will say so. A time of receipt, which an eighth part tells, ranks nothing.
local function class_and_place(text)
  local time, kind, category, rest = string.match(text, '^(%d+)|([^|]*)|([^|]*)|[^|]*|[^|]*|[^|]*|[^|]*(.*)$')
  if not time then return nil end
  local class = kind == 'f' and 'complaint' or CLASS_OF[category] or 'unmapped'
  if rest == '|r' then return class, { shelf = TIME_OF_RECEIPT, time = 0 }, kind end
  return class, { shelf = math.floor(time / DAY_SECONDS), time = tonumber(time) }, kind
end

local function is_before(time, id, other_time, other_id)
  if time ~= other_time then return time < other_time end
  return is_text_before(id, other_id)
end

-- Places of the kept evidence, by class and id. Read when first needed: most records stay below every bound.
local kept

local function read_kept()
  kept = {}
  local fields = redis.call('HGETALL', record)
  for place = 1, #fields, 2 do
    if string.sub(fields[place], 1, 2) == 'e:' then
      local class, found = class_and_place(fields[place + 1])
      if class then
        kept[class] = kept[class] or {}
        kept[class][string.sub(fields[place], 3)] = found
      end
    end
  end
end

-- What is no longer kept of a class now that evidence on that shelf has come to it: ids.
local function evicted_by(of_class, new_shelf)
  local ids_of, days = {}, 0
  local oldest_day, least
  for id, place in pairs(of_class) do
    local shelf = place.shelf
    if not ids_of[shelf] then
      ids_of[shelf] = {}
      if shelf ~= TIME_OF_RECEIPT then days = days + 1 end
    end
    table.insert(ids_of[shelf], id)
    if shelf ~= TIME_OF_RECEIPT and (not oldest_day or shelf < oldest_day) then oldest_day = shelf end
    if shelf == new_shelf and (not least or is_before(place.time, id, of_class[least].time, least)) then least = id end
  end
  if #ids_of[new_shelf] > KEPT_PER_DAY then return { least } end
  if #ids_of[new_shelf] == 1 and new_shelf ~= TIME_OF_RECEIPT and days > KEPT_DAYS then return ids_of[oldest_day] end
  return {}
end

local function deliver(time)
  if not has_record then return RECORDED end
  local latest = redis.call('HGET', record, 'delivered')
  if latest and tonumber(latest) == tonumber(time) then return DUPLICATE end
  if latest and tonumber(latest) > tonumber(time) then return IGNORED end
  redis.call('HSET', record, 'delivered', time)
  return RECORDED
end

local function admit(id, text)
  if not has_record then
    redis.call('HSET', record, 'feed', redis.call('XADD', feed, '*', 'a', address))
    -- Who follows the feed knows of it sooner. It is no fault if nobody may hear of it.
    redis.pcall('PUBLISH', 'sup:feed', string.match(feed, '{(%x+)}'))
    has_record = true
  end
  if redis.call('HSETNX', record, 'e:' .. id, text) == 0 then return DUPLICATE end
  local class, place, kind = class_and_place(text)
  local ever_kept = redis.call('HINCRBY', record, class, 1)
  if kept then
    kept[class] = kept[class] or {}
    kept[class][id] = place
  end
  -- Below this neither a day nor the days can be too many.
  if ever_kept > math.min(KEPT_DAYS, KEPT_PER_DAY) then
    if not kept then read_kept() end
    for _, evicted in ipairs(evicted_by(kept[class], place.shelf)) do
      redis.call('HDEL', record, 'e:' .. evicted)
      kept[class][evicted] = nil
    end
    if not kept[class][id] then
      redis.call('HINCRBY', record, class, -1)
      return IGNORED
    end
  end
  redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', kind .. '|' .. class .. '|' .. id)
  return RECORDED
end

local outcomes = {}
if has_record and redis.call('HGET', record, 'erased') then
  for _ = 3, #ARGV, 2 do outcomes[#outcomes + 1] = IGNORED end
  return outcomes
end
for place = 3, #ARGV, 2 do
  local id, text = ARGV[place], ARGV[place + 1]
  if id == '' then
    outcomes[#outcomes + 1] = deliver(text)
  else
    outcomes[#outcomes + 1] = admit(id, text)
  end
end
return outcomes
