-- What record.lua does where a record may hold as much of a class as is kept: it reads all that is there. The rule is that of
-- Record::admit.
--
-- Set in front of this file: is_text_before, record_text.lua and, from the rules in Rust, KEPT_DAYS, KEPT_PER_DAY, DAY_SECONDS,
-- ID_BYTES and classes_by_category.

local RECORDED, DUPLICATE, IGNORED = 'r', 'd', 'i'

-- What an event's text says, also if it is its time alone, since all else is what is usual.
local function whole_text(text, usual)
  local time, receipt = string.match(text, '^([%l%d]+)(|?r?)$')
  return time and time .. usual .. receipt or text
end

-- What a whole text says beside its time.
local function usual_of(whole)
  local what = string.match(whole, '^[%l%d]+(.*)$')
  return string.sub(what, -2) == '|r' and string.sub(what, 1, -3) or what
end

-- The text of which that is no part that is usual.
local function text_beside(whole, usual)
  local time, what = string.match(whole, '^([%l%d]+)(.*)$')
  if what == usual then return time end
  if what == usual .. '|r' then return time .. '|r' end
  return whole
end

-- What admits events to a record, one after the other, when they have come to it. It has functions of its own: they are made where
-- they are needed, which is hardly ever.
local function admit_crowded(record)
  local TIME_OF_RECEIPT = 'time of receipt'
  local CLASS_OF = classes_by_category()

  -- Whole text of evidence to its class and to the shelf that it stands on with the time by which it is ranked there; nothing if
  -- it cannot be read: who reads the record will say so. A time of receipt, which a part behind the others tells, ranks nothing.
  local function class_and_place(whole)
    local parts = '^([%l%d]+)(%u)([^|]*)|[^|]*|[^|]*|[^|]*|[^|]*(.*)$'
    local time, kind, category, rest = string.match(whole, parts)
    if not time then return nil end
    time = tonumber(time, 36)
    local class = kind == 'F' and 'complaint' or CLASS_OF[category] or 'unmapped'
    if rest == '|r' then return class, { shelf = TIME_OF_RECEIPT, time = 0 } end
    return class, { shelf = math.floor(time / DAY_SECONDS), time = time }
  end

  local function is_before(time, id, other_time, other_id)
    if time ~= other_time then return time < other_time end
    return is_text_before(id, other_id)
  end

  -- Places of the kept evidence, by class and identity.
  local kept = {}
  local function keep(id, class, place)
    kept[class] = kept[class] or {}
    kept[class][id] = place
  end

  local as = record.said.as or ''
  for _, name in ipairs(record.names) do
    if #name == ID_BYTES then
      local class, found = class_and_place(whole_text(record.said[name], as))
      if class then keep(name, class, found) end
    end
  end

  -- What is no longer kept of a class now that evidence on that shelf has come to it: identities.
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

  -- Judges what has just come to the record.
  return function(id, whole)
    local class, place = class_and_place(whole)
    keep(id, class, place)
    for _, evicted in ipairs(evicted_by(kept[class], place.shelf)) do
      remove_field(record, evicted)
      kept[class][evicted] = nil
      -- It was kept once, and stays counted.
      if evicted ~= id then set_field(record, class, string.format('%.0f', (record.said[class] or 0) + 1)) end
    end
    return kept[class][id] and RECORDED or IGNORED
  end
end
