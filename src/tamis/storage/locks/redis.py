"""Locks that several servers see, in Redis; those of this process where it is away."""

import asyncio
import contextlib
import secrets
from hashlib import blake2b

from redis.asyncio import Redis

from tamis.engine.local_locks import LocalHold, LocalLocks
from tamis.storage.redis_link import RedisAwayError, RedisLink

LEASE_S = 10.0
"""How long a holder that was killed is waited for."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.25
_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2])"
_RELEASE = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1])"


class _RedisHold:
    """Renewed until it is released; a server that stands still for a whole lease loses it."""

    def __init__(self, link: RedisLink, key: str, local: LocalHold, lease_s: float) -> None:
        self._link = link
        self._key = key
        self._local = local
        self._lease_s = lease_s
        self._token = secrets.token_hex(8)
        self._renewing: asyncio.Task[None] | None = None
        self._is_asked = False

    async def begin(self) -> bool:
        """False where another server holds it."""
        lease_ms = round(self._lease_s * 1000)

        async def put(client: Redis) -> bool:
            return bool(await client.set(self._key, self._token, nx=True, px=lease_ms))

        self._is_asked = True
        try:
            is_mine = await self._link.ask(put)
        except RedisAwayError:
            return True
        if is_mine:
            self._renewing = asyncio.create_task(self._renew())
        return is_mine

    async def stands(self) -> bool:
        return True

    async def release(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        if self._is_asked:
            with contextlib.suppress(RedisAwayError):
                await self._say(_RELEASE)
        await self._local.release()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with contextlib.suppress(RedisAwayError):
                await self._say(_RENEW, round(self._lease_s * 1000))

    async def _say(self, script: str, *arguments: int) -> None:
        await self._link.ask(lambda client: client.eval(script, 1, self._key, self._token, *arguments))


class RedisLocks:
    """In this process first, so that its own requests wait without asking Redis."""

    def __init__(self, link: RedisLink, lease_s: float = LEASE_S) -> None:
        self._link = link
        self._lease_s = lease_s
        self._here = LocalLocks()

    async def take(self, name: str) -> _RedisHold | None:
        local = await self._here.take(name)
        if local is None:
            return None
        hold = _RedisHold(self._link, self._key(name), local, self._lease_s)
        try:
            is_mine = await hold.begin()
        except BaseException:
            await hold.release()
            raise
        if not is_mine:
            await local.release()
        return hold if is_mine else None

    async def freed(self, name: str) -> None:
        await self._here.freed(name)
        pause_s = _FIRST_PAUSE_S
        while await self._is_held(name):
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    async def close(self) -> None:
        """What is held goes with its lease."""
        await self._here.close()

    async def _is_held(self, name: str) -> bool:
        try:
            return bool(await self._link.ask(lambda client: client.exists(self._key(name))))
        except RedisAwayError:
            return False

    def _key(self, name: str) -> str:
        """Names may be those of people, who are nobody's business there."""
        return f"{self._link.prefix}lock:{blake2b(name.encode(), digest_size=16).hexdigest()}"
