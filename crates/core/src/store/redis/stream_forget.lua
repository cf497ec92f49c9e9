-- Removes from a part of a stream the entries that name an address. Their bytes stay until the stream is written anew.
--
-- KEYS  1 the stream   2 the stream in which it is being written anew, if somebody does that already   3 of a feed, the record
-- ARGV  1 the address   2 the id of the entry behind which the part begins; nothing for the first part   3 most entries of a part
-- reply the id of the last entry of the part; nothing if it was the last part

local stream, renewed, record = KEYS[1], KEYS[2], KEYS[3]
local address, behind, max_entries = ARGV[1], ARGV[2], tonumber(ARGV[3])

local from = behind == '' and '-' or '(' .. behind
local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', max_entries)
for _, entry in ipairs(entries) do
  local id, fields = entry[1], entry[2]
  for place = 1, #fields, 2 do
    if fields[place] == 'a' and fields[place + 1] == address then
      redis.call('XDEL', stream, id)
      -- Otherwise whoever has begun to write it anew would bring it back.
      redis.call('XDEL', renewed, id)
    end
  end
end
if #entries == max_entries then return entries[#entries][1] end
-- What has been written anew may hold the bytes: whoever has begun begins again.
redis.call('DEL', renewed)
-- A record that has been made meanwhile has lost its entry with the others.
if record and redis.call('EXISTS', record) == 1 then
  redis.call('XADD', stream, '*', 'a', address)
  redis.pcall('PUBLISH', 'sup:feed', string.match(stream, '{(%x+)}'))
end
return ''
