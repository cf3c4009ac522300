"""Lookups in a real PostgreSQL: by a role that may read one table, and what no query gets out of it."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tamis.engine.ports.databases import Lookup, Rows
from tamis.errors import LookupTimeoutError, OutsideError, OutsideRefusedError
from tamis.model.json import JSON
from tamis.outside.sql.connections import Connection, Connections, Limits
from tamis.outside.sql.postgres import PostgresDatabase
from tests.engine.pipelines import PRINCIPAL

SETUP = """
DROP SCHEMA IF EXISTS shop CASCADE; DROP ROLE IF EXISTS reader;
CREATE SCHEMA shop; CREATE ROLE reader LOGIN;
CREATE TABLE shop.stock(sku text, n int, price numeric(9, 2), at timestamptz, raw bytea, tags text[]);
INSERT INTO shop.stock VALUES ('a', 1, 9.5, '2026-01-31T12:00:00Z', '\\x00ff', '{x,y}');
INSERT INTO shop.stock VALUES ('b', 2);
CREATE TABLE shop.secrets(v text); INSERT INTO shop.secrets VALUES ('s');
CREATE SEQUENCE shop.numbers; GRANT USAGE ON SCHEMA shop TO reader; GRANT ALL ON shop.stock, shop.numbers TO reader;
"""


@pytest.fixture(scope="module")
def reader(postgres_url: str) -> str:
    """The URL of a role that may even write in one table."""
    url = make_url(postgres_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(SETUP)
    return url.set(username="reader").render_as_string(hide_password=False)


@pytest.fixture
async def shop(reader: str) -> AsyncIterator[Connections]:
    limits = Limits(max_rows=10, max_bytes=10_000, timeout_s=5.0)
    connections = Connections({"shop": Connection(PostgresDatabase(reader), limits)})
    yield connections
    await connections.close()


async def look(connections: Connections, query: str, timeout_s: float = 5.0, most: int = 100, **given: JSON) -> Rows:
    return await connections.look_up(PRINCIPAL, Lookup("shop", query, given, most, timeout_s))


async def test_rows_are_json_and_values_are_bound(shop: Connections) -> None:
    query = "SELECT * FROM shop.stock WHERE sku = :sku AND n % 2 = 1 AND sku LIKE '%a%' -- :nothing's\n"
    (row,) = (await look(shop, query, sku="a")).rows
    assert row["price"] == 9.5
    assert (row["n"], row["raw"], row["tags"]) == (1, "\\x00ff", ["x", "y"])
    assert str(row["at"]).startswith("2026-01-31T")
    assert (await look(shop, query, sku="a' OR '1'='1")).rows == ()
    typed = "SELECT n FROM shop.stock WHERE n = ANY(:wanted) AND :n::int > 0 AND 'x' = ANY(tags) /* a /* b */ */"
    assert (await look(shop, typed, wanted=[1, 2], n="3")).rows == ({"n": 1},)
    assert (await look(shop, "SELECT :made ->> 'a' AS v", made={"a": "b"})).rows == ({"v": "b"},)
    found = await look(shop, "SELECT n FROM shop.stock ORDER BY n", most=1)
    assert found == Rows(({"n": 1},), truncated=True)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM shop.stock",
        "WITH x AS (DELETE FROM shop.stock RETURNING *) SELECT * FROM x",
        "SELECT 1) AS a; DROP TABLE shop.stock; SELECT (1",
        "SELECT 1) AS asked) AS made; DELETE FROM shop.stock --",
        "SELECT v FROM shop.secrets",
        "SELECT nextval('shop.numbers')",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT \"set_config\"('transaction_read_only', 'off', true)",
        "SELECT pg_catalog.pg_sleep(1)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT query_to_xml('SELECT pg_sleep(1)', true, true, '')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_notify('a', 'b')",
        "SELECT pg_terminate_backend(1)",
        "SELECT U&\"set\\005fconfig\"('a', 'b', true)",
        "SELECT $$open",
        "SELECT * FROM shop.stock WHERE sku = $1",
        "COPY shop.stock TO PROGRAM 'true'",
    ],
)
async def test_escapes_are_refused(shop: Connections, query: str) -> None:
    with pytest.raises(OutsideError if "WITH x" in query else OutsideRefusedError):
        await look(shop, query)
    assert (await look(shop, "SELECT count(*) AS n FROM shop.stock")).rows == ({"n": 2},)


async def test_a_lock_for_writing_is_not_taken(shop: Connections) -> None:
    with pytest.raises(OutsideRefusedError, match="read-only transaction"):
        await look(shop, "SELECT n FROM shop.stock FOR UPDATE")


async def test_limits_hold(shop: Connections) -> None:
    with pytest.raises(LookupTimeoutError):
        await look(shop, "SELECT count(*) FROM generate_series(1, 100000000000) AS n", timeout_s=0.2)
    for query in ("SELECT repeat('x', 20000) AS x", "SELECT repeat('x', 6000) AS x FROM shop.stock"):
        with pytest.raises(OutsideError, match="larger than 10000 bytes"):
            await look(shop, query)
    with pytest.raises(OutsideError, match=r"refused the query: column \"m\" does not exist"):
        await look(shop, "SELECT m FROM shop.stock")
    assert (await look(shop, "SELECT 1 AS n")).rows == ({"n": 1},)


async def test_a_connection_that_was_cut_is_opened_anew(shop: Connections, reader: str, postgres_url: str) -> None:
    assert (await look(shop, "SELECT 1 AS n")).rows == ({"n": 1},)
    url = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
        ended = await admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader'"
        )
        assert await ended.fetchone() != (0,)
    assert (await look(shop, "SELECT 2 AS n")).rows == ({"n": 2},)


async def test_nobody_is_told_where_it_is() -> None:
    nowhere = Connections({"shop": Connection(PostgresDatabase("postgresql://reader:hidden@127.0.0.1:1/shop"))})
    with pytest.raises(OutsideError) as caught:
        await look(nowhere, "SELECT 1 AS n")
    assert str(caught.value) == "the database does not answer"
    assert caught.value.__cause__ is None
