"""Locks that all servers of one PostgreSQL see: its own, of a session, so that they end with their holder."""

import asyncio
import contextlib
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from tamis.engine.local_locks import LocalHold, LocalLocks
from tamis.errors import StorageUnavailableError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.25
_TAKE = "SELECT pg_try_advisory_lock(%s)"
_RELEASE = "SELECT pg_advisory_unlock(%s)"
# A machine that vanished closes no connection: the server asks, and lets its locks go within some seconds.
_KEEPALIVES = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 3, "tcp_keepalives_count": 3}


class _AdvisoryHold:
    """life: of the connection that holds it; with the connection the lock was lost."""

    def __init__(self, locks: "AdvisoryLocks", key: int, local: LocalHold, life: int) -> None:
        self._locks = locks
        self._key = key
        self._local = local
        self._life = life

    async def stands(self) -> bool:
        return await self._locks.lives(self._life)

    async def release(self) -> None:
        try:
            await asyncio.shield(self._locks.let_go(self._key, self._life))
        finally:
            await self._local.release()


class AdvisoryLocks:
    """Implements `Locks`, over one connection of its own; in this process first, for a session may take one twice.

    A pooler that hands one connection to several clients in turn breaks them: connect to PostgreSQL itself.
    """

    def __init__(self, url: str, wait_s: float) -> None:
        """url: as of `open_postgres`. It is connected to when a lock is first asked for."""
        address = make_url(url).set(drivername="postgresql+psycopg")
        untyped: Any = PGDialect_psycopg
        self._arguments: dict[str, Any] = untyped().create_connect_args(address)[1]
        self._arguments["connect_timeout"] = max(2, round(wait_s))
        self._here = LocalLocks()
        self._thread = ThreadPoolExecutor(1, "tamis-locks")
        self._connection: psycopg.Connection[Any] | None = None
        self._life = 0

    async def take(self, name: str) -> _AdvisoryHold | None:
        """Raises: StorageUnavailableError."""
        local = await self._here.take(name)
        if local is None:
            return None
        key, is_mine = _key(name), False
        try:
            is_mine = await self._taken(key)
            return _AdvisoryHold(self, key, local, self._life) if is_mine else None
        finally:
            if not is_mine:
                await local.release()

    async def _taken(self, key: int) -> bool:
        asking = asyncio.ensure_future(self._run(_TAKE, key))
        try:
            return bool(await asyncio.shield(asking))
        except asyncio.CancelledError:
            # It was asked all the same, and nobody would let it go.
            if await asking:
                await self.let_go(key, self._life)
            raise

    async def freed(self, name: str) -> None:
        """Raises: StorageUnavailableError."""
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._here.freed(name)
            hold = await self.take(name)
            if hold is not None:
                await hold.release()
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()
        await self._here.close()

    async def lives(self, life: int) -> bool:
        """Whether the connection of that time still answers."""
        if life != self._life:
            return False
        try:
            await self._run("SELECT %s::bigint", 0)
        except StorageUnavailableError:
            return False
        return life == self._life

    async def let_go(self, key: int, life: int) -> None:
        """What a connection of another time held has gone with it."""
        if life == self._life:
            with contextlib.suppress(StorageUnavailableError):
                await self._run(_RELEASE, key)

    async def _run(self, statement: str, key: int) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, statement, key)

    def _ask(self, statement: str, key: int) -> Any:
        try:
            connection = self._connection or self._connect()
            row = connection.execute(statement.encode(), (key,)).fetchone()
        except psycopg.Error as error:
            self._disconnect()
            raise StorageUnavailableError from error
        return row[0] if row else None

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**self._arguments, autocommit=True)
        for setting, value in _KEEPALIVES.items():
            connection.execute(f"SET {setting} = {value}".encode())
        self._life += 1
        self._connection = connection
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._life += 1
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
