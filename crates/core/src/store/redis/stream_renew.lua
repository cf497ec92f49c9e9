-- Writes a part of a stream anew, without the bytes of the entries that were removed from it. Behind the last part the new one
-- takes the place of the old one, with the same ids: who follows the stream notices nothing.
--
-- KEYS  1 the stream   2 the stream in which it is being written anew
-- ARGV  1 most entries of a part
-- reply 1 if that was the last part, else 0

local stream, renewed = KEYS[1], KEYS[2]
local max_entries = tonumber(ARGV[1])

if redis.call('EXISTS', stream) == 0 then
  redis.call('DEL', renewed)
  return 1
end

local last = redis.call('XREVRANGE', renewed, '+', '-', 'COUNT', 1)[1]
local from = last and '(' .. last[1] or '-'
local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', max_entries)
for _, entry in ipairs(entries) do
  redis.call('XADD', renewed, entry[1], unpack(entry[2]))
end
if #entries == max_entries then return 0 end

local info = {}
local told = redis.call('XINFO', 'STREAM', stream)
for place = 1, #told, 2 do info[told[place]] = told[place + 1] end
local latest = info['last-generated-id']
if redis.call('EXISTS', renewed) == 0 then
  if latest == '0-0' then return 1 end
  -- An empty stream that goes on where the old one ended.
  redis.call('XADD', renewed, latest, 'a', '')
  redis.call('XDEL', renewed, latest)
end
redis.call('XSETID', renewed, latest, 'ENTRIESADDED', info['entries-added'], 'MAXDELETEDID', info['max-deleted-entry-id'])
redis.call('RENAME', renewed, stream)
return 1
