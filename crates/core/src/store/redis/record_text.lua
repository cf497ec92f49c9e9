-- How a record lies in Redis: as a text with a line for each of its fields, the field's name, a blank and what it says. No name has
-- a blank in it, and nothing has a line feed.
--
-- Set in front of the scripts that write records.

local A_FIELD = '([^ \n]+) ([^\n]*)\n'

-- The text of a record and how many fields it has; nothing if there is none. What is none of ours is refused here, where nothing is
-- written yet.
local function read_text(key)
  local text = redis.call('GET', key)
  if not text then return nil end
  local rest, fields = string.gsub(text, A_FIELD, '')
  if rest ~= '' or fields == 0 then error(redis.error_reply('LAYOUT the record is none of this layout')) end
  return text, fields
end

-- What a field says of a text with a line feed in front of it; nothing if it is not there. To look for words costs far less than to
-- look for a pattern.
local function field_of(text, name)
  local before, behind = string.find(text, '\n' .. name .. ' ', 1, true)
  return before and string.sub(text, behind + 1, string.find(text, '\n', behind, true) - 1)
end

-- The fields of a text: what each of them says, and their names in the order of the lines.
local function fields_of(text)
  local said, names = {}, {}
  for name, what in string.gmatch(text, A_FIELD) do
    said[name] = what
    names[#names + 1] = name
  end
  return { said = said, names = names }
end

-- A record by its fields; nothing if there is none.
local function read_record(key)
  local text = read_text(key)
  return text and fields_of(text)
end

local function set_field(record, name, what)
  if not record.said[name] then record.names[#record.names + 1] = name end
  record.said[name] = what
end

local function remove_field(record, name)
  if not record.said[name] then return end
  record.said[name] = nil
  for place, of_line in ipairs(record.names) do
    if of_line == name then return table.remove(record.names, place) end
  end
end

local function write_record(key, record)
  local lines = {}
  for place, name in ipairs(record.names) do lines[place] = name .. ' ' .. record.said[name] .. '\n' end
  redis.call('SET', key, table.concat(lines))
end
