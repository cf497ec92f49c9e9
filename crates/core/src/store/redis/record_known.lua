-- What record.lua does where there are records already.
--
-- Set in front of this file: record_crowded.lua.

local max_changes = ARGV[1]

local LEAST_KEPT = math.min(KEPT_DAYS, KEPT_PER_DAY)

local function lines_of(text)
  local lines = {}
  for line in string.gmatch(text, '[^\n]+') do lines[#lines + 1] = line end
  return lines
end

-- Tells what has changed of addresses, and perhaps removes what is old, which costs as much.
local function tell(changes, names, said, is_trimmed)
  if is_trimmed then
    redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', names, 'w', said)
  else
    redis.call('XADD', changes, '*', 'a', names, 'w', said)
  end
end

local function deliver(key, time)
  local record = read_record(key)
  if not record then return RECORDED end
  local latest = tonumber(record.said.delivered or -1)
  if record.said.erased or latest > tonumber(time) then return IGNORED end
  if latest == tonumber(time) then return DUPLICATE end
  set_field(record, 'delivered', time)
  write_record(key, record)
  return RECORDED
end

-- Records the events of a part, which has the text of a new record, where there is a text of so many fields. Says what has changed,
-- if anything has.
local function record_known(key, text, fields, part, events, said, outcomes)
  local lines = '\n' .. text
  if field_of(lines, 'erased') then
    outcomes[#outcomes + 1] = string.rep(IGNORED, events)
    return nil
  end
  -- Up to this neither a day nor the days can be too many, and what comes stands behind what is there.
  local crowded = fields + events > LEAST_KEPT and fields_of(text)
  local admit = crowded and admit_crowded(crowded)
  local as, usual, told = field_of(lines, 'as'), nil, nil
  local added, is_changed = '', false
  local function add(name, what)
    is_changed = true
    if crowded then return set_field(crowded, name, what) end
    added = added .. name .. ' ' .. what .. '\n'
  end

  local next_change = string.gmatch(said, '%S+')
  for id, what in string.gmatch(part, A_FIELD) do
    if id == 'as' then
      usual = what
    else
      local change, outcome, is_there = next_change(), DUPLICATE, nil
      -- What was there may have had to go for the one before it.
      if crowded then is_there = crowded.said[id] else is_there = string.find(lines, '\n' .. id .. ' ', 1, true) end
      if not is_there then
        local whole = usual and whole_text(what, usual) or what
        -- For two of them it would be worth nothing.
        if not as and fields > 1 then
          as = usual_of(whole)
          add('as', as)
        end
        add(id, as and text_beside(whole, as) or whole)
        outcome = admit and admit(id, whole) or RECORDED
        if outcome == RECORDED then told = told and told .. ' ' .. change or change end
      end
      outcomes[#outcomes + 1] = outcome
    end
  end
  if is_changed and crowded then write_record(key, crowded) elseif is_changed then redis.call('SET', key, text .. added) end
  return told
end

-- Records a batch of which some may have a record. Says whether any of them has not.
local function record_mixed(key, place, parts, events, is_trimmed, outcomes)
  local addresses, said = lines_of(ARGV[place]), lines_of(ARGV[place + 1])
  local texts, fields, new = {}, {}, {}
  for part = 1, parts do
    texts[part], fields[part] = read_text(KEYS[key + part + 1])
    if not texts[part] then new[#new + 1] = addresses[part] end
  end
  if #new > 0 then redis.call('XADD', KEYS[key], '*', 'a', table.concat(new, '\n')) end

  local changed, what = {}, {}
  for part = 1, parts do
    local record, text, told = KEYS[key + part + 1], ARGV[place + part + 1], said[part]
    if texts[part] then
      told = record_known(record, texts[part], fields[part], text, events, told, outcomes)
    else
      redis.call('SET', record, text)
      outcomes[#outcomes + 1] = string.rep(RECORDED, events)
    end
    if told then
      changed[#changed + 1] = addresses[part]
      what[#what + 1] = told
    end
  end
  if #changed > 0 then tell(KEYS[key + 1], table.concat(changed, '\n'), table.concat(what, '\n'), is_trimmed) end
  return #new > 0
end
