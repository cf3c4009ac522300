"""Rates that several processes count together."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tamis.engine.ports.rates import Claim, Rate, Rates
from tamis.storage.rates.redis import RedisRates
from tamis.testing.rate_contract import RateContract, Wait
from tests.servers import RedisServer
from tests.storage.rates.test_memory import Time
from tests.storage.redis_links import fresh_prefix, linked


class TestRedisRates(RateContract):
    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    async def rates(self, redis_server: RedisServer, time: Time) -> AsyncIterator[Rates]:
        async with linked(redis_server) as link:
            yield RedisRates(link, clock=time)

    @pytest.fixture
    def wait(self, time: Time) -> Wait:
        return time.wait


async def test_two_servers_grant_together_what_there_is(redis_server: RedisServer) -> None:
    prefix, claim = fresh_prefix(), Claim("a", Rate(10, 3_600.0))
    async with linked(redis_server, prefix) as one, linked(redis_server, prefix) as other:
        servers = [RedisRates(one), RedisRates(other)]
        decisions = await asyncio.gather(*(servers[number % 2].take([claim]) for number in range(30)))
        assert sum(decision.is_granted for decision in decisions) == 10
        await servers[0].charge([Claim("b", Rate(2, 3_600.0), 5)])
        assert (await servers[1].look([Claim("b", Rate(2, 3_600.0))])).standings[0].used == 5


async def test_it_goes_by_the_clock_of_redis(redis_server: RedisServer) -> None:
    async with linked(redis_server) as link:
        rates, claim = RedisRates(link), Claim("a", Rate(1, 0.2))
        assert (await rates.take([claim])).is_granted
        refused = await rates.take([claim])
        assert not refused.is_granted
        await asyncio.sleep(refused.retry_after_s + 0.01)
        assert (await rates.take([claim])).is_granted


async def test_a_clock_that_was_set_back_locks_nobody_out_and_gives_nothing_away(redis_server: RedisServer) -> None:
    time = Time()
    async with linked(redis_server) as link:
        # Each server counts for itself as well: the second has taken nothing.
        rates, claim = RedisRates(link, clock=time), Claim("a", Rate(1, 60.0))
        assert (await rates.take([claim])).is_granted
        time.now -= 1e6
        other = RedisRates(link, clock=time)
        refused = await other.take([claim])
        assert not refused.is_granted
        assert 57 <= refused.retry_after_s <= 66
        time.now += refused.retry_after_s
        assert (await other.take([claim])).is_granted


async def test_nothing_stays_for_longer_than_its_window(redis_server: RedisServer) -> None:
    async with linked(redis_server) as link:
        await RedisRates(link).take([Claim("visitor 10.0.0.1", Rate(5, 60.0)), Claim("b", Rate(5, 3_600.0))])
        keys = [key async for key in link.client.scan_iter(f"{link.prefix}rate:*")]
        assert len(keys) == 2
        assert not any(b"10.0.0.1" in key for key in keys)
        assert {0 < await link.client.pttl(key) <= 3_600_000 * 1.1 for key in keys} == {True}
        await RedisRates(link).look([Claim("c", Rate(5, 60.0))])
        await RedisRates(link).take([Claim("c", Rate(5, 60.0), 6)])
        assert len([key async for key in link.client.scan_iter(f"{link.prefix}rate:*")]) == 2
