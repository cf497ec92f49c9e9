-- Set in front of suppress.lua, whose keys and arguments it has: leaves an entry alone that lasts as long, or was made by the same
-- request. The rule is ManualEntry::answer_beside. In front of it: record_text.lua.
--
-- reply 1 if the address is suppressed by this entry, 2 if by the one that was there

do
  -- A tombstone suppresses already, and lasts.
  local record = read_record(KEYS[1])
  if record and record.said.erased then return 2 end
  local kept = record and record.said.manual
  if kept then
    local new = cjson.decode(ARGV[3])
    kept = cjson.decode(kept)
    -- A time that is not given is null, which is no number.
    local kept_end, new_end = tonumber(kept['until']), tonumber(new['until'])
    if new['request_id'] and new['request_id'] == kept['request_id'] then return 1 end
    if not kept_end or (new_end and new_end <= kept_end) then return 2 end
  end
end

