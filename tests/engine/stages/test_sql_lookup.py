"""sql_lookup: what is asked for each document, what is written of the answer, and what happens without one."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest

from tamis.engine.reach import Reach
from tamis.engine.stage import Context
from tamis.engine.stages.sql_lookup import SqlLookup
from tamis.errors import NotSetUpError, OutsideError, ValidationError
from tamis.model.hits import Hits
from tamis.outside.sql.connections import Connection, Connections, Limits
from tamis.outside.sql.sqlite import SqliteDatabase
from tests.engine.stages.shop import Shop, hit, ids, run

HITS = Hits.of([hit("a", 3.0, brand="Sole"), hit("b", 2.0, brand="' OR 1=1 --"), hit("c", 1.0)])
EVERY = {"query": "SELECT level FROM stock WHERE brand = :brand ORDER BY level"}


@pytest.fixture
def context(shop: Shop, tmp_path: Path) -> Context:
    path = tmp_path / "stock.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript(
            "CREATE TABLE stock(brand TEXT, level INT, place TEXT);"
            "INSERT INTO stock VALUES ('Sole', 3, 'Basel'), ('Sole', 5, 'Genf');"
        )
    stock = Connection(SqliteDatabase(path, tmp_path / "data"), Limits(max_rows=10))
    return replace(shop.context(1), reach=Reach(databases=Connections({"stock": stock})))


async def test_the_example(context: Context) -> None:
    outcome = await run("sql_lookup", SqlLookup.example, HITS, context)
    assert ids(outcome) == ["a", "b", "c"]
    rows = [one.extra.get("stock", "untouched") for one in outcome.hits]
    assert rows == [{"level": 3, "place": "Basel"}, None, "untouched"]
    assert outcome.metadata == {"failed": 1}
    assert "c: " in outcome.warnings[0]
    assert "brand" in outcome.warnings[0]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [{"level": 3}, None, ...]),
        ({"result_handling": "all"}, [[{"level": 3}, {"level": 5}], [], ...]),
        ({"multiple_rows": True}, [[{"level": 3}, {"level": 5}], [], ...]),
        ({"multiple_rows": True, "on_no_results": "skip"}, [[{"level": 3}, {"level": 5}], ..., ...]),
        ({"on_no_results": "skip"}, [{"level": 3}, ..., ...]),
        ({"on_no_results": "error", "on_error": "remove"}, [{"level": 3}]),
        ({"result_handling": "error_if_empty", "on_error": "remove"}, [{"level": 3}]),
        ({"result_handling": "error_if_multiple", "on_error": "remove"}, [None]),
        ({"when": {"field": "brand", "operator": "ne", "value": "Sole"}}, [..., None, ...]),
    ],
)
async def test_what_is_written(context: Context, more: dict[str, Any], expected: list[Any]) -> None:
    given = {**SqlLookup.example, **EVERY, "output_field": "sql_result", **more}
    outcome = await run("sql_lookup", given, HITS, context)
    assert [one.extra.get("sql_result", ...) for one in outcome.hits] == expected


async def test_rows_beyond_the_limit_are_told(context: Context) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n"
    given = {"connection_id": "stock", "query": many, "multiple_rows": True, "result_field": "rows"}
    outcome = await run("sql_lookup", given, HITS, context)
    assert all(one.extra["rows"] == [{"i": i} for i in range(1, 11)] for one in outcome.hits)
    assert outcome.warnings == ("3 documents have more rows than a lookup gives",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"query": "DELETE FROM stock"}, "a lookup is one SELECT"),
        ({"query": "SELECT 1; SELECT 2"}, "one statement"),
        ({"query": "SELECT * FROM stock WHERE brand = '{{ DOC.brand }}'"}, "holds no templates"),
        ({"query": "SELECT * FROM stock WHERE brand = ?"}, "written as :name"),
        ({"query": "SELECT :missing AS x"}, ":missing, which has no value"),
        ({"multiple_rows": True, "result_handling": "first"}, "say the same"),
        ({"timeout": 3, "timeout_ms": 3000}, "say the same"),
        ({"timeout_ms": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_a_run(more: dict[str, Any], said: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=said):
        SqlLookup.Parameters.model_validate({**SqlLookup.example, **more})


async def test_failures(context: Context, shop: Shop) -> None:
    wrong = {**SqlLookup.example, "query": "SELECT colour FROM stock"}
    with pytest.raises(OutsideError, match="no such column: colour"):
        await run("sql_lookup", {**wrong, "parameters": {}, "on_error": "raise"}, HITS, context)
    with pytest.raises(ValidationError, match="there are: stock"):
        await run("sql_lookup", {**SqlLookup.example, "connection_id": "other"}, HITS, context)
    with pytest.raises(NotSetUpError, match="TAMIS_SQL_CONNECTIONS"):
        await run("sql_lookup", SqlLookup.example, HITS, shop.context(1))
