"""The cache of one process."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.ports.cache import Cache, Layer
from tamis.storage.cache import MemoryCache
from tamis.testing.cache_contract import CAPACITY_BYTES, CacheContract


class TestMemoryCache(CacheContract):
    @pytest.fixture
    async def cache(self) -> AsyncIterator[Cache]:
        cache = MemoryCache(CAPACITY_BYTES)
        yield cache
        await cache.close()


async def test_the_least_recently_used_makes_room() -> None:
    cache = MemoryCache(6000)
    for key in (b"a", b"b", b"c", b"d"):
        await cache.put(Layer.STAGE, key, bytes(1000), 60)
    assert await cache.get(Layer.STAGE, b"a") is not None
    await cache.put(Layer.ANSWER, b"e", bytes(1000), 60)
    assert await cache.get(Layer.STAGE, b"a") is not None
    assert await cache.get(Layer.STAGE, b"b") is None
    assert (await cache.usage()).evictions == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 400), st.sampled_from([0, 5, 60]), st.integers(0, 20))))
async def test_the_sizes_add_up_whatever_is_put_and_passes(steps: list[tuple[int, int, int, int]]) -> None:
    now = 0.0
    cache = MemoryCache(3000, lambda: now)
    kept: dict[bytes, tuple[bytes, float]] = {}
    for number, size_bytes, ttl_s, passes_s in steps:
        now += passes_s
        key, value = b"%d" % number, bytes([number]) * size_bytes
        await cache.put(Layer.STAGE, key, value, ttl_s)
        kept[key] = (value, now + ttl_s)
        assert (await cache.usage()).size_bytes <= 3000
    for key, (value, until) in kept.items():
        assert await cache.get(Layer.STAGE, key) in ((None, value) if now < until else (None,))
    await cache.clear()
    assert (await cache.usage()).size_bytes == 0
