"""Caches: bytes by key, bounded, and free to forget. Whether an entry may be trusted is said by its key alone."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Layer(StrEnum):
    """What an entry holds: a whole answer, one stage's outcome, one text's embedding."""

    ANSWER = "answer"
    STAGE = "stage"
    INFERENCE = "inference"


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """size_bytes: of all keys and values, with what holding them costs.  evictions: entries that had to make room."""

    entries: int
    size_bytes: int
    capacity_bytes: int
    evictions: int = 0


class Cache(Protocol):
    """Shared by all layers of a server, or by several servers.

    It may lose any entry at any time and never fails: where a backend is away, nothing is found and nothing kept.
    """

    async def get(self, layer: Layer, key: bytes) -> bytes | None: ...
    async def put(self, layer: Layer, key: bytes, value: bytes, ttl_s: float) -> None:
        """Keep the value for at most `ttl_s`; one that is too large for the cache is not kept."""
        ...

    async def clear(self) -> None: ...
    async def usage(self) -> CacheUsage: ...
    async def close(self) -> None: ...


class CacheObserver(Protocol):
    """Who counts: told of every look-up, on the event loop."""

    def looked_up(self, layer: Layer, hit: bool) -> None: ...


class NoObserver:
    """The observer of who does not care."""

    def looked_up(self, layer: Layer, hit: bool) -> None: ...


class CacheCounts:
    """Hits and misses of each layer since the start."""

    def __init__(self) -> None:
        self.hits = dict.fromkeys(Layer, 0)
        self.misses = dict.fromkeys(Layer, 0)

    def looked_up(self, layer: Layer, hit: bool) -> None:
        counted = self.hits if hit else self.misses
        counted[layer] += 1
