"""The services and workers of snapshots over a world, started by hand."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tamis.jobs.restoring import RestoreWorker
from tamis.jobs.snapshotting import SnapshotWorker
from tamis.services.data.snapshots import SnapshotService
from tamis.services.upkeep.clearing import Clearing
from tests.extraction_world import World
from tests.retrieval_world import WallClock


class Snapshots:
    def __init__(self, world: World) -> None:
        self.world = world
        clearing = Clearing(world.metadata, world.indexer, world.blobs)
        self._clearing = clearing
        self.service = SnapshotService(world.metadata, world.indexer, clearing, WallClock(), lambda: None, lambda: None)

    def _workers(self, folder: Path) -> tuple[SnapshotWorker, RestoreWorker]:
        world, clock = self.world, WallClock()
        taking = SnapshotWorker(world.metadata, world.blobs, self._clearing, clock, folder)
        keeping = world.sweeper.keeping
        return taking, RestoreWorker(world.metadata, world.blobs, keeping, world.indexer, self._clearing, clock)

    async def take(self) -> None:
        """Until nothing is to be taken; nothing is put back."""
        folder = Path(tempfile.mkdtemp())
        taking, _ = self._workers(folder)
        taking.start()
        async with asyncio.timeout(60):
            await taking.drain()
        await taking.close()
        shutil.rmtree(folder)

    async def drain(self) -> None:
        """Until nothing is to be taken or put back."""
        async with self._working() as workers, asyncio.timeout(60):
            for worker in workers:
                await worker.drain()

    async def work_for(self, duration_s: float) -> None:
        """Then they are stopped, whatever they are at."""
        async with self._working():
            await asyncio.sleep(duration_s)

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[tuple[SnapshotWorker, RestoreWorker]]:
        folder = Path(tempfile.mkdtemp())
        workers = self._workers(folder)
        for worker in workers:
            worker.start()
        try:
            yield workers
        finally:
            for worker in workers:
                await worker.close()
            shutil.rmtree(folder)
