-- Heads of letters by time and id, from behind a place.
--
-- KEYS  1 heads (hash)   2 by time (sorted set)
-- ARGV  1 most heads   then, if not from the start: 2 the time and 3 the id behind which it goes on
-- reply id, head, id, head, ...
--
-- Set in front of this file: is_text_before.

local heads, by_time = KEYS[1], KEYS[2]
local limit, time, id = tonumber(ARGV[1]), ARGV[2], ARGV[3]

-- The letter at that place may be gone, and many may have its time: the first one behind it is found by halving.
local first = 0
if time then
  first = redis.call('ZCOUNT', by_time, '-inf', '(' .. time)
  local behind = redis.call('ZCOUNT', by_time, '-inf', time)
  while first < behind do
    local middle = math.floor((first + behind) / 2)
    if is_text_before(id, redis.call('ZRANGE', by_time, middle, middle)[1]) then
      behind = middle
    else
      first = middle + 1
    end
  end
end

local page = {}
for _, found in ipairs(redis.call('ZRANGE', by_time, first, first + limit - 1)) do
  page[#page + 1] = found
  page[#page + 1] = redis.call('HGET', heads, found)
end
return page
