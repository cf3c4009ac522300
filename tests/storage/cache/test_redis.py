"""A cache that several processes share."""

from collections.abc import AsyncIterator

import pytest

from tamis.engine.ports.cache import Cache, Layer
from tamis.storage.cache.redis import RedisCache
from tamis.testing.cache_contract import CAPACITY_BYTES, CacheContract
from tests.servers import RedisServer
from tests.storage.redis_links import fresh_prefix, linked


class TestRedisCache(CacheContract):
    @pytest.fixture
    async def cache(self, redis_server: RedisServer) -> AsyncIterator[Cache]:
        async with linked(redis_server) as link:
            yield RedisCache(link, CAPACITY_BYTES)


async def test_servers_share_it_and_one_that_ends_leaves_it(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with linked(redis_server, prefix) as other:
        there = RedisCache(other, CAPACITY_BYTES)
        async with linked(redis_server, prefix) as one:
            here = RedisCache(one, CAPACITY_BYTES)
            await here.put(Layer.ANSWER, b"k", b"\x00v", 60)
            await here.close()
        assert await there.get(Layer.ANSWER, b"k") == b"\x00v"
        assert (await there.usage()).entries == 1


async def test_servers_of_other_settings_or_names_share_nothing_but_the_room(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with linked(redis_server, prefix) as one, linked(redis_server) as stranger:
        before, after = RedisCache(one, CAPACITY_BYTES, "before"), RedisCache(one, CAPACITY_BYTES, "after")
        await before.put(Layer.ANSWER, b"k", b"old", 60)
        assert await after.get(Layer.ANSWER, b"k") is None
        assert (await after.usage()).entries == 1
        for number in range(100):
            await after.put(Layer.ANSWER, b"%d" % number, bytes(5000), 60)
        assert await before.get(Layer.ANSWER, b"k") is None, "the least recently used makes room"
        assert (await RedisCache(stranger, CAPACITY_BYTES).usage()).entries == 0


async def test_the_least_recently_used_makes_room(redis_server: RedisServer) -> None:
    async with linked(redis_server) as link:
        cache = RedisCache(link, 6000)
        for key in (b"a", b"b", b"c"):
            await cache.put(Layer.STAGE, key, bytes(900), 60)
        assert await cache.get(Layer.STAGE, b"a") is not None
        await cache.put(Layer.ANSWER, b"d", bytes(900), 60)
        await cache.put(Layer.ANSWER, b"e", bytes(900), 60)
        assert await cache.get(Layer.STAGE, b"a") is not None
        assert await cache.get(Layer.STAGE, b"b") is None
        assert (await cache.usage()).evictions >= 1


async def test_nothing_stays_for_good(redis_server: RedisServer) -> None:
    async with linked(redis_server) as link:
        cache = RedisCache(link, CAPACITY_BYTES)
        await cache.put(Layer.STAGE, b"k", b"v", 60)
        await cache.put(Layer.STAGE, b"short", b"v", 5)
        keys = [key async for key in link.client.scan_iter(f"{link.prefix}cache*")]
        assert len(keys) == 6
        assert {0 < await link.client.pttl(key) <= 60_000 for key in keys} == {True}


@pytest.mark.parametrize("table", ["used", "ends", "sizes", "sums"])
async def test_tables_that_redis_took_away_leave_nothing_for_good(redis_server: RedisServer, table: str) -> None:
    async with linked(redis_server) as link:
        cache = RedisCache(link, CAPACITY_BYTES)
        for key in (b"a", b"b"):
            await cache.put(Layer.STAGE, key, b"v", 60)
        await link.client.delete(f"{link.prefix}cache-{table}")
        assert await cache.get(Layer.STAGE, b"a") == b"v"
        assert (await cache.usage()).entries <= 2
        await cache.put(Layer.STAGE, b"a", b"w", 60)
        for number in range(200):
            await cache.put(Layer.STAGE, b"%d" % number, bytes(1000), 60)
        assert (await cache.usage()).size_bytes <= CAPACITY_BYTES
        keys = [key async for key in link.client.scan_iter(f"{link.prefix}cache*")]
        assert {0 < await link.client.pttl(key) <= 60_000 for key in keys} == {True}
