"""The system of record copied whole: one SQLite file, whichever database it is of, that can go back into either."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, Table, create_engine, func, insert, inspect, make_url, select, text
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import SQLAlchemyError

from tamis.errors import ConflictError, StorageError
from tamis.model.backup import NamedFile
from tamis.storage.metadata.execution_inbox import ExecutionInbox
from tamis.storage.metadata.handover import failure
from tamis.storage.metadata.link import Link, Statements
from tamis.storage.metadata.migrate import current_revision, migrate
from tamis.storage.metadata.named_files import named_files
from tamis.storage.metadata.schema import REVISION, index_queue, metadata, namespace_events

_ROWS = 500
_HOLD_S = 60
_OF_AN_INDEX = {("collections", "revision")}


class SqlCopies:
    """Implements RecordCopies. url: PostgreSQL's; None where the record is the SQLite file at `path`."""

    def __init__(self, path: Path, url: str | None = None) -> None:
        self._path = path
        self._url = url

    def take(self, target: Path) -> str:
        with _told():
            if self._url is None:
                _copy_file(self._path, target)
            else:
                self._copy_rows(target)
            with _sqlite(target).connect() as connection:
                _check(current_revision(connection))
        return REVISION

    def put_back(self, source: Path) -> None:
        with _told():
            if self._url is None:
                if self._path.exists():
                    raise ConflictError(f"{self._path} exists already")
                _copy_file(source, self._path)
            else:
                self._put_rows(source)

    def knows(self, schema: str) -> bool:
        return schema <= REVISION

    def named_files(self, copy: Path) -> Iterator[NamedFile]:
        with _told(), _sqlite(copy).connect() as connection:
            yield from named_files(connection)

    @contextmanager
    def held(self) -> Iterator[None]:
        with _told():
            if self._url is None:
                with closing(sqlite3.connect(self._path, timeout=_HOLD_S, isolation_level=None)) as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    yield
            else:
                with self._postgres().begin() as connection:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_HOLD_S}s'")
                    names = ", ".join(table.name for table in metadata.sorted_tables)
                    connection.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
                    yield

    def differing(self, copy: Path, other: Path) -> list[str]:
        with _told():
            _empty_inbox(copy)
            _empty_inbox(other)
        with _told(), _sqlite(copy).connect() as one, _sqlite(other).connect() as two:
            return [table.name for table in metadata.sorted_tables if _rows(one, table) != _rows(two, table)]

    def _copy_rows(self, target: Path) -> None:
        with self._postgres().connect() as source, _sqlite(target).begin() as made:
            _check(current_revision(source))
            migrate(made)
            _copy_tables(source, made)

    def _put_rows(self, source: Path) -> None:
        with _sqlite(source).begin() as copy:
            migrate(copy)
        _empty_inbox(source)
        with _sqlite(source).connect() as copy, self._postgres().begin() as target:
            if any(name != "alembic_version" for name in inspect(target).get_table_names()) and _has_rows(target):
                raise ConflictError("the database of TAMIS_DATABASE_URL holds a system of record already")
            migrate(target)
            _copy_tables(copy, target)
            for table in metadata.sorted_tables:
                _count_on(target, table)

    def _postgres(self) -> Engine:
        url = make_url(str(self._url)).set(drivername="postgresql+psycopg")
        return create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")


def _check(revision: str | None) -> None:
    if revision is None:
        raise ConflictError("there is no system of record yet: start the server once with `tamis serve`")
    if revision != REVISION:
        raise ConflictError(
            f"the record has the schema {revision}, this version of Tamis the schema {REVISION}: back it up with the "
            "version that wrote it, or start this one once, which upgrades it"
        )


def _copy_file(source: Path, target: Path) -> None:
    """By SQLite's own online backup, in one step and so of one moment; writers go on meanwhile."""
    if not source.exists():
        raise ConflictError(f"{source} does not exist: start the server once with `tamis serve`")
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.execute("PRAGMA query_only = ON")
        reading.backup(writing)
        # One file that stands alone.
        writing.execute("PRAGMA journal_mode = DELETE")
        broken = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    if broken != "ok":
        raise StorageError(f"the database is damaged: {broken}")


def _empty_inbox(path: Path) -> None:
    """PostgreSQL has none: what is in it would be overlooked there."""
    with closing(sqlite3.connect(path)) as connection, connection:
        ExecutionInbox(Link(connection, Statements(pysqlite.dialect(paramstyle="named", dbapi=sqlite3)))).fold()


def _copy_tables(source: Connection, target: Connection) -> None:
    """Parents before children. Places of events mean nothing in another database: who follows is told of the gap."""
    for table in metadata.sorted_tables:
        if table is namespace_events:
            continue
        rows = source.execution_options(yield_per=_ROWS).execute(select(table))
        for part in rows.mappings().partitions(_ROWS):
            target.execute(insert(table), [dict(row) for row in part])


def _count_on(target: Connection, table: Table) -> None:
    """Rows that come with their numbers leave the sequence that gives them where it was."""
    if (counted := table.autoincrement_column) is not None:
        last = target.execute(select(func.max(counted))).scalar()
        following = text("SELECT setval(pg_get_serial_sequence(:table, :column), :next, false)")
        target.execute(following, {"table": table.name, "column": counted.name, "next": (last or 0) + 1})


def _rows(connection: Connection, table: Table) -> "Counter[bytes]":
    """A digest of each, however they are ordered; of what an index changes when it is made again, nothing."""
    if table is index_queue or table is namespace_events:
        return Counter()
    columns = [column for column in table.columns if (table.name, column.name) not in _OF_AN_INDEX]
    rows = connection.execution_options(yield_per=_ROWS).execute(select(*columns))
    return Counter(blake2b(repr(tuple(row)).encode(), digest_size=16).digest() for row in rows)


def _has_rows(connection: Connection) -> bool:
    there = set(inspect(connection).get_table_names())
    return any(
        connection.execute(select(1).select_from(table).limit(1)).first()
        for table in metadata.sorted_tables
        if table.name in there
    )


def _sqlite(path: Path) -> Engine:
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(path), poolclass=NullPool)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of drivers as ours."""
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, ImportError) as error:
        raise failure(getattr(error, "orig", None) or error, "the system of record cannot be copied") from error
