"""The cache of one process: least recently used entries make room, whatever layer they belong to."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from tamis.engine.ports.cache import CacheUsage, Layer

_ENTRY_BYTES = 300
"""What Python and the table need for an entry besides its key and value."""
_LARGEST_PART = 4
"""An entry may take a quarter of the room at most: one answer must not drive out all others."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: bytes
    until: float
    size_bytes: int


class MemoryCache:
    def __init__(self, capacity_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds that only grow."""
        self._capacity_bytes = capacity_bytes
        self._clock = clock
        self._entries: OrderedDict[tuple[Layer, bytes], _Entry] = OrderedDict()
        self._size_bytes = 0
        self._evictions = 0

    async def get(self, layer: Layer, key: bytes) -> bytes | None:
        entry = self._entries.get((layer, key))
        if entry is None:
            return None
        if entry.until <= self._clock():
            self._drop((layer, key))
            return None
        self._entries.move_to_end((layer, key))
        return entry.value

    async def put(self, layer: Layer, key: bytes, value: bytes, ttl_s: float) -> None:
        """Keep the value for at most `ttl_s`; one larger than a quarter of the capacity is not kept."""
        self._drop((layer, key))
        size_bytes = len(key) + len(value) + _ENTRY_BYTES
        if ttl_s <= 0 or size_bytes * _LARGEST_PART > self._capacity_bytes:
            return
        self._entries[layer, key] = _Entry(value, self._clock() + ttl_s, size_bytes)
        self._size_bytes += size_bytes
        while self._size_bytes > self._capacity_bytes:
            self._drop(next(iter(self._entries)))
            self._evictions += 1

    async def clear(self) -> None:
        self._entries.clear()
        self._size_bytes = 0

    async def usage(self) -> CacheUsage:
        return CacheUsage(len(self._entries), self._size_bytes, self._capacity_bytes, self._evictions)

    async def close(self) -> None:
        await self.clear()

    def _drop(self, place: tuple[Layer, bytes]) -> None:
        entry = self._entries.pop(place, None)
        if entry is not None:
            self._size_bytes -= entry.size_bytes
