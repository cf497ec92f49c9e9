-- One letter, head and content at one moment.
--
-- KEYS  1 heads (hash)   2 content (hash)
-- ARGV  1 id
-- reply head, content

return { redis.call('HGET', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[2], ARGV[1]) }
