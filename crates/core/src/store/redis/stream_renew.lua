-- Writes a part of a stream anew, without the bytes of the entries that were removed from it, and without the names that are to be
-- left out. Behind the last part the new one takes the place of the old one, with the same ids: who follows the stream notices
-- nothing.
--
-- KEYS  1 the stream   2 the stream in which it is being written anew   3 of a feed, the names that are left out (fields of a hash)
-- ARGV  1 most entries of a part   2 of a feed, how the keys of records of its bucket begin
-- reply 1 if that was the last part, else 0

local stream, renewed, left_out = KEYS[1], KEYS[2], KEYS[3]
local max_entries, records = tonumber(ARGV[1]), ARGV[2]

local names = left_out and redis.call('HKEYS', left_out) or {}

-- Who has a record: it was made meanwhile, and its name goes with the others. Looked for first: where the slot is on its way to
-- another server the look may fail, and nothing is written then.
local made_again = {}
for _, name in ipairs(names) do
  if redis.call('EXISTS', records .. name) == 1 then made_again[#made_again + 1] = name end
end

-- Tells of them again.
local function finish()
  for _, name in ipairs(made_again) do
    redis.call('XADD', stream, '*', 'a', name)
    redis.pcall('PUBLISH', 'sup:feed', string.match(stream, '{(%x+)}'))
  end
  if left_out then redis.call('DEL', left_out) end
  return 1
end

-- Names without those that are left out, whose lines stay and are empty: a listing counts lines. Nothing if all are.
local function without(lines)
  for _, name in ipairs(names) do
    if string.find(lines, name, 1, true) then
      local kept, has_kept = {}, false
      for line in string.gmatch(lines .. '\n', '([^\n]*)\n') do
        if line == name then line = '' end
        kept[#kept + 1] = line
        has_kept = has_kept or line ~= ''
      end
      if not has_kept then return nil end
      lines = table.concat(kept, '\n')
    end
  end
  return lines
end

if redis.call('EXISTS', stream) == 0 then
  redis.call('DEL', renewed)
  return finish()
end

local function info_of(key)
  local info, told = {}, redis.call('XINFO', 'STREAM', key)
  for place = 1, #told, 2 do info[told[place]] = told[place + 1] end
  return info
end

-- Goes on behind an id at which nothing is left.
local function pass(id)
  redis.call('XADD', renewed, id, 'a', '')
  redis.call('XDEL', renewed, id)
end

local from = redis.call('EXISTS', renewed) == 1 and '(' .. info_of(renewed)['last-generated-id'] or '-'
local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', max_entries)
for place, entry in ipairs(entries) do
  local id, fields, is_kept = entry[1], entry[2], true
  if #names > 0 and fields[1] == 'a' then
    fields[2] = without(fields[2])
    is_kept = fields[2] ~= nil
  end
  if is_kept then
    redis.call('XADD', renewed, id, unpack(fields))
  elseif place == #entries then
    pass(id)
  end
end
if #entries == max_entries then return 0 end

local info = info_of(stream)
local latest = info['last-generated-id']
if redis.call('EXISTS', renewed) == 0 then
  if latest == '0-0' then return finish() end
  -- An empty stream that goes on where the old one ended.
  pass(latest)
end
redis.call('XSETID', renewed, latest, 'ENTRIESADDED', info['entries-added'], 'MAXDELETEDID', info['max-deleted-entry-id'])
redis.call('RENAME', renewed, stream)
return finish()
