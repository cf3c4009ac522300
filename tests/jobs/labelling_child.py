"""Run by a test, and killed by it: opens the data directory and walks until no walk is unfinished."""

import asyncio
import sys
from pathlib import Path

from tests.extraction_world import open_world
from tests.jobs.labelling_world import SlowWalker, worker_of


async def main(path: Path) -> None:
    async with open_world(path) as world:
        worker = worker_of(world, SlowWalker)
        worker.start()
        await worker.drain()
        await worker.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
