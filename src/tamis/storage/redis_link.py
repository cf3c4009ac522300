"""The way to a Redis: one client, and whether it answers. What is kept there is never the only copy of anything.

The driver is optional, so whoever opens a link imports this module first then.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from tamis.errors import ConfigurationError

T = TypeVar("T")

WAIT_S = 1.0
"""For one answer: longer, and a request is better served without."""
_PAUSE_S = 0.5
_CONNECTIONS = 64
_PROBE_MS = 1000
_LOG = logging.getLogger("tamis.redis")


class RedisAwayError(Exception):
    """It does not answer, or not now: whoever asked goes on without."""


class RedisLink:
    """Every name begins with `prefix`, so that several installations may share one Redis.

    After a failure nothing is sent but a probe now and then, so that no request waits for a server that is away.
    """

    def __init__(self, url: str, prefix: str = "tamis:", wait_s: float = WAIT_S) -> None:
        """url: `redis://`, `rediss://` or `unix://`. Raises: ConfigurationError."""
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=wait_s,
                socket_timeout=wait_s,
                socket_connect_timeout=wait_s,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise ConfigurationError(f"TAMIS_CACHE_URL: {error}") from error
        self.client = Redis.from_pool(pool)
        self.prefix = prefix
        self._trouble: str | None = None
        self._probing: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """Why it is not used at the moment; None where it is."""
        return self._trouble

    async def open(self) -> None:
        """Look whether it answers; where it does not, it is used once it does.

        Raises: ConfigurationError where it answers and refuses, which does not pass by itself.
        """
        try:
            await self._probe()
        except (AuthenticationError, NoPermissionError) as error:
            raise ConfigurationError(f"TAMIS_CACHE_URL: Redis refuses the user or the password: {error}") from error
        except (RedisError, OSError, TimeoutError) as error:
            self._lose(error)

    async def ask(self, question: Callable[["Redis"], Awaitable[T]]) -> T:
        """Raises: RedisAwayError."""
        if self._trouble is not None:
            raise RedisAwayError(self._trouble)
        try:
            return await question(self.client)
        except (RedisError, OSError, TimeoutError) as error:
            self._lose(error)
            raise RedisAwayError(str(error)) from error

    async def look(self) -> str | None:
        """As `trouble`, and it is asked where nobody knows of any."""
        with contextlib.suppress(RedisAwayError):
            await self.ask(lambda client: client.ping())
        return self._trouble

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing
        await self.client.aclose()

    def _lose(self, error: BaseException) -> None:
        said = str(error) or type(error).__name__
        if self._trouble is None:
            _LOG.warning("Redis is away: this server counts limits alone and caches nothing until it is back: %s", said)
            self._probing = asyncio.create_task(self._watch(), name="redis-probe")
        self._trouble = said

    async def _watch(self) -> None:
        while self._trouble is not None:
            await asyncio.sleep(_PAUSE_S)
            await self._probing_once()
        _LOG.info("Redis is back")

    async def _probing_once(self) -> None:
        try:
            await self._probe()
        except (RedisError, OSError, TimeoutError) as error:
            self._trouble = str(error) or type(error).__name__
        else:
            self._trouble = None

    async def _probe(self) -> None:
        """A write: one that is full, or that only follows another, answers and is of no use.

        By a connection of its own age: those that were idle while the server ended are of no use either.
        """
        await self.client.connection_pool.disconnect(inuse_connections=False)
        await self.client.set(f"{self.prefix}probe", b"1", px=_PROBE_MS)
