"""The checks together, over a connection of their own."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from tamis.errors import ConflictError, StorageError
from tamis.model.backup import NamedFile
from tamis.model.collection import Collection
from tamis.model.fault import Fault
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.handover import failure
from tamis.storage.metadata.migrate import current_revision
from tamis.storage.metadata.named_files import named_files
from tamis.storage.metadata.schema import REVISION, collections
from tamis.storage.metadata.upkeep import contents, counters, figures, integrity, lessons, references, uses

_COLLECTION = Codec(Collection)
_CHECKS: tuple[Callable[[Connection, bool], Iterator[Fault]], ...] = (
    contents.faults,
    references.faults,
    counters.faults,
    figures.faults,
    lessons.faults,
    uses.faults,
)
# What nothing reaches goes first: it is not counted.
_MENDERS: tuple[Callable[[Connection], None], ...] = (
    references.mend,
    contents.mend,
    counters.mend,
    figures.mend,
    lessons.mend,
    uses.mend,
)


class SqlUpkeep:
    """Implements RecordUpkeep. url: PostgreSQL's; None where the record is the SQLite file at `path`."""

    def __init__(self, path: Path, url: str | None = None) -> None:
        self._path = path
        self._url = url

    def faults(self, deep: bool) -> Iterator[Fault]:
        try:
            yield from self._faults(deep)
        except StorageError as error:
            if not _is_corrupt(error):
                raise
            yield Fault(integrity.KIND, "the database file", error.message)

    def _faults(self, deep: bool) -> Iterator[Fault]:
        with self._connected(writes=False) as connection:
            damaged = list(integrity.faults(connection, deep))
            yield from damaged
            # What a damaged file says of itself is no further news.
            for check in () if damaged else _CHECKS:
                yield from check(connection, deep)

    def mend(self) -> None:
        with self._connected(writes=True) as connection:
            for mender in _MENDERS:
                mender(connection)
            connection.commit()

    def named_files(self) -> Iterator[NamedFile]:
        with self._connected(writes=False) as connection:
            yield from named_files(connection)

    def collections(self) -> Sequence[tuple[Principal, Collection]]:
        with self._connected(writes=False) as connection:
            rows = connection.execute(
                select(collections.c.organization_id, collections.c.namespace_id, collections.c.body)
            )
            return [(Principal(row[0], row[1]), found) for row in rows if (found := _readable(row[2])) is not None]

    @contextmanager
    def _connected(self, *, writes: bool) -> Iterator[Connection]:
        """One transaction, which sees one moment. Raises: ConflictError, StorageError."""
        if self._url is None and not self._path.exists():
            raise ConflictError(f"{self._path} does not exist: start the server once with `tamis serve`")
        try:
            with self._engine().connect() as connection:
                if self._url is None:
                    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
                found = current_revision(connection)
                if found != REVISION:
                    raise ConflictError(f"the record has the schema {found}, this version of Tamis {REVISION}")
                yield connection
        except (sqlite3.Error, SQLAlchemyError, ImportError) as error:
            raise failure(getattr(error, "orig", None) or error, "the system of record cannot be read") from error

    def _engine(self) -> Engine:
        if self._url is None:
            return create_engine("sqlite://", creator=self._sqlite, poolclass=NullPool)
        url = make_url(self._url).set(drivername="postgresql+psycopg")
        return create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")

    def _sqlite(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None)


def _is_corrupt(error: StorageError) -> bool:
    cause = getattr(error.__cause__, "orig", None) or error.__cause__
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _readable(body: str) -> Collection | None:
    try:
        return _COLLECTION.decode(body)
    except Exception:
        return None
