"""The record copied whole, from either database and back into either: every row of every table."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, select

from tamis.errors import ConflictError, StorageError, StorageUnavailableError
from tamis.model.fault import Fault
from tamis.storage.metadata import open_postgres, open_sqlite, schema
from tamis.storage.metadata.copies import SqlCopies
from tamis.storage.metadata.schema import REVISION, metadata
from tamis.storage.metadata.upkeep import SqlUpkeep
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME
from tests.formats import make_metadata


async def filled(path: Path) -> Path:
    store = await open_sqlite(path)
    await store.write(make_metadata.fill)
    await store.close()
    return path


def put_one_into_the_inbox(path: Path) -> None:
    """As a kill right after an answer leaves it."""
    names = [column.name for column in schema.execution_inbox.columns]
    chosen = ", ".join("'exec_inbox'" if name == "execution_id" else name for name in names)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"INSERT INTO execution_inbox ({', '.join(names)}) SELECT {chosen} FROM executions LIMIT 1")


def rows_of(url: str) -> dict[str, list[Any]]:
    """Every row of every table, in a fixed order."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


EVENTS_STAY: dict[str, list[Any]] = {"namespace_events": []}
"""Their places mean nothing in another database."""


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """An empty one of PostgreSQL."""
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS copies WITH (FORCE)")
        connection.execute("CREATE DATABASE copies")
    yield postgres_url.rpartition("/")[0] + "/copies"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("DROP DATABASE copies WITH (FORCE)")


def without_events(found: set[Fault]) -> set[Fault]:
    return {fault for fault in found if not fault.where.startswith("namespace_events")}


def faults(upkeep: SqlUpkeep) -> set[Fault]:
    return set(upkeep.faults(deep=True))


async def test_a_copy_has_every_row(tmp_path: Path) -> None:
    source = await filled(tmp_path / "a.db")
    assert SqlCopies(source).take(tmp_path / "copy.db") == REVISION
    SqlCopies(tmp_path / "b.db").put_back(tmp_path / "copy.db")
    before = rows_of(f"sqlite:///{source}")
    assert sum(map(len, before.values())) > 20
    assert rows_of(f"sqlite:///{tmp_path / 'b.db'}") == before


async def test_by_way_of_postgres_nothing_changes(tmp_path: Path, database: str) -> None:
    source = await filled(tmp_path / "a.db")
    put_one_into_the_inbox(source)
    SqlCopies(source).take(tmp_path / "copy.db")
    await (await open_sqlite(source)).close()  # which empties the inbox
    there = SqlCopies(tmp_path / "none", database)
    with pytest.raises(ConflictError, match="no system of record"):
        there.take(tmp_path / "nothing.db")
    there.put_back(tmp_path / "copy.db")
    assert rows_of(database) == rows_of(f"sqlite:///{source}") | EVENTS_STAY
    assert ["exec_inbox" in str(row) for row in rows_of(database)["executions"]].count(True) == 1
    with pytest.raises(ConflictError, match="TAMIS_DATABASE_URL holds a system of record already"):
        there.put_back(tmp_path / "copy.db")
    assert there.take(tmp_path / "again.db") == REVISION
    assert rows_of(f"sqlite:///{tmp_path / 'again.db'}") == rows_of(database)

    assert faults(SqlUpkeep(source)), "the sample is of everything, and agrees with little"
    assert faults(SqlUpkeep(tmp_path, database)) == without_events(faults(SqlUpkeep(source)))
    for upkeep in (SqlUpkeep(source), SqlUpkeep(tmp_path, database)):
        upkeep.mend()
        assert not any(fault.is_derived for fault in faults(upkeep))
    assert faults(SqlUpkeep(tmp_path, database)) == without_events(faults(SqlUpkeep(source)))

    store = await open_postgres(database)
    before = await store.read(lambda session: session.index_queue.pending(100))
    await store.write(lambda session: session.documents.put(ME, "col_first", [samples.write(7)]))
    after = await store.read(lambda session: session.index_queue.pending(100))
    await store.close()
    assert after[-1].sequence == before[-1].sequence + 1, "numbers go on where they were"
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        counted = "SELECT nextval(pg_get_serial_sequence('webhook_deliveries', 'sequence')), max(sequence) "
        ((following, last),) = connection.execute(counted + "FROM webhook_deliveries").fetchall()
    assert following == last + 1, "those of what webhooks are told, too"


async def test_a_copy_is_of_one_moment_and_keeps_no_writer_waiting(tmp_path: Path) -> None:
    """Two rows that are only ever changed together are never copied apart."""
    source = await filled(tmp_path / "a.db")
    with closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE pair (name TEXT, value INTEGER)")
        writer.execute("INSERT INTO pair VALUES ('left', 0), ('right', 0)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE pair SET value = 1 WHERE name = 'left'")
        SqlCopies(source).take(tmp_path / "during.db")
        writer.execute("UPDATE pair SET value = 1 WHERE name = 'right'")
        writer.execute("COMMIT")
        SqlCopies(source).take(tmp_path / "after.db")
    for name, value in (("during", 0), ("after", 1)):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as copy:
            assert [row[0] for row in copy.execute("SELECT value FROM pair")] == [value, value]


async def test_what_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    source = await filled(tmp_path / "a.db")
    with pytest.raises(ConflictError, match="start the server once"):
        SqlCopies(tmp_path / "none.db").take(tmp_path / "copy.db")
    with pytest.raises(ConflictError, match="exists already"):
        SqlCopies(source).put_back(source)
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(ConflictError, match="back it up with the version that wrote it"):
        SqlCopies(source).take(tmp_path / "copy.db")
    damaged = tmp_path / "damaged.db"
    data = bytearray(source.read_bytes())
    data[4096 * 3 : 4096 * 3 + 512] = bytes(512)
    damaged.write_bytes(data)
    with pytest.raises(StorageError):
        SqlCopies(damaged).take(tmp_path / "copy.db")


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
async def test_while_it_is_held_nobody_writes_and_everybody_reads(tmp_path: Path, database: str, backend: str) -> None:
    source = await filled(tmp_path / "a.db")
    SqlCopies(source).take(tmp_path / "copy.db")
    copies, url = SqlCopies(source), None
    if backend == "postgres":
        copies, url = SqlCopies(tmp_path / "none", database), database
        copies.put_back(tmp_path / "copy.db")
    store = await (open_postgres(url, wait_s=0.2) if url else open_sqlite(source, wait_s=0.2))

    async def write() -> None:
        await store.write(lambda session: session.documents.put(ME, "col_first", [samples.write(7)]))

    with copies.held():
        with pytest.raises(StorageUnavailableError):
            await write()
        assert await store.read(lambda session: session.index_queue.pending(1))
        assert copies.take(tmp_path / "held.db") == REVISION
    await write()
    await store.close()


async def test_copies_differ_in_the_tables_whose_rows_do(tmp_path: Path) -> None:
    source = await filled(tmp_path / "a.db")
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    for copy in (one, other):
        SqlCopies(source).take(copy)
    put_one_into_the_inbox(one)
    put_one_into_the_inbox(other)
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE collections SET revision = revision + 1")
        connection.execute("DELETE FROM index_queue")
    assert SqlCopies(source).differing(one, other) == []
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("DELETE FROM documents WHERE document_id = (SELECT min(document_id) FROM documents)")
        connection.execute("DELETE FROM api_keys")
    assert set(SqlCopies(source).differing(one, other)) == {"documents", "api_keys"}
