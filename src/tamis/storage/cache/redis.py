"""A cache that several servers share, in Redis: bounded there by bytes and time, empty where it is away."""

from typing import Any

from tamis.engine.ports.cache import CacheUsage, Layer
from tamis.storage.redis_link import RedisAwayError, RedisLink

_ENTRY_BYTES = 500
"""What Redis needs for an entry besides its key and value: its names in three tables."""
_LARGEST_PART = 4
"""An entry may take a quarter of the room at most: one answer must not drive out all others."""
_AT_ONCE = 1000

# Redis may take any of them away to make room: what is left then ends with its time, and nothing is made without one.
# KEYS: order of use, end of time (ms), size of each entry; sums. The entries themselves are at ARGV[1] .. name.
_DROP = """
local used, ends, sizes, sums, entries = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
local function drop(name)
  local size = redis.call('HGET', sizes, name)
  redis.call('ZREM', used, name)
  redis.call('ZREM', ends, name)
  if size then
    redis.call('HDEL', sizes, name)
    if redis.call('EXISTS', sums) == 1 then redis.call('HINCRBY', sums, 'bytes', -size) end
  end
  redis.call('UNLINK', entries .. name)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function drop_ended()
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do drop(name) end
end
"""
_GET = """
local value = redis.call('GET', ARGV[1] .. ARGV[2])
if not value then return false end
if redis.call('ZSCORE', KEYS[1], ARGV[2]) and redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('ZADD', KEYS[1], redis.call('HINCRBY', KEYS[4], 'turn', 1), ARGV[2])
end
return value
"""
# ARGV: name, value, time in ms, size, capacity. The tables stay for as long as the last of what they tell of.
_PUT = (
    _DROP
    + """
local name, ttl_ms, size, capacity = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
drop_ended()
drop(name)
if ttl_ms <= 0 then return 0 end
redis.call('SET', entries .. name, ARGV[3], 'PX', ttl_ms)
redis.call('ZADD', used, redis.call('HINCRBY', sums, 'turn', 1), name)
redis.call('ZADD', ends, now + ttl_ms, name)
redis.call('HSET', sizes, name, size)
redis.call('HINCRBY', sums, 'bytes', size)
while tonumber(redis.call('HGET', sums, 'bytes') or 0) > capacity do
  local oldest = redis.call('ZRANGE', used, 0, 0)[1]
  if not oldest then
    redis.call('HSET', sums, 'bytes', 0)
    break
  end
  drop(oldest)
  redis.call('HINCRBY', sums, 'evictions', 1)
end
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < ttl_ms then redis.call('PEXPIRE', key, ttl_ms) end
end
return 1
"""
)
_USAGE = (
    _DROP
    + """
drop_ended()
return {redis.call('HLEN', sizes), tonumber(redis.call('HGET', sums, 'bytes') or 0),
  tonumber(redis.call('HGET', sums, 'evictions') or 0)}
"""
)
_CLEAR = (
    _DROP
    + """
local names = redis.call('ZRANGE', used, 0, tonumber(ARGV[2]) - 1)
for _, name in ipairs(names) do drop(name) end
return #names
"""
)


class RedisCache:
    def __init__(self, link: RedisLink, capacity_bytes: int, version: str = "") -> None:
        """version: of whatever entries follow from that no key knows; entries of another are never found."""
        self._link = link
        self._capacity_bytes = capacity_bytes
        self._entries = f"{link.prefix}cache:"
        self._version = version.encode()
        self._tables = [f"{link.prefix}cache-{table}" for table in ("used", "ends", "sizes", "sums")]
        self._get, self._put, self._usage, self._clear = (
            link.client.register_script(script) for script in (_GET, _PUT, _USAGE, _CLEAR)
        )

    async def get(self, layer: Layer, key: bytes) -> bytes | None:
        try:
            found: bytes | None = await self._run(self._get, self._name(layer, key))
        except RedisAwayError:
            return None
        return found

    async def put(self, layer: Layer, key: bytes, value: bytes, ttl_s: float) -> None:
        """Keep the value for at most `ttl_s`; one larger than a quarter of the capacity is not kept."""
        name = self._name(layer, key)
        size_bytes = len(name) + len(value) + _ENTRY_BYTES
        is_kept = size_bytes * _LARGEST_PART <= self._capacity_bytes
        ttl_ms = round(ttl_s * 1000) if is_kept else 0
        try:
            await self._run(self._put, name, value if ttl_ms else b"", ttl_ms, size_bytes, self._capacity_bytes)
        except RedisAwayError:
            return

    async def clear(self) -> None:
        try:
            while await self._run(self._clear, _AT_ONCE):
                pass
        except RedisAwayError:
            return

    async def usage(self) -> CacheUsage:
        """Of all servers together."""
        try:
            entries, size_bytes, evictions = await self._run(self._usage)
        except RedisAwayError:
            return CacheUsage(0, 0, self._capacity_bytes)
        return CacheUsage(entries, size_bytes, self._capacity_bytes, evictions)

    async def close(self) -> None:
        """The entries stay for others."""

    async def _run(self, script: Any, *arguments: Any) -> Any:
        return await self._link.ask(lambda client: script(self._tables, [self._entries, *arguments], client))

    def _name(self, layer: Layer, key: bytes) -> bytes:
        return b":".join((self._version, layer.value.encode(), key))
