"""The contract on PostgreSQL, a server of the test run's own."""

import itertools
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import make_url

from tamis.errors import StorageError
from tamis.storage.metadata import open_postgres
from tamis.storage.metadata.postgres import PostgresMetadata
from tamis.testing.metadata_contract import MetadataContract, samples
from tamis.testing.metadata_contract.samples import ME

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
