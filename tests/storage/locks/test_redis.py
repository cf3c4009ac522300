"""Locks that several processes see."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tamis.engine.ports.locks import Locks
from tamis.storage.locks.redis import RedisLocks
from tamis.testing.lock_contract import LockContract
from tests.servers import RedisServer
from tests.storage.redis_links import fresh_prefix, linked


class TestRedisLocks(LockContract):
    @pytest.fixture
    async def locks(self, redis_server: RedisServer) -> AsyncIterator[Locks]:
        async with linked(redis_server) as link:
            yield RedisLocks(link)


async def test_two_servers_see_each_others_locks(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with linked(redis_server, prefix) as one, linked(redis_server, prefix) as other:
        here, there = RedisLocks(one), RedisLocks(other)
        hold = await here.take("a")
        assert hold is not None
        assert await there.take("a") is None
        waiting = asyncio.create_task(there.freed("a"))
        await asyncio.wait((waiting,), timeout=0.05)
        assert not waiting.done()
        await hold.release()
        await asyncio.wait_for(waiting, 5)
        theirs = await there.take("a")
        assert theirs is not None
        await hold.release()  # once more: it is not his any longer
        assert await here.take("a") is None


async def test_a_hold_outlives_its_lease_while_its_server_lives_and_not_longer(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with linked(redis_server, prefix) as other:
        there = RedisLocks(other)
        async with linked(redis_server, prefix) as one:
            hold = await RedisLocks(one, lease_s=0.3).take("a")
            assert hold is not None
            (key,) = [key async for key in one.client.scan_iter(f"{prefix}lock:*")]
            first = await one.client.pttl(key)
            waiting = asyncio.create_task(there.freed("a"))
            await asyncio.wait((waiting,), timeout=0.6)
            assert not waiting.done(), "it was renewed"
            assert 0 < first <= 300
            hold._renewing.cancel()  # type: ignore[union-attr] # as a kill does
        await asyncio.wait_for(waiting, 5)
