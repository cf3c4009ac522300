"""Run by a test, and killed by it: opens the data directory, extracts and migrates until nothing is unfinished."""

import asyncio
import sys
from pathlib import Path

from tamis.storage.index import open_edge_index
from tests.extraction_world import open_world
from tests.jobs.migrating_world import Migrating, seen_through


async def main(path: Path) -> None:
    index = await open_edge_index(path / "index")
    try:
        async with open_world(path, index, slow_s=0.003) as world:
            await world.indexer.catch_up()
            await seen_through(Migrating(world))
    finally:
        await index.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
