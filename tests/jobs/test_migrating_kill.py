"""kill -9 in the middle of a migration, wherever it is: a start goes on, and who searches has one of the two."""

import asyncio
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tamis.model.namespace_migration import MigrationStatus
from tamis.storage.index import open_edge_index
from tests.extraction_world import World, open_world
from tests.jobs.migrating_world import Migrating, furnished

ROOT = Path(__file__).parents[2]


def _child(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.jobs.migrating_child", str(path)], cwd=ROOT)


async def _answers(migrating: Migrating) -> Counter[str]:
    """By collection, what a retriever without an index finds in all of the namespace."""
    return Counter(one for one, _ in await migrating.ask("all"))


async def _migrated(path: Path, objects: int, kills: int, chance: random.Random) -> None:
    async with open_world(path) as world:
        migrating = Migrating(world)
        await furnished(migrating, [f"one {number}|two {number}" for number in range(objects)])
        old = await _answers(migrating)
        begun, _ = await migrating.migrations.create(world.principal, migrating.config(), start=True)
        await world.worker.stop()
        seen = [old]
        for _ in range(kills):
            child = _child(path)
            # At any moment: of the start, of the extraction, or of the switch.
            for _ in range(chance.randrange(1, 25)):
                seen.append(await _answers(migrating))
                await asyncio.sleep(0.05)
            child.kill()
            child.wait()
        last = _child(path)
        assert await asyncio.to_thread(last.wait, 200) == 0
        done = (await migrating.migrations.get(world.principal, begun.migration_id)).migration
        assert done.status is MigrationStatus.COMPLETED, done.error
        new = {pair.new_id: 2 * objects for pair in done.replacements}
        assert await _answers(migrating) == new
        assert all(one in (old, new) for one in seen)
        await _check_index(world, path, new)


async def _check_index(world: World, path: Path, counts: dict[str, int]) -> None:
    assert await world.metadata.read(lambda session: session.index_queue.pending(10)) == []
    index = await open_edge_index(path / "index")
    try:
        for collection_id, count in counts.items():
            assert await index.count(world.principal, collection_id, None) == count
    finally:
        await index.close()


async def test_a_migration_survives_being_killed(tmp_path: Path) -> None:
    await _migrated(tmp_path, 60, 1, random.Random(4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
async def test_a_migration_survives_being_killed_wherever_it_is(tmp_path: Path, seed: int) -> None:
    await _migrated(tmp_path, 100, 6, random.Random(seed))
