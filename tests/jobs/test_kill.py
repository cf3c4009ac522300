"""kill -9 in the middle of a batch: a start goes on, and every object ends with its documents exactly once.

A third of the objects say what others say, and are given copies of what those became.
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tamis.model.batch import ItemStatus, TaskStatus
from tamis.storage.index import open_edge_index
from tests.extraction_world import BAD, World, open_world

ROOT = Path(__file__).parents[2]
OBJECTS = 300


def start_child(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.jobs.extracting_child", str(path)], cwd=ROOT)


async def done(world: World, batch_id: str) -> int:
    counts = await world.metadata.read(lambda session: session.batches.count_items(world.principal, batch_id))
    return sum(count for (_, status), count in counts.items() if status is ItemStatus.DONE)


async def kill_midway(world: World, path: Path, batch_id: str) -> None:
    """Start a child and kill it once it has got on by some sources."""
    before = await done(world, batch_id)
    child = start_child(path)
    try:
        deadline = time.monotonic() + 60
        while await done(world, batch_id) < before + 20:
            assert child.poll() is None, "the child ended before it could be killed"
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
    finally:
        child.kill()
        child.wait()


async def test_a_batch_survives_being_killed(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.worker.stop()
        bucket = await world.bucket()
        views = [{"text": f"{BAD if number == 50 else 'one'}|two {number % 200}"} for number in range(OBJECTS)]
        ids = await world.objects(bucket, views)
        first = await world.collection("first", bucket, parameters={"separator": "|"})
        second = await world.collection("second", first)
        batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
        await world.batches.submit(world.principal, bucket.name, batch.batch_id)
        index = await open_edge_index(tmp_path / "index")
        for collection in (first, second):
            await index.create(world.principal, collection.collection_id, collection.features)
        await index.close()

        for _ in range(3):
            await kill_midway(world, tmp_path, batch.batch_id)
        last = start_child(tmp_path)
        assert await asyncio.to_thread(last.wait, 90) == 0

        batch = (await world.batches.get(world.principal, bucket.name, batch.batch_id)).batch
        assert batch.status is TaskStatus.COMPLETED_WITH_ERRORS
        assert batch.error_summary == {"validation": 1}
        documents = await world.all_documents(first)
        times = Counter(each.lineage.root_object_id for each in documents)
        assert times == {object_id: 2 for object_id in ids if object_id != ids[50]}
        assert len(await world.all_documents(second)) == len(documents) == (OBJECTS - 1) * 2
        assert await world.metadata.read(lambda session: session.index_queue.pending(10)) == []
        index = await open_edge_index(tmp_path / "index")
        try:
            for collection in (first, second):
                assert await index.count(world.principal, collection.collection_id, None) == len(documents)
        finally:
            await index.close()
