"""Lookups in SQLite files: what is read, and what no query gets."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tamis.engine.ports.databases import Lookup, Rows
from tamis.engine.reach import Reach
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped_reach import taped_reach
from tamis.errors import LookupTimeoutError, OutsideError, OutsideRefusedError, ValidationError
from tamis.model.json import JSON
from tamis.outside.sql.connections import Connection, Connections, Limits
from tamis.outside.sql.sqlite import SqliteDatabase
from tests.engine.pipelines import PRINCIPAL

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript(
            "CREATE TABLE stock(sku TEXT, n INT, raw BLOB); CREATE TABLE secrets(v TEXT);"
            "INSERT INTO stock VALUES ('a', 1, x'00ff'), ('b', 2, NULL), ('c', 3, NULL);"
            "INSERT INTO secrets VALUES ('s');"
            "CREATE VIEW leak AS SELECT v FROM secrets;"
        )
    return path


def opened(path: Path, tables: frozenset[str] | None = None, **limits: float) -> Connections:
    database = SqliteDatabase(path, path.parent / "data", tables)
    bounds = Limits(int(limits.get("rows", 10)), int(limits.get("size", 10_000)), limits.get("time", 5.0))
    return Connections({"shop": Connection(database, bounds), "theirs": Connection(database, bounds, ("ns_other",))})


async def look(connections: Connections, query: str, name: str = "shop", **given: JSON) -> Rows:
    values: Mapping[str, JSON] = given
    return await connections.look_up(PRINCIPAL, Lookup(name, query, values, 100, 5.0))


def contents(directory: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in directory.iterdir()}


def names_of_one_file(data: Path, copied: Path) -> list[Path]:
    """A file in the data directory, under its name and three others."""
    data.mkdir()
    inside = data / "tamis.db"
    inside.write_bytes(copied.read_bytes())
    soft, hard = data.parent / "soft.db", data.parent / "hard.db"
    soft.symlink_to(inside)
    os.link(inside, hard)
    return [inside, soft, hard, data / ".." / "data" / "tamis.db"]


async def test_values_are_bound_and_never_text(shop: Path) -> None:
    query = "SELECT n, raw FROM stock WHERE sku = :sku -- it's :nothing"
    assert (await look(opened(shop), query, sku="a")).rows == ({"n": 1, "raw": "\\x00ff"},)
    assert (await look(opened(shop), query, sku="a' OR '1'='1")).rows == ()
    with pytest.raises(ValidationError, match=":sku, which has no value"):
        await look(opened(shop), query)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM stock",
        "WITH x AS (SELECT 1) DELETE FROM stock",
        "SELECT 1; DROP TABLE stock",
        "PRAGMA table_info(stock)",
        "SELECT * FROM pragma_table_info('stock')",
        "SELECT * FROM pragma_database_list",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT sql FROM sqlite_master",
        "SELECT sql FROM sqlite_schema",
        "BEGIN EXCLUSIVE",
        "EXPLAIN SELECT 1",
        "SELECT * FROM stock WHERE sku = ?",
        "SELECT 1 /* open",
        "SELECT 'open",
        "",
    ],
)
async def test_escapes_are_refused(shop: Path, query: str) -> None:
    before = contents(shop.parent)
    with pytest.raises(OutsideRefusedError):
        await look(opened(shop), query)
    assert contents(shop.parent) == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT v FROM secrets",
        "SELECT v FROM leak",
        "SELECT (SELECT v FROM secrets) AS v FROM stock",
        "WITH stock AS (SELECT v FROM secrets) SELECT * FROM stock",
        "SELECT count(*) AS n FROM secrets",
    ],
)
async def test_only_listed_tables_are_read(shop: Path, query: str) -> None:
    with pytest.raises(OutsideRefusedError, match="not allowed"):
        await look(opened(shop, frozenset({"stock"})), query)
    assert (await look(opened(shop, frozenset({"stock"})), "SELECT n FROM stock WHERE n = 1")).rows == ({"n": 1},)


async def test_limits_hold(shop: Path) -> None:
    with pytest.raises(LookupTimeoutError):
        await look(opened(shop, time=0.2), ENDLESS)
    found = await look(opened(shop, rows=2), "SELECT n FROM stock ORDER BY n")
    assert found == Rows(({"n": 1}, {"n": 2}), truncated=True)
    with pytest.raises(OutsideError, match="larger than 1000 bytes"):
        await look(opened(shop, size=1000), "SELECT printf('%.5000c', 'x') AS x")
    with pytest.raises(OutsideError, match="refused the query"):
        await look(opened(shop), "SELECT zeroblob(1000000000) AS x")


async def test_the_data_directory_is_refused_under_every_name(shop: Path) -> None:
    data = shop.parent / "data"
    for path in names_of_one_file(data, shop):
        with pytest.raises(OutsideRefusedError, match="data directory"):
            await look(Connections({"shop": Connection(SqliteDatabase(path, data))}), "SELECT 1 AS x")


async def test_a_wrong_name_names_this_namespaces_connections(shop: Path) -> None:
    for name in ("nope", "theirs"):
        with pytest.raises(ValidationError, match=r"there are: shop$") as caught:
            await look(opened(shop), "SELECT 1 AS x", name)
        assert str(shop) not in str(caught.value)


async def test_a_replay_asks_nobody(shop: Path) -> None:
    tape, lookup = RecordingTape(), Lookup("shop", "SELECT n FROM stock WHERE n = :n", {"n": 2}, 10, 5.0)
    live = taped_reach(Reach(databases=opened(shop)), tape).databases
    found = await live.look_up(PRINCIPAL, lookup)
    os.unlink(shop)
    playback = PlaybackTape([call.recorded() for call in tape.calls], Archive())
    again = taped_reach(Reach(databases=opened(shop)), playback).databases
    assert await again.look_up(PRINCIPAL, lookup) == found
    with pytest.raises(OutsideError, match="cannot be opened"):
        await look(opened(shop), "SELECT 1 AS x")
