"""Lookups through the services: recorded, replayed with no database left, explained to who misses a document."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tamis.engine.reach import Reach
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.outside.sql.connections import Connection, Connections
from tamis.outside.sql.sqlite import SqliteDatabase
from tamis.services.runs.execution_runs import RunOptions
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import opened, specs, stage

ALL = stage("attribute_filter", field="text", operator="exists", value=True)


def stock(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE words(word TEXT, n INT)")
        made.execute("INSERT INTO words VALUES ('shoe', 3)")
    return path


async def test_a_frozen_replay_asks_no_database(tmp_path: Path) -> None:
    path = stock(tmp_path / "stock.db")
    reach = Reach(databases=Connections({"stock": Connection(SqliteDatabase(path, tmp_path / "data"))}))
    asking = stage(
        "sql_lookup",
        connection_id="stock",
        query="SELECT n FROM words WHERE instr(:text, word) > 0",
        parameters={"text": "{{ DOC.text }}"},
        on_no_results="error",
        on_error="remove",
    )
    async with opened(tmp_path, reach=reach) as world:
        found = await world.executions.execute_anonymous(PRINCIPAL, specs(ALL), {}, RunOptions())
        ran = await world.executions.execute_anonymous(PRINCIPAL, specs(ALL, asking), {}, RunOptions())
        assert ran.documents
        assert all(hit.extra["sql_result"] == {"n": 3} for hit in ran.documents)
        await world.executions.execute_anonymous(PRINCIPAL, specs(ALL, asking), {}, RunOptions())
        path.unlink()
        replayed = await world.replays.replay(PRINCIPAL, ran.execution_id, ReplayMode.FROZEN)
        assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None)
        (missing, *_) = sorted({hit.id for hit in found.documents} - {hit.id for hit in ran.documents})
        answer = await world.why.why(PRINCIPAL, ran.execution_id, missing)
        (stopped,) = [one for one in answer.stages if one.stage_name == answer.stopped_at]
        assert "the query found no row" in stopped.verdict.reason
