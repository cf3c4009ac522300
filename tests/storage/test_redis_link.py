"""The way to a Redis: what cannot pass by itself is told at the start, what can is waited for."""

from pathlib import Path

import pytest

from tamis.errors import ConfigurationError
from tamis.storage.redis_link import RedisAwayError, RedisLink
from tests.servers import RedisServer, a_redis
from tests.storage.redis_links import linked


async def test_a_wrong_password_is_told_at_the_start_and_not_repeated(redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url.replace("//", "//somebody:his-secret@"))
    with pytest.raises(ConfigurationError, match="TAMIS_CACHE_URL: Redis refuses") as refused:
        await link.open()
    assert "his-secret" not in str(refused.value)
    await link.close()


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost:port", ""])
def test_what_is_no_address_of_a_redis_is_told(url: str) -> None:
    with pytest.raises(ConfigurationError, match="TAMIS_CACHE_URL"):
        RedisLink(url)


async def test_one_that_takes_no_writes_is_as_good_as_away(redis_server: RedisServer) -> None:
    async with linked(redis_server) as link:
        await link.client.config_set("maxmemory", 1)
        try:
            with pytest.raises(RedisAwayError, match="maxmemory"):
                await link.ask(lambda client: client.set(f"{link.prefix}k", b"v", px=1000))
            assert link.trouble is not None
            await link._probing_once()
            assert link.trouble is not None, "it answers, and is of no use"
        finally:
            await link.client.config_set("maxmemory", 0)
        await link._probing_once()
        assert link.trouble is None


async def test_who_asks_it_nothing_sees_too_that_it_is_gone(tmp_path: Path) -> None:
    redis = a_redis(tmp_path)
    redis.start()
    async with linked(redis) as link:
        assert await link.look() is None
        redis.kill()
        assert link.trouble is None
        assert await link.look() is not None
