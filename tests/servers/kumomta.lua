-- Stands in for KumoMTA: has the functions that its reference describes and the recipe calls, and no others.
--
-- kumomta.lua POLICY RECIPIENT...: offers each recipient by SMTP and by HTTP, and writes down how it is answered.

local function strict(name, members)
  return setmetatable(members, {
    __index = function(_, member)
      error(name .. ' has no ' .. tostring(member), 2)
    end,
  })
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read 'a'
  assert(pipe:close(), 'it failed')
  return text
end

local function response(status, body)
  return strict('Response', {
    status_code = function()
      return status
    end,
    text = function()
      return body
    end,
  })
end

local function request(url, seconds)
  local headers = ''
  return strict('Request', {
    bearer_auth = function(_, token)
      assert(type(token) == 'string', 'a token is a string')
      headers = ' --header ' .. quoted('Authorization: Bearer ' .. token)
    end,
    send = function()
      local command = 'curl --disable --silent --globoff --path-as-is --max-time ' .. seconds .. headers
      local text = output(command .. " --write-out '\\n%{http_code}' " .. quoted(url))
      local body, status = text:match '^(.*)\n(%d+)$'
      return response(tonumber(status), body)
    end,
  })
end

-- JSON, turned into a table of Lua by Python.
local AS_LUA = [[
import json, sys
write = {bool: lambda v: str(v).lower(), str: json.dumps, int: str, float: str}
values = json.load(sys.stdin).items()
print("return {" + ",".join(f"[{json.dumps(k)}]={write[type(v)](v)}" for k, v in values) + "}")
]]

local handlers = {}

local kumo = strict('kumo', {
  on = function(event, handler)
    handlers[event] = handler
  end,
  reject = function(code, text)
    error { code = code, text = text }
  end,
  log_error = function(text)
    print('log: ' .. text)
  end,
  http = strict('kumo.http', {
    build_client = function(parameters)
      local seconds = parameters.timeout:match '^(%d+) seconds$'
      return strict('Client', {
        get = function(_, url)
          return request(url, seconds)
        end,
      })
    end,
  }),
  serde = strict('kumo.serde', {
    json_parse = function(text)
      return load(output('printf %s ' .. quoted(text) .. ' | python3 -c ' .. quoted(AS_LUA)))()
    end,
  }),
})
package.preload.kumo = function()
  return kumo
end

local function offer(event, subject)
  local is_taken, refused = pcall(handlers[event], subject)
  if is_taken then
    return '250'
  end
  -- Any other error is a fault of the policy.
  return refused.code .. ' ' .. refused.text
end

dofile(arg[1])
for number = 2, #arg do
  local user, domain = arg[number]:match '^(.*)@(.*)$'
  local recipient = strict('EnvelopeAddress', { email = arg[number], user = user or arg[number], domain = domain or '' })
  print(arg[number] .. ' by SMTP: ' .. offer('smtp_server_rcpt_to', recipient))
  local message = strict('Message', {
    recipient = function()
      return recipient
    end,
  })
  print(arg[number] .. ' by HTTP: ' .. offer('http_message_generated', message))
end
