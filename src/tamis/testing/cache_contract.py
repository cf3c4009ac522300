"""What every implementation of the `Cache` port must do, as tests that a backend inherits:

class TestMine(CacheContract):
    @pytest.fixture
    async def cache(self) -> AsyncIterator[Cache]:
        ...  # an empty one of `CAPACITY_BYTES`
"""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
from typing import Any

import pytest

from tamis.engine.ports.cache import Cache, Layer

CAPACITY_BYTES = 64 * 1024


class CacheContract:
    @pytest.fixture
    def cache(self) -> Any:
        raise NotImplementedError

    async def test_what_was_put_is_found_until_it_is_put_anew(self, cache: Cache) -> None:
        assert await cache.get(Layer.STAGE, b"k") is None
        await cache.put(Layer.STAGE, b"k", b"\x00one", 60)
        assert await cache.get(Layer.STAGE, b"k") == b"\x00one"
        await cache.put(Layer.STAGE, b"k", b"", 60)
        assert await cache.get(Layer.STAGE, b"k") == b""

    async def test_layers_do_not_see_each_others_entries(self, cache: Cache) -> None:
        await cache.put(Layer.ANSWER, b"k", b"answer", 60)
        await cache.put(Layer.INFERENCE, b"k", b"vector", 60)
        assert await cache.get(Layer.ANSWER, b"k") == b"answer"
        assert await cache.get(Layer.INFERENCE, b"k") == b"vector"
        assert await cache.get(Layer.STAGE, b"k") is None

    async def test_an_entry_ends_with_its_time(self, cache: Cache) -> None:
        await cache.put(Layer.STAGE, b"gone", b"v", 0.05)
        await cache.put(Layer.STAGE, b"never", b"v", 0)
        await cache.put(Layer.STAGE, b"stays", b"v", 60)
        await asyncio.sleep(0.1)
        assert await cache.get(Layer.STAGE, b"gone") is None
        assert await cache.get(Layer.STAGE, b"never") is None
        assert await cache.get(Layer.STAGE, b"stays") == b"v"

    async def test_no_time_at_all_takes_away_what_was_there(self, cache: Cache) -> None:
        await cache.put(Layer.STAGE, b"k", b"old", 60)
        await cache.put(Layer.STAGE, b"k", b"new", 0)
        assert await cache.get(Layer.STAGE, b"k") is None

    async def test_it_never_holds_more_than_its_capacity(self, cache: Cache) -> None:
        for number in range(200):
            await cache.put(Layer.ANSWER, b"%d" % number, bytes(1000), 60)
            usage = await cache.usage()
            assert usage.size_bytes <= usage.capacity_bytes == CAPACITY_BYTES
        assert await cache.get(Layer.ANSWER, b"199") == bytes(1000)
        assert await cache.get(Layer.ANSWER, b"0") is None
        assert 1 < (await cache.usage()).entries < 200

    async def test_what_is_larger_than_the_cache_drives_nothing_out(self, cache: Cache) -> None:
        await cache.put(Layer.ANSWER, b"small", b"v", 60)
        await cache.put(Layer.ANSWER, b"large", bytes(2 * CAPACITY_BYTES), 60)
        assert await cache.get(Layer.ANSWER, b"large") is None
        assert await cache.get(Layer.ANSWER, b"small") == b"v"

    async def test_cleared_it_is_empty(self, cache: Cache) -> None:
        await cache.put(Layer.STAGE, b"k", b"v", 60)
        await cache.clear()
        assert await cache.get(Layer.STAGE, b"k") is None
        assert (await cache.usage()).entries == 0
