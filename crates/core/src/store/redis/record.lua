-- Records events of one address, in their order. Atomic; knows no policy: it tells events apart, keeps and counts.
--
-- KEYS  1 the record (hash)   2 the feed of its bucket (stream)   3 the changes of its bucket (stream)
-- ARGV  1 the address   2 most entries of the changes   then two for each event:
--       its id and the text that is kept of it; of a delivery, an empty id and its time
-- reply for each event 1 recorded, 2 duplicate, 3 ignored
--
-- Set in front of this file, from the rules in Rust: KEPT_DAYS, KEPT_PER_DAY, DAY_SECONDS, CLASS_OF (of a category).

local RECORDED, DUPLICATE, IGNORED = 1, 2, 3
local record, feed, changes = KEYS[1], KEYS[2], KEYS[3]
local address, max_changes = ARGV[1], ARGV[2]

local has_record = redis.call('EXISTS', record) == 1

-- Text of evidence to its time and class; nothing if it cannot be read: who reads the record will say so.
local function time_and_class(text)
  local time, kind, category = string.match(text, '^(%d+)|([^|]*)|([^|]*)|')
  if not time then return nil end
  if kind == 'f' then return tonumber(time), 'complaint' end
  return tonumber(time), CLASS_OF[category] or 'unmapped'
end

local function day_of(time)
  return math.floor(time / DAY_SECONDS)
end

-- Lua's own < on strings goes by the locale of the server.
local function is_text_before(a, b)
  for place = 1, math.min(#a, #b) do
    local of_a, of_b = string.byte(a, place), string.byte(b, place)
    if of_a ~= of_b then return of_a < of_b end
  end
  return #a < #b
end

local function is_before(time, id, other_time, other_id)
  if time ~= other_time then return time < other_time end
  return is_text_before(id, other_id)
end

-- Times of the kept evidence, by class and id. Read when first needed: most records stay below every bound.
local kept

local function read_kept()
  kept = {}
  local fields = redis.call('HGETALL', record)
  for place = 1, #fields, 2 do
    if string.sub(fields[place], 1, 2) == 'e:' then
      local time, class = time_and_class(fields[place + 1])
      if time then
        kept[class] = kept[class] or {}
        kept[class][string.sub(fields[place], 3)] = time
      end
    end
  end
end

-- What is no longer kept of a class now that evidence of that time has come to it: ids.
local function evicted_by(of_class, time)
  local day = day_of(time)
  local ids_of_day, days = {}, 0
  local oldest_day, oldest_of_day
  for id, kept_time in pairs(of_class) do
    local kept_day = day_of(kept_time)
    if not ids_of_day[kept_day] then
      ids_of_day[kept_day] = {}
      days = days + 1
    end
    table.insert(ids_of_day[kept_day], id)
    if not oldest_day or kept_day < oldest_day then oldest_day = kept_day end
    if kept_day == day and (not oldest_of_day or is_before(kept_time, id, of_class[oldest_of_day], oldest_of_day)) then
      oldest_of_day = id
    end
  end
  if #ids_of_day[day] > KEPT_PER_DAY then return { oldest_of_day } end
  if #ids_of_day[day] == 1 and days > KEPT_DAYS then return ids_of_day[oldest_day] end
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
    has_record = true
  end
  if redis.call('HSETNX', record, 'e:' .. id, text) == 0 then return DUPLICATE end
  local time, class = time_and_class(text)
  local ever_kept = redis.call('HINCRBY', record, class, 1)
  if kept then
    kept[class] = kept[class] or {}
    kept[class][id] = time
  end
  -- Below this neither a day nor the days can be too many.
  if ever_kept > math.min(KEPT_DAYS, KEPT_PER_DAY) then
    if not kept then read_kept() end
    for _, evicted in ipairs(evicted_by(kept[class], time)) do
      redis.call('HDEL', record, 'e:' .. evicted)
      kept[class][evicted] = nil
    end
    if not kept[class][id] then
      redis.call('HINCRBY', record, class, -1)
      return IGNORED
    end
  end
  redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', 'event', 'e', id)
  return RECORDED
end

local outcomes = {}
for place = 3, #ARGV, 2 do
  local id, text = ARGV[place], ARGV[place + 1]
  if id == '' then
    outcomes[#outcomes + 1] = deliver(text)
  else
    outcomes[#outcomes + 1] = admit(id, text)
  end
end
return outcomes
