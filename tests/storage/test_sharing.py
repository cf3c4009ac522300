"""What several servers share, opened by the settings."""

from contextlib import AsyncExitStack

import pytest

from tamis.engine.ports.cache import Layer
from tamis.engine.ports.rates import Claim, Rate
from tamis.errors import ConfigurationError
from tamis.settings import Settings
from tamis.wiring.sharing import open_shared, sharing_report
from tests.servers import RedisServer

_CLAIM = Claim("a", Rate(1, 3_600.0))


def settings(url: str, **more: object) -> Settings:
    return Settings(cache_url=url, **more)  # type: ignore[arg-type] # a text, as in the environment


async def test_installations_that_share_a_redis_see_nothing_of_each_other(redis_server: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        one, same, other = [
            await open_shared(settings(redis_server.url), secret, stack) for secret in (b"one", b"one", b"other")
        ]
        assert one.cache is not None
        assert same.cache is not None
        assert other.cache is not None
        await one.cache.put(Layer.ANSWER, b"k", b"v", 60)
        assert await same.cache.get(Layer.ANSWER, b"k") == b"v"
        assert await other.cache.get(Layer.ANSWER, b"k") is None
        assert (await one.rates.take([_CLAIM])).is_granted
        assert not (await same.rates.take([_CLAIM])).is_granted
        assert (await other.rates.take([_CLAIM])).is_granted
        assert await one.locks.take("a") is not None
        assert await same.locks.take("a") is None
        assert await other.locks.take("a") is not None


async def test_a_server_of_other_settings_finds_no_answer_of_before(redis_server: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        before = await open_shared(settings(redis_server.url, llm_model="old"), b"settings", stack)
        after = await open_shared(settings(redis_server.url, llm_model="new"), b"settings", stack)
        elsewhere = await open_shared(settings(redis_server.url, llm_model="old", port=1), b"settings", stack)
        assert before.cache is not None
        assert after.cache is not None
        assert elsewhere.cache is not None
        await before.cache.put(Layer.STAGE, b"k", b"v", 60)
        assert await after.cache.get(Layer.STAGE, b"k") is None
        assert await elsewhere.cache.get(Layer.STAGE, b"k") == b"v"


async def test_what_is_said_of_it(redis_server: RedisServer) -> None:
    assert await sharing_report(Settings()) is None
    assert await sharing_report(settings(redis_server.url)) == "answers"
    away = await sharing_report(settings("redis://127.0.0.1:1"))
    assert away is not None
    assert away.startswith("is away")
    wrong = await sharing_report(settings(redis_server.url.replace("//", "//a:b@")))
    assert wrong is not None
    assert "refuses" in wrong


async def test_none_is_kept_where_no_bytes_may_be(redis_server: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        shared = await open_shared(settings(redis_server.url, cache_bytes=0), b"none", stack)
        assert shared.cache is None
        assert (await shared.rates.take([_CLAIM])).is_granted
        with pytest.raises(ConfigurationError):
            await open_shared(settings("nonsense"), b"none", stack)
