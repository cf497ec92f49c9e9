-- What record.lua does with a record that is there.
--
-- Set in front of this file: record_crowded.lua.

local max_changes = ARGV[1]

-- Tells what has changed of an address. To remove what is old costs as much as to tell, so it is done where an identity ends so:
-- one in sixteen does, and whatever the rhythm of its events is, no bucket is left out.
local function tell(changes, address, said)
  if string.sub(said, -1) == '8' then
    redis.call('XADD', changes, 'MAXLEN', '~', max_changes, '*', 'a', address, 'w', said)
  else
    redis.call('XADD', changes, '*', 'a', address, 'w', said)
  end
end

local function deliver(record, time)
  local found = redis.call('HMGET', record, 'erased', 'delivered')
  local latest = tonumber(found[2] or -1)
  if found[1] or latest > tonumber(time) then return IGNORED end
  if latest == tonumber(time) then return DUPLICATE end
  redis.call('HSET', record, 'delivered', time)
  return RECORDED
end

-- Records the events of a part that begins at one argument, and its fields at another one.
local function record_known(changes, record, part, first_field, behind, outcomes)
  local events, address, usual = tonumber(ARGV[part]), ARGV[part + 2], ARGV[part + 4]
  local first_class = first_field + 2 * events
  local asked = { 'erased', 'as' }
  for at = first_field, behind - 1, 2 do asked[#asked + 1] = ARGV[at] end
  local found = redis.call('HMGET', record, unpack(asked))
  if found[1] then
    for _ = 1, events do outcomes[#outcomes + 1] = IGNORED end
    return
  end

  local as = found[2] or usual
  local writes, told = found[2] and {} or { 'as', as }, {}
  local before, added, is_crowded = {}, {}, false
  for at = first_class, behind - 1, 2 do
    local class = ARGV[at]
    before[class] = tonumber(found[3 + events + (at - first_class) / 2] or 0)
    -- Below this neither a day nor the days can be too many.
    is_crowded = is_crowded or before[class] + ARGV[at + 1] > math.min(KEPT_DAYS, KEPT_PER_DAY)
  end
  if is_crowded and #writes > 0 then redis.call('HSET', record, unpack(writes)) end
  local admit = is_crowded and admit_crowded(record, as)

  local event = 0
  for change in string.gmatch(ARGV[part + 3], '%S+') do
    event = event + 1
    local field, text = ARGV[first_field + 2 * event - 2], ARGV[first_field + 2 * event - 1]
    local outcome = found[2 + event] and DUPLICATE or RECORDED
    if as ~= usual then text = whole_text(text, usual) end
    if admit then
      outcome = admit(field, text)
    elseif outcome == RECORDED then
      local class = string.match(change, '|(%l+)|')
      added[class] = (added[class] or 0) + 1
      writes[#writes + 1] = field
      writes[#writes + 1] = text
    end
    if outcome == RECORDED then told[#told + 1] = change end
    outcomes[#outcomes + 1] = outcome
  end

  for class, count in pairs(added) do
    writes[#writes + 1] = class
    writes[#writes + 1] = string.format('%d', before[class] + count)
  end
  if next(added) then redis.call('HSET', record, unpack(writes)) end
  if #told > 0 then tell(changes, address, table.concat(told, ' ')) end
end
