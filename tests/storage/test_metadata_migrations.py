"""The schema's history: it leads to the tables that the code is written for, and never back to older code."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, inspect

from tamis.errors import StorageError
from tamis.storage.metadata import migrate, open_sqlite, schema
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path / 'tamis.db'}", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def test_the_migrations_lead_to_the_schema(connection: Connection) -> None:
    migrate.migrate(connection)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, schema.metadata) == []


def test_tables_are_made_letter_by_letter_as_the_schema_says(connection: Connection, tmp_path: Path) -> None:
    """What the comparison of Alembic does not see: STRICT, AUTOINCREMENT, an index's direction."""
    migrate.migrate(connection)
    engine = create_engine("sqlite://", poolclass=NullPool)
    statement = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%alembic%' ORDER BY name"
    with engine.connect() as direct:
        schema.metadata.create_all(direct)
        expected = direct.exec_driver_sql(statement).fetchall()
        found = connection.exec_driver_sql(statement).fetchall()
    assert found == expected


def test_the_code_is_written_for_the_newest_migration(connection: Connection) -> None:
    assert migrate._script().get_heads() == [schema.REVISION]
    migrate.migrate(connection)
    assert migrate.current_revision(connection) == schema.REVISION


def test_a_second_run_changes_nothing(connection: Connection) -> None:
    migrate.migrate(connection)
    before = inspect(connection).get_table_names()
    migrate.migrate(connection)
    assert inspect(connection).get_table_names() == before


async def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tamis.db"
    metadata = await open_sqlite(path)
    await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket()))
    await metadata.close()
    _set_revision(path, "9999")
    with pytest.raises(StorageError, match=r"newer Tamis: its schema is '9999'"):
        await open_sqlite(path)
    _set_revision(path, schema.REVISION)
    metadata = await open_sqlite(path)
    assert await metadata.read(lambda session: session.buckets.get(ME, "first")) == samples.bucket()
    await metadata.close()


def _set_revision(path: Path, revision: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
