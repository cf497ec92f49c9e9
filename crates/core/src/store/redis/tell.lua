-- Tells in the feed of one bucket of whole domains that are about to have a record.
--
-- KEYS  1 the feed of a bucket (stream)
-- ARGV  the whole domains

for _, domain in ipairs(ARGV) do
  redis.call('XADD', KEYS[1], '*', 'a', domain)
end
return 1
