"""Executions from before counters had modes are counted by theirs after the migration, wherever that is cut short."""

import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tamis.engine.ports.executions import Entry, ExecutionQuery
from tamis.engine.ports.metadata import Metadata
from tamis.model.execution import StoredExecution
from tamis.storage.metadata import open_sqlite, writer
from tamis.storage.metadata.upkeep import SqlUpkeep
from tamis.testing.metadata_contract.samples import ME, NOW, STRANGERS
from tamis.testing.metadata_contract.spans import check, delete, insert, ran
from tests.storage.older_counters import faulty_counters, without_modes


@pytest.fixture
def every() -> list[StoredExecution]:
    chance = random.Random(31)
    return [ran(chance, number) for number in range(10, 70)]


@pytest.fixture
async def path(tmp_path: Path, every: list[StoredExecution], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of records that are counted without a mode, one of them still in the inbox."""
    monkeypatch.setattr(writer, "ASIDE_S", 3600.0)
    later_ns = int(NOW.replace(month=4).timestamp()) * 10**9
    monkeypatch.setattr("time.time_ns", lambda: later_ns)
    path = tmp_path / "tamis.db"
    metadata = await open_sqlite(path)
    await insert(metadata, every[:-1])
    await insert(metadata, every[:5], STRANGERS[0])
    await metadata.keep(Entry(ME, every[-1], {}))
    await metadata.close()
    without_modes(f"sqlite:///{path}")
    return path


@pytest.fixture
async def old(path: Path) -> AsyncIterator[Metadata]:
    metadata = await open_sqlite(path)
    yield metadata
    await metadata.close()


async def _count(metadata: Metadata, limit: int) -> bool:
    return await metadata.write(lambda session: session.executions.count_older(limit))


async def _total(metadata: Metadata) -> int:
    owners = (None, "ret_1", "ret_2")
    queries = [ExecutionQuery(owner) for owner in owners]
    return await metadata.read(lambda session: sum(session.executions.count(ME, query) for query in queries))


async def test_all_are_counted_a_few_at_a_time_and_the_total_is_right_all_the_while(
    old: Metadata, every: list[StoredExecution]
) -> None:
    assert not await old.read(lambda session: session.executions.is_whole())
    assert await _total(old) == 60
    steps = 1
    while await _count(old, 10):
        steps += 1
        assert await _total(old) == 60
    assert steps == 7  # 65 records, ten at a time
    await check(old, every)
    await check(old, every[:5], STRANGERS[0])
    assert not await _count(old, 10)
    await check(old, every)


async def test_what_comes_and_goes_meanwhile_is_counted_once(
    path: Path, old: Metadata, every: list[StoredExecution]
) -> None:
    chance = random.Random(32)
    there = {one.header.execution_id: one for one in every}
    number = 0
    more = True
    while more:
        # From before, as an imported one: its key lies in front of what is counted, or behind it.
        for place in (chance.randint(0, 9), chance.randint(100, 999)):
            late = ran(chance, place * 1000 + number)
            there[late.header.execution_id] = late
            await insert(old, [late])
        gone = chance.sample(sorted(there), 3)
        await delete(old, [there.pop(execution_id).header for execution_id in gone])
        assert await _total(old) == len(there)
        assert faulty_counters(SqlUpkeep(path)) == []
        number += 1
        more = await _count(old, 7)
    await check(old, there.values())


async def test_a_damaged_header_holds_up_nobody(path: Path, old: Metadata, every: list[StoredExecution]) -> None:
    """It stays counted without a mode until it is deleted."""
    await _total(old)
    damaged = every[7].header
    with closing(sqlite3.connect(path)) as database, database:
        changed = "UPDATE executions SET header = '{' WHERE execution_id = ? AND organization_id = ?"
        assert database.execute(changed, (damaged.execution_id, ME.organization_id)).rowcount == 1
    while await _count(old, 10):
        pass
    assert await _total(old) == 60
    assert faulty_counters(SqlUpkeep(path)) == []
    await delete(old, [damaged])
    await check(old, [one for one in every if one.header is not damaged])


async def test_a_new_store_has_nothing_to_catch_up_with(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    assert await metadata.read(lambda session: session.executions.is_whole())
    await metadata.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE execution_counts SET micro_credits = micro_credits + 1 WHERE span_s = 60 AND mode = 'public'",
        "UPDATE execution_counts SET mode = 'none' WHERE mode = 'saved'",
        "UPDATE execution_counts SET cache_micros = cache_micros - 1 WHERE span_s = 0 AND mode = 'saved'",
        "DELETE FROM execution_steps WHERE mode = 'public' AND span_s = 3600",
        "UPDATE execution_steps SET start_at = start_at - 864000000000 WHERE span_s = 60",
        "INSERT INTO execution_steps VALUES (60, 'org_x', 'ns_x', '', 0, 'saved', 0, x'810701')",
        "UPDATE execution_steps SET steps = x'00' WHERE mode = 'anonymous'",
        "DELETE FROM execution_counts",
    ],
)
async def test_what_the_counters_have_wrong_is_found_and_mended(
    tmp_path: Path, every: list[StoredExecution], damage: str
) -> None:
    path = tmp_path / "tamis.db"
    metadata = await open_sqlite(path)
    await insert(metadata, every)
    await metadata.close()
    upkeep = SqlUpkeep(path)
    assert faulty_counters(upkeep) == []
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(damage).rowcount > 0
    assert faulty_counters(upkeep) != []
    upkeep.mend()
    assert faulty_counters(upkeep) == []
    metadata = await open_sqlite(path)
    await check(metadata, every)
    await metadata.close()
