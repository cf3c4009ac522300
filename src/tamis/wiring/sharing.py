"""What several servers share besides the system of record: in this process, or in the settings' Redis."""

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.cache import Cache
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.rates import Rates
from tamis.errors import ConfigurationError
from tamis.settings import Settings
from tamis.storage.cache import MemoryCache
from tamis.storage.rates import MemoryRates

if TYPE_CHECKING:
    from tamis.storage.redis_link import RedisLink

_OF_ONE_SERVER = {"data_dir", "host", "port", "model_dir", "model_cache_dir", "extraction_threads"}
"""Settings that may differ between servers that give the same answers."""


@dataclass(frozen=True, slots=True)
class Shared:
    """cache: None where nothing is to be kept.  redis: None where all of it is in this process."""

    cache: Cache | None
    rates: Rates
    locks: Locks
    redis: "RedisLink | None" = None

    async def trouble(self) -> str | None:
        """Why less is shared than the settings say; None where all of it is. Redis is asked for it."""
        return None if self.redis is None else await self.redis.look()


async def open_shared(settings: Settings, secret: bytes, stack: contextlib.AsyncExitStack) -> Shared:
    """secret: of the installation, so that those that share a Redis see nothing of each other.

    Raises: ConfigurationError.
    """
    shared = await _redis(settings, secret, stack) if settings.cache_url else _memory(settings)
    stack.push_async_callback(shared.rates.close)
    stack.push_async_callback(shared.locks.close)
    if shared.cache is not None:
        stack.push_async_callback(shared.cache.close)
    return shared


async def sharing_report(settings: Settings) -> str | None:
    """Whether the settings' Redis answers, or why not; None where they name none."""
    if settings.cache_url is None:
        return None
    async with contextlib.AsyncExitStack() as stack:
        try:
            trouble = await (await open_shared(settings, b"", stack)).trouble()
        except ConfigurationError as error:
            return error.message
        return "answers" if trouble is None else f"is away, servers go on without it: {trouble}"


def _memory(settings: Settings) -> Shared:
    cache = MemoryCache(settings.cache_bytes) if settings.cache_bytes else None
    return Shared(cache, MemoryRates(), LocalLocks())


async def _redis(settings: Settings, secret: bytes, stack: contextlib.AsyncExitStack) -> Shared:
    try:
        from tamis.storage.cache.redis import RedisCache
        from tamis.storage.locks.redis import RedisLocks
        from tamis.storage.rates.redis import RedisRates
        from tamis.storage.redis_link import RedisLink
    except ImportError as error:
        raise ConfigurationError("TAMIS_CACHE_URL needs Redis' client: pip install 'tamis[redis]'") from error
    url = settings.cache_url.get_secret_value() if settings.cache_url else ""
    link = RedisLink(url, f"tamis:{hashlib.sha256(secret + b'redis').hexdigest()[:16]}:")
    stack.push_async_callback(link.close)
    await link.open()
    cache = RedisCache(link, settings.cache_bytes, _version(settings)) if settings.cache_bytes else None
    return Shared(cache, RedisRates(link), RedisLocks(link), link)


def _version(settings: Settings) -> str:
    """Of what answers follow from and no key of the cache knows, for it outlives a server of other settings."""
    told = settings.model_dump_json(exclude=_OF_ONE_SERVER)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
