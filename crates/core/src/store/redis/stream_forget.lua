-- Removes from a part of a stream of changes the entries that name an address, with whatever they tell of others: whoever follows
-- comes to an entry without a name, and begins anew. Their bytes stay until the stream is written anew.
--
-- KEYS  1 the stream   2 the stream in which it is being written anew, if somebody does that already
-- ARGV  1 the address   2 the id of the entry behind which the part begins; nothing for the first part   3 most entries of a part
-- reply the id of the last entry of the part; nothing if it was the last part

local stream, renewed = KEYS[1], KEYS[2]
local line, behind, max_entries = '\n' .. ARGV[1] .. '\n', ARGV[2], tonumber(ARGV[3])

local has_removed = false
local from = behind == '' and '-' or '(' .. behind
local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', max_entries)
for _, entry in ipairs(entries) do
  local id, fields = entry[1], entry[2]
  for place = 1, #fields, 2 do
    if fields[place] == 'a' and string.find('\n' .. fields[place + 1] .. '\n', line, 1, true) then
      redis.call('XDEL', stream, id)
      -- Otherwise whoever has begun to write it anew would bring it back.
      redis.call('XDEL', renewed, id)
      has_removed = true
    end
  end
end
if has_removed then redis.call('XADD', stream, '*', 'w', 'erase') end
if #entries == max_entries then return entries[#entries][1] end
-- What has been written anew may hold the bytes: whoever has begun begins again.
redis.call('DEL', renewed)
return ''
