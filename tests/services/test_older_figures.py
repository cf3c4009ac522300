"""A store from before there were some counters is counted by the server, behind everything else, across a stop."""

import asyncio
import random
from pathlib import Path

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.metadata import Metadata
from tamis.services.upkeep.older_figures import OlderFigures
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import analytics, spans
from tamis.testing.metadata_contract.samples import NOW
from tests.retrieval_world import WallClock
from tests.storage.older_counters import without_modes
from tests.storage.test_older_figures import without_figures


async def _is_whole(metadata: Metadata) -> bool:
    return await metadata.read(lambda session: session.executions.is_whole() and session.analytics.is_whole())


async def test_both_kinds_are_counted_across_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later_ns = int(NOW.replace(month=4).timestamp()) * 10**9
    path = tmp_path / "tamis.db"
    metadata = await open_sqlite(path)
    chance = random.Random(41)
    every = [analytics.measured(chance, number, (None, "ret_1", "ret_2")[number % 3]) for number in range(10, 60)]
    await analytics.insert(metadata, every)
    await metadata.close()
    with monkeypatch.context() as patched:
        patched.setattr("time.time_ns", lambda: later_ns)
        without_modes(f"sqlite:///{path}")
    without_figures(path)
    metadata = await open_sqlite(path)
    try:
        assert not await _is_whole(metadata)
        first = OlderFigures(metadata, WallClock(), LocalLocks(), chunk=10)
        first.start()
        await asyncio.sleep(0)
        await first.close()
        second = OlderFigures(metadata, WallClock(), LocalLocks(), chunk=10)
        second.start()
        assert second._task is not None
        async with asyncio.timeout(30):
            await second._task
        await second.close()
        assert await _is_whole(metadata)
        await analytics.check(metadata, every)
        await spans.check(metadata, every)
    finally:
        await metadata.close()
