"""The contract on PostgreSQL, a server of the test run's own."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tamis.errors import StorageError
from tamis.storage.metadata import open_postgres
from tamis.storage.metadata.postgres import PostgresMetadata
from tamis.storage.metadata.upkeep import SqlUpkeep
from tamis.testing.metadata_contract import MetadataContract, samples, spans
from tamis.testing.metadata_contract.analytics import check, delete, insert, measured
from tamis.testing.metadata_contract.samples import ME
from tests.storage.older_counters import faulty_counters, without_modes

_numbers = itertools.count()


def _execute(url: str, statement: str) -> None:
    address = make_url(url)
    with psycopg.connect(
        host=address.host, port=address.port, user=address.username, dbname=address.database, autocommit=True
    ) as connection:
        connection.execute(statement.encode())


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    """A database that has been migrated; each test gets a copy of it."""
    _execute(postgres_url, "CREATE DATABASE template_tamis TEMPLATE template0 ENCODING 'UTF8'")
    url = make_url(postgres_url).set(database="template_tamis").render_as_string(hide_password=False)
    metadata = PostgresMetadata(url)
    metadata._close()
    return "template_tamis"


@pytest.fixture
def database_url(postgres_url: str, template: str) -> str:
    name = f"tamis_{next(_numbers)}"
    _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


class TestPostgres(MetadataContract):
    @pytest.fixture
    async def metadata(self, database_url: str) -> AsyncIterator[PostgresMetadata]:
        metadata = await open_postgres(database_url)
        yield metadata
        await metadata.close()


async def test_a_lost_connection_is_replaced(postgres_url: str, database_url: str) -> None:
    metadata = await open_postgres(database_url)
    await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket()))
    assert await metadata.read(lambda session: len(session.buckets.list(ME))) == 1
    name = make_url(database_url).database
    _execute(postgres_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert await metadata.read(lambda session: len(session.buckets.list(ME))) == 1
    await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket("second")))
    await metadata.close()


async def test_a_newer_database_is_refused(database_url: str) -> None:
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="newer Tamis"):
        await open_postgres(database_url)


async def test_a_server_that_is_not_there_is_named(postgres_url: str) -> None:
    nowhere = make_url(postgres_url).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(StorageError, match="no_such_database"):
        await open_postgres(nowhere)


async def test_older_executions_are_counted_once_whoever_writes_meanwhile(database_url: str) -> None:
    metadata = await open_postgres(database_url)
    chance = random.Random(13)
    old = [measured(chance, number) for number in range(10, 60)]
    late = [measured(chance, number) for number in range(60, 80)]
    there = {one.header.execution_id: one for one in [*old, *late]}
    await insert(metadata, old)
    await metadata.close()
    _execute(database_url, "TRUNCATE execution_figures, slow_executions")
    _execute(database_url, "INSERT INTO figures_left VALUES (4000000000000000, '', '', '', 0)")
    metadata = await open_postgres(database_url)

    async def count() -> None:
        while await metadata.write(lambda session: session.analytics.count_older(6)):
            pass

    async def come(number: int) -> None:
        await insert(metadata, [late[number]])

    async def go(execution_id: str) -> None:
        await delete(metadata, there.pop(execution_id).header)

    gone = [one.header.execution_id for one in old[::4]]
    await asyncio.gather(count(), *(come(number) for number in range(20)), *(go(one) for one in gone))
    assert await metadata.read(lambda session: session.analytics.is_whole())
    await check(metadata, there.values())
    await metadata.close()


async def test_executions_from_before_counters_had_modes_are_counted_once_whoever_writes_meanwhile(
    database_url: str,
) -> None:
    metadata = await open_postgres(database_url)
    chance = random.Random(33)
    every = [spans.ran(chance, number, number % 7) for number in range(10, 80)]
    old, late = every[:50], every[50:]
    there = {one.header.execution_id: one for one in every}
    await spans.insert(metadata, old)
    await metadata.close()
    without_modes(make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))
    metadata = await open_postgres(database_url)
    assert not await metadata.read(lambda session: session.executions.is_whole())

    async def count() -> None:
        while await metadata.write(lambda session: session.executions.count_older(6)):
            pass

    async def go(execution_id: str) -> None:
        await spans.delete(metadata, [there.pop(execution_id).header])

    gone = [one.header.execution_id for one in old[::4]]
    await asyncio.gather(count(), *(spans.insert(metadata, [one]) for one in late), *(go(one) for one in gone))
    await spans.check(metadata, there.values())
    await metadata.close()
    assert faulty_counters(SqlUpkeep(Path(), database_url)) == []
