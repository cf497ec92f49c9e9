-- What record.lua does where there are records already.
--
-- Set in front of this file: record_crowded.lua.

local max_changes = ARGV[1]

-- How many arguments a part has that is a delivery.
local DELIVERY = 1

local LEAST_KEPT = math.min(KEPT_DAYS, KEPT_PER_DAY)

local function lines_of(text)
  local lines = {}
  for line in string.gmatch(text, '[^\n]+') do lines[#lines + 1] = line end
  return lines
end

-- Tells what has changed of addresses. To remove what is old costs as much as to tell, so it is done where an identity ends so: one
-- in sixteen does, and whatever the rhythm of events is, no bucket is left out.
local function tell(changes, names, said)
  if string.sub(said, -1) == '8' then
    redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', names, 'w', said)
  else
    redis.call('XADD', changes, '*', 'a', names, 'w', said)
  end
end

local function deliver(record, time)
  if redis.call('EXISTS', record) == 0 then return RECORDED end
  local found = redis.call('HMGET', record, 'erased', 'delivered')
  local latest = tonumber(found[2] or -1)
  if found[1] or latest > tonumber(time) then return IGNORED end
  if latest == tonumber(time) then return DUPLICATE end
  redis.call('HSET', record, 'delivered', time)
  return RECORDED
end

-- Records the events of a part, of which a record has so many fields already. Says what has changed, if anything has.
local function record_known(record, fields, first, behind, said, outcomes)
  local usual
  if ARGV[first] == 'as' then usual, first = ARGV[first + 1], first + 2 end
  local asked = { 'erased', 'as' }
  for at = first, behind - 1, 2 do asked[#asked + 1] = ARGV[at] end
  local events = #asked - 2
  local found = redis.call('HMGET', record, unpack(asked))
  if found[1] then
    outcomes[#outcomes + 1] = string.rep(IGNORED, events)
    return nil
  end

  local as = found[2]
  -- Below this neither a day nor the days can be too many.
  local admit = fields + events > LEAST_KEPT and admit_crowded(record)
  local writes, told, event = {}, {}, 0
  for change in string.gmatch(said, '%S+') do
    event = event + 1
    local id, text = ARGV[first + 2 * event - 2], ARGV[first + 2 * event - 1]
    local outcome = DUPLICATE
    -- What was there may have had to go for the one before it.
    if admit or not found[2 + event] then
      local whole = usual and whole_text(text, usual) or text
      -- For two of them it would be worth nothing.
      if not as and fields > 1 then
        as = usual_of(whole)
        redis.call('HSET', record, 'as', as)
      end
      text = as and text_beside(whole, as) or whole
      if admit then
        outcome = admit(id, text, whole)
      else
        outcome = RECORDED
        writes[#writes + 1] = id
        writes[#writes + 1] = text
      end
    end
    if outcome == RECORDED then told[#told + 1] = change end
    outcomes[#outcomes + 1] = outcome
  end
  if #writes > 0 then redis.call('HSET', record, unpack(writes)) end
  return #told > 0 and table.concat(told, ' ')
end

-- Records a batch of which some have a record. Says whether any of them has not.
local function record_mixed(feed, changes, first_key, parts, names, width, events, outcomes)
  local addresses, said, first = lines_of(ARGV[names]), lines_of(ARGV[names + 1]), names + 2
  local fields, new = {}, {}
  for part = 1, parts do
    -- What is none of ours is refused here, when nothing is written yet.
    fields[part] = redis.call('HLEN', KEYS[first_key + part - 1])
    if fields[part] == 0 then
      new[#new + 1] = addresses[part]
    else
      local as = redis.call('HGET', KEYS[first_key + part - 1], 'as')
      if as and not string.find(as, '^%u') then error(redis.error_reply('LAYOUT the record is of an earlier one')) end
    end
  end
  if #new > 0 then redis.call('XADD', feed, '*', 'a', table.concat(new, '\n')) end

  local changed, what = {}, {}
  for part = 1, parts do
    local record, behind = KEYS[first_key + part - 1], first + width
    local told = said[part]
    if fields[part] == 0 then
      redis.call('HSET', record, unpack(ARGV, first, behind - 1))
      outcomes[#outcomes + 1] = string.rep(RECORDED, events)
    else
      told = record_known(record, fields[part], first, behind, told, outcomes)
    end
    if told then
      changed[#changed + 1] = addresses[part]
      what[#what + 1] = told
    end
    first = behind
  end
  if #changed > 0 then tell(changes, table.concat(changed, '\n'), table.concat(what, '\n')) end
  return #new > 0
end
