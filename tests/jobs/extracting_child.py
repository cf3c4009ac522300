"""Run by a test, and killed by it: opens the data directory, catches up and works until no batch is unfinished."""

import asyncio
import sys
from pathlib import Path

from tamis.storage.index import open_edge_index
from tests.extraction_world import LetterExtractor, open_world


async def main(path: Path) -> None:
    LetterExtractor.is_repeatable = True
    index = await open_edge_index(path / "index")
    try:
        async with open_world(path, index, slow_s=0.004) as world:
            await world.indexer.catch_up()
            await world.worker.drain()
    finally:
        await index.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
