-- Set in front of the scripts that order texts as a sorted set does: by their bytes. Lua's own < on strings goes by the locale of
-- the server.
local function is_text_before(a, b)
  for place = 1, math.min(#a, #b) do
    local of_a, of_b = string.byte(a, place), string.byte(b, place)
    if of_a ~= of_b then return of_a < of_b end
  end
  return #a < #b
end
