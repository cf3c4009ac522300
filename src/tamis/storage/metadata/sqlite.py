"""The embedded system of record: one SQLite file, one writer thread, readers that never wait for it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import NullPool, create_engine
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import SQLAlchemyError

from tamis.engine.change import write_in_change
from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import MetadataHealth, Session
from tamis.errors import StorageError
from tamis.model.json import JSON
from tamis.storage.metadata.execution_inbox import Unsettled
from tamis.storage.metadata.handover import failure
from tamis.storage.metadata.link import Link, Statements
from tamis.storage.metadata.migrate import migrate
from tamis.storage.metadata.prompt_writer import PromptWriter
from tamis.storage.metadata.readers import Readers, read
from tamis.storage.metadata.schema import REVISION
from tamis.storage.metadata.session import SqlSession
from tamis.storage.metadata.turns import Turns
from tamis.storage.metadata.writer import GroupWriter

T = TypeVar("T")

WAIT_S = 10.0
_READERS = 3
_OLDEST_SQLITE = (3, 38, 0)
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "cache_size = -16384",
    "journal_size_limit = 67108864",
)


class SqliteMetadata:
    """Implements the `Metadata` port; `open_sqlite` makes one.

    Write-ahead log, synced at every commit: a write that has returned survives a power cut. Readers work on snapshots
    and never wait for the writer.
    """

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        """Blocks while the database is opened and migrated. Raises: StorageError."""
        self._path = path
        self._wait_s = wait_s
        self._statements = Statements(pysqlite.dialect(paramstyle="named", dbapi=sqlite3))
        try:
            _migrate(path, wait_s)
            session = SqlSession(Link(_connect(path, wait_s), self._statements))
            turns = Turns(session.link.driver, wait_s)
            self._writer = GroupWriter(session, turns)
            self._prompt = PromptWriter(session, turns, self._writer)
            self._here = self._reader()
            self._here_lock = threading.Lock()
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise failure(error, f"the database {path.name} cannot be opened") from error
        self._readers = Readers(self._reader, _READERS)
        self._closed = False

    @property
    def generation(self) -> int | None:
        return self._writer.generation

    async def read(self, function: Callable[[Session], T]) -> T:
        try:
            return await self._readers.submit(function)
        except Unsettled:
            await self._writer.settle()
            return await self._readers.submit(partial(_settled, function))

    async def read_now(self, function: Callable[[Session], T]) -> T:
        """On the calling thread: see the port for when."""
        try:
            return self._read_here(function)
        except Unsettled:
            await self._writer.settle()
            return self._read_here(partial(_settled, function))

    def _read_here(self, function: Callable[[SqlSession], T]) -> T:
        if self._closed:
            raise StorageError("the system of record is closed")
        try:
            with self._here_lock:
                return read(self._here, function)
        except sqlite3.Error as error:
            raise failure(error) from error

    async def write(self, function: Callable[[Session], T]) -> T:
        return await write_in_change(function, self._writer.submit)

    def keep(self, entry: Entry) -> "asyncio.Future[None]":
        return self._prompt.keep(entry)

    async def health(self) -> MetadataHealth:
        try:
            facts = await self._readers.submit(_facts)
        except StorageError as error:
            return MetadataHealth("sqlite", ok=False, detail=error.message)
        return MetadataHealth("sqlite", ok=True, facts={**facts, "schema": REVISION, "sqlite": sqlite3.sqlite_version})

    async def close(self) -> None:
        """Finish what is queued, then close; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._prompt.flush()
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._readers.close()
        with self._here_lock:
            self._here.link.driver.close()
        # Last, for the last connection folds the log into the file, and only this one may write.
        self._writer.close()

    def _reader(self) -> SqlSession:
        connection = _connect(self._path, self._wait_s)
        connection.execute("PRAGMA query_only = ON")
        return SqlSession(Link(connection, self._statements, reads_only=True))


async def open_sqlite(path: Path, wait_s: float = WAIT_S) -> SqliteMetadata:
    """Open the database file, made where there is none, and bring its schema up to date.

    wait_s: how long a write waits while another program holds the database. Raises: StorageError.
    """
    return await asyncio.to_thread(SqliteMetadata, path, wait_s)


def _connect(path: Path, wait_s: float) -> sqlite3.Connection:
    # Transactions are begun and ended by hand (isolation_level=None), each connection by one thread at a time.
    connection = sqlite3.connect(
        path, timeout=wait_s, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _migrate(path: Path, wait_s: float) -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old; 3.38 or newer is needed")
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine("sqlite://", creator=partial(_connect, path, wait_s), poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrate(connection)
        connection.commit()


def _settled(function: Callable[[SqlSession], T], session: SqlSession) -> T:
    """What has come to the inbox since it was emptied for this reading is younger than the reading."""
    session.inbox.overlooked = True
    try:
        return function(session)
    finally:
        session.inbox.overlooked = False


def _facts(session: SqlSession) -> dict[str, JSON]:
    driver = session.link.driver
    pages, page_bytes = (driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return {"size_bytes": pages * page_bytes}
