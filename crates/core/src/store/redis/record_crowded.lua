-- What record.lua does where a record may hold as much of a class as is kept: it reads all that is there. The rule is that of
-- Record::admit.
--
-- Set in front of this file: is_text_before and, from the rules in Rust, KEPT_DAYS, KEPT_PER_DAY, DAY_SECONDS and
-- classes_by_category.

local RECORDED, DUPLICATE, IGNORED = 1, 2, 3

-- What an event's text says, also if it is its time alone, since all else is what is usual.
local function whole_text(text, usual)
  local time, receipt = string.match(text, '^(%d+)(|?r?)$')
  return time and time .. '|' .. usual .. receipt or text
end

-- What admits events to a record in which that is usual, one after the other. It has functions of its own: they are made where
-- they are needed, which is hardly ever.
local function admit_crowded(record, as)
  local TIME_OF_RECEIPT = 'time of receipt'
  local CLASS_OF = classes_by_category()

  -- Text of evidence to its class and to the shelf that it stands on with the time by which it is ranked there; nothing if it
  -- cannot be read: who reads the record will say so. A time of receipt, which an eighth part tells, ranks nothing.
  local function class_and_place(text)
    local parts = '^(%d+)|([^|]*)|([^|]*)|[^|]*|[^|]*|[^|]*|[^|]*(.*)$'
    local time, kind, category, rest = string.match(whole_text(text, as), parts)
    if not time then return nil end
    local class = kind == 'f' and 'complaint' or CLASS_OF[category] or 'unmapped'
    if rest == '|r' then return class, { shelf = TIME_OF_RECEIPT, time = 0 } end
    return class, { shelf = math.floor(time / DAY_SECONDS), time = tonumber(time) }
  end

  local function is_before(time, id, other_time, other_id)
    if time ~= other_time then return time < other_time end
    return is_text_before(id, other_id)
  end

  -- Places of the kept evidence, by class and name.
  local kept = {}
  local function keep(name, class, place)
    kept[class] = kept[class] or {}
    kept[class][name] = place
  end

  local fields = redis.call('HGETALL', record)
  for place = 1, #fields, 2 do
    if string.sub(fields[place], 1, 2) == 'e:' then
      local class, found = class_and_place(fields[place + 1])
      if class then keep(fields[place], class, found) end
    end
  end

  -- What is no longer kept of a class now that evidence on that shelf has come to it: names.
  local function evicted_by(of_class, new_shelf)
    local names_of, days = {}, 0
    local oldest_day, least
    for name, place in pairs(of_class) do
      local shelf = place.shelf
      if not names_of[shelf] then
        names_of[shelf] = {}
        if shelf ~= TIME_OF_RECEIPT then days = days + 1 end
      end
      table.insert(names_of[shelf], name)
      if shelf ~= TIME_OF_RECEIPT and (not oldest_day or shelf < oldest_day) then oldest_day = shelf end
      if shelf == new_shelf and (not least or is_before(place.time, name, of_class[least].time, least)) then least = name end
    end
    if #names_of[new_shelf] > KEPT_PER_DAY then return { least } end
    if #names_of[new_shelf] == 1 and new_shelf ~= TIME_OF_RECEIPT and days > KEPT_DAYS then return names_of[oldest_day] end
    return {}
  end

  return function(name, text)
    if redis.call('HSETNX', record, name, text) == 0 then return DUPLICATE end
    local class, place = class_and_place(text)
    keep(name, class, place)
    for _, evicted in ipairs(evicted_by(kept[class], place.shelf)) do
      redis.call('HDEL', record, evicted)
      kept[class][evicted] = nil
    end
    if not kept[class][name] then return IGNORED end
    redis.call('HINCRBY', record, class, 1)
    return RECORDED
  end
end
