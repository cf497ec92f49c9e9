-- Adds to the counts of a domain. What is too old is removed whenever a stretch of time begins.
--
-- KEYS  1 the counts (hash)
-- ARGV  1 the oldest stretch of time that is kept   2 for how many seconds the counts stay if nothing is added
--       3 1 if they are asked for   then three for each stretch of time: its number, its HARD answers, all its answers
-- reply field, count, field, count, ... if they are asked for; some may be too old

local counts = KEYS[1]
local oldest, stay, is_asked = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1'

local begins = false
for place = 4, #ARGV, 3 do
  local slot, hard, all = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  if not redis.call('HGET', counts, 'all:' .. slot) then begins = true end
  redis.call('HINCRBY', counts, 'hard:' .. slot, hard)
  redis.call('HINCRBY', counts, 'all:' .. slot, all)
end
redis.call('EXPIRE', counts, stay)
if begins then
  for _, field in ipairs(redis.call('HKEYS', counts)) do
    local slot = string.match(field, '^%a+:(%d+)$')
    if slot and tonumber(slot) < oldest then redis.call('HDEL', counts, field) end
  end
end
return is_asked and redis.call('HGETALL', counts) or {}
