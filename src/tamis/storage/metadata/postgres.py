"""The system of record on PostgreSQL: threads with pooled connections, each write its own transaction."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.types.string import StrDumper
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from tamis.engine.change import write_in_change
from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import MetadataHealth, Session
from tamis.errors import StorageError, StorageFullError, StorageUnavailableError
from tamis.model.json import JSON
from tamis.storage.metadata.handover import Unstoppable
from tamis.storage.metadata.link import Link, Statements
from tamis.storage.metadata.migrate import migrate
from tamis.storage.metadata.schema import REVISION
from tamis.storage.metadata.session import SqlSession

T = TypeVar("T")

WAIT_S = 10.0
_THREADS = 8
_ATTEMPTS = 40
_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05
_MIGRATION_S = 600
_LOCK = 0x7461_6D69_7301
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


class _TextDumper(StrDumper):
    """PostgreSQL's text holds every character but U+0000: it is stored, and looked for, as U+FFFD."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in obj else obj)


class PostgresMetadata:
    """Implements the `Metadata` port; `open_postgres` makes one.

    Reads and writes run on a snapshot (repeatable read): what a function has read and then writes, no other write has
    changed in between. A write that came second, or that the server gave up for a deadlock, is run again: a function
    may change nothing but its session.
    """

    def __init__(self, url: str, wait_s: float = WAIT_S) -> None:
        """Blocks while the database is reached and migrated. Raises: StorageError."""
        self._writes = _engine(url, wait_s)
        self._reads = _engine(url, wait_s)
        self._statements = Statements(self._writes.dialect)
        self._threads = ThreadPoolExecutor(_THREADS, "tamis-postgres")
        self._closed = False
        try:
            with self._writes.begin() as connection:
                # Of servers that start together one migrates, and the others wait for as long as that takes.
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_MIGRATION_S}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                migrate(connection)
        except (SQLAlchemyError, psycopg.Error) as error:
            self._close()
            raise StorageError(f"PostgreSQL cannot be used: {error}") from error
        except StorageError:
            self._close()
            raise

    @property
    def generation(self) -> int | None:
        """None: other servers write to the same database."""
        return None

    async def read(self, function: Callable[[Session], T]) -> T:
        return await self._there(partial(self._read, function))

    async def read_now(self, function: Callable[[Session], T]) -> T:
        """As `read`: a server is never so near that the event loop may wait for it."""
        return await self.read(function)

    async def write(self, function: Callable[[Session], T]) -> T:
        return await write_in_change(function, self._write_there)

    def keep(self, entry: Entry) -> "asyncio.Future[None]":
        kept = Unstoppable(loop=asyncio.get_running_loop())
        kept.follow(
            asyncio.ensure_future(
                self._write_there(
                    lambda session: session.executions.insert(entry.principal, entry.execution, entry.blobs)
                )
            )
        )
        return kept

    async def health(self) -> MetadataHealth:
        try:
            facts = await self._there(partial(self._read, _facts))
        except StorageError as error:
            return MetadataHealth("postgresql", ok=False, detail=error.message)
        return MetadataHealth("postgresql", ok=True, facts={**facts, "schema": REVISION})

    async def close(self) -> None:
        """Finish what is under way, then close; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._threads.shutdown()
        self._writes.dispose()
        self._reads.dispose()

    async def _write_there(self, function: Callable[[Session], T]) -> T:
        return await self._there(partial(self._write, function))

    async def _there(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StorageError("the system of record is closed")
        # The audit log asks the context whose request it is.
        inside = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, inside.run, work)

    def _read(self, function: Callable[[SqlSession], T]) -> T:
        return self._transaction(self._reads, function, read_only=True)

    def _write(self, function: Callable[[SqlSession], T]) -> T:
        for attempt in range(_ATTEMPTS - 1):
            try:
                return self._transaction(self._writes, function, read_only=False)
            except StorageError as error:
                if not isinstance(error.__cause__, _AGAIN):
                    raise
            # By chance, so that writers who met do not meet again.
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, _PAUSE_S * 2**attempt)))  # noqa: S311 - no secret
        return self._transaction(self._writes, function, read_only=False)

    def _transaction(self, engine: Engine, function: Callable[[SqlSession], T], *, read_only: bool) -> T:
        try:
            pooled = engine.raw_connection()
        except (SQLAlchemyError, psycopg.Error) as error:
            raise StorageUnavailableError from error
        driver: Any = pooled.driver_connection
        try:
            value = function(self._session(driver, pooled.info, read_only))
            driver.commit()
            return value
        except psycopg.Error as error:
            raise _failure(error) from error
        finally:
            # Going back to the pool rolls back what has not been committed; a broken connection is thrown away.
            pooled.invalidate() if driver.closed else pooled.close()

    def _session(self, driver: Any, kept: Any, read_only: bool) -> SqlSession:
        session: SqlSession | None = kept.get("session")
        if session is None:
            driver.adapters.register_dumper(str, _TextDumper)
            driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            driver.read_only = read_only
            session = kept["session"] = SqlSession(Link(driver, self._statements))
        return session


async def open_postgres(url: str, wait_s: float = WAIT_S) -> PostgresMetadata:
    """Reach the database at `postgresql+psycopg://...` and bring its schema up to date.

    wait_s: how long a connection, and a lock that another program holds, are waited for. Raises: StorageError.
    """
    return await asyncio.to_thread(PostgresMetadata, url, wait_s)


def _engine(url: str, wait_s: float) -> Engine:
    address = make_url(url).set(drivername="postgresql+psycopg")
    waits: dict[str, Any] = {"connect_timeout": max(2, math.ceil(wait_s))}
    if "options" not in address.query:
        waits["options"] = f"-c lock_timeout={math.ceil(wait_s * 1000)}"
    return create_engine(address, pool_size=_THREADS, max_overflow=0, pool_pre_ping=True, connect_args=waits)


def _failure(error: psycopg.Error) -> StorageError:
    """What PostgreSQL says names its address and rows: it is the cause, for the log, and nothing for who asked."""
    if isinstance(error, psycopg.errors.DiskFull):
        return StorageFullError()
    if isinstance(error, psycopg.OperationalError) and not isinstance(error, _AGAIN):
        return StorageUnavailableError()
    return StorageError()


def _facts(session: SqlSession) -> dict[str, JSON]:
    row = session.link.driver.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
    version, size_bytes = row.fetchone()
    return {"postgresql": version, "size_bytes": size_bytes}
