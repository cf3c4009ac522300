"""Executions from before there were figures are counted after the migration, wherever the counting is cut short."""

import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata
from tamis.model.execution import StoredExecution
from tamis.storage.metadata import open_sqlite, writer
from tamis.storage.metadata.figure_tables import execution_figures, figures_left, slow_executions
from tamis.storage.metadata.upkeep import SqlUpkeep
from tamis.testing.metadata_contract.analytics import check, delete, insert, measured
from tamis.testing.metadata_contract.samples import ME, NOW, STRANGERS


def without_figures(path: Path) -> None:
    """Make the database what the migration to figures leaves of one that had none."""
    with closing(sqlite3.connect(path)) as database, database:
        for table in (execution_figures, slow_executions):
            database.execute(f"DELETE FROM {table.name}")
        before_at = int(NOW.replace(month=4).timestamp()) * 10**6
        database.execute(f"INSERT INTO {figures_left.name} VALUES (?, '', '', '', 0)", (before_at,))


@pytest.fixture
def every() -> list[StoredExecution]:
    chance = random.Random(11)
    return [measured(chance, number, (None, "ret_1", "ret_2")[number % 3]) for number in range(10, 70)]


@pytest.fixture
async def old(tmp_path: Path, every: list[StoredExecution], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Metadata]:
    """A store of records without figures, one of them still in the inbox."""
    monkeypatch.setattr(writer, "ASIDE_S", 3600.0)
    path = tmp_path / "tamis.db"
    metadata = await open_sqlite(path)
    await insert(metadata, every[:-1])
    await insert(metadata, every[:5], STRANGERS[0])
    await metadata.keep(Entry(ME, every[-1], {}))
    await metadata.close()
    without_figures(path)
    metadata = await open_sqlite(path)
    yield metadata
    await metadata.close()


async def _count(metadata: Metadata, limit: int) -> bool:
    return await metadata.write(lambda session: session.analytics.count_older(limit))


async def test_all_are_counted_a_few_at_a_time(old: Metadata, every: list[StoredExecution]) -> None:
    assert not await old.read(lambda session: session.analytics.is_whole())
    steps = 1
    while await _count(old, 10):
        steps += 1
    assert steps == 7  # 65 records, ten at a time
    assert await old.read(lambda session: session.analytics.is_whole())
    await check(old, every)
    await check(old, every[:5], STRANGERS[0])
    assert not await _count(old, 10)
    await check(old, every)


async def test_what_comes_and_goes_meanwhile_is_counted_once(
    tmp_path: Path, old: Metadata, every: list[StoredExecution]
) -> None:
    chance = random.Random(12)
    there = {one.header.execution_id: one for one in every}
    number = 0
    more = True
    while more:
        # From before, as an imported one: its key lies in front of what is counted, or behind it.
        for place in (chance.randint(0, 9), chance.randint(100, 999)):
            late = measured(chance, place * 1000 + number, "ret_1")
            there[late.header.execution_id] = late
            await insert(old, [late])
        gone = [chance.choice(sorted(there)) for _ in range(3)]
        for execution_id in set(gone):
            header = there.pop(execution_id).header
            await delete(old, header)
        assert _faulty(SqlUpkeep(tmp_path / "tamis.db"), deep=True) == 0
        number += 1
        more = await _count(old, 7)
    await check(old, there.values())


async def test_a_new_store_has_nothing_to_catch_up_with(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    assert await metadata.read(lambda session: session.analytics.is_whole())
    await metadata.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE execution_figures SET micro_credits = micro_credits + 1 WHERE place = 0",
        "DELETE FROM execution_figures WHERE place = 1",
        "UPDATE execution_figures SET hour = hour + 1000",
        "UPDATE execution_figures SET retriever_id = 'ret_none' WHERE retriever_id = 'ret_2'",
    ],
)
async def test_what_the_figures_have_wrong_is_found_and_mended(
    tmp_path: Path, every: list[StoredExecution], damage: str
) -> None:
    path = tmp_path / "tamis.db"
    metadata = await open_sqlite(path)
    await insert(metadata, every)
    await metadata.close()
    upkeep = SqlUpkeep(path)
    assert _faulty(upkeep, deep=True) == 0
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(damage).rowcount > 0
    assert _faulty(upkeep, deep=False) == 0
    assert _faulty(upkeep, deep=True) > 0
    upkeep.mend()
    assert _faulty(upkeep, deep=True) == 0
    metadata = await open_sqlite(path)
    await check(metadata, every)
    await metadata.close()


def _faulty(upkeep: SqlUpkeep, deep: bool) -> int:
    return sum(one.kind == "execution_figures" for one in upkeep.faults(deep))
