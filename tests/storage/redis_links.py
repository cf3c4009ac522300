"""Links to the tests' Redis, each under names of its own."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tamis.storage.redis_link import RedisLink
from tests.servers import RedisServer

_numbers = itertools.count()


def fresh_prefix() -> str:
    return f"test-{next(_numbers)}:"


@asynccontextmanager
async def linked(server: RedisServer, prefix: str | None = None) -> AsyncIterator[RedisLink]:
    """prefix: None takes one that nobody has used."""
    link = RedisLink(server.url, prefix or fresh_prefix())
    await link.open()
    try:
        yield link
    finally:
        await link.close()
