"""Run by a test, and killed by it: looks at triggers from moment to moment, and says so after each."""

import asyncio
import sys
from pathlib import Path

from tamis.storage.metadata import open_postgres, open_sqlite
from tests.jobs.triggering_world import go_on


def _tell() -> None:
    sys.stdout.write("\n")
    sys.stdout.flush()


async def main(where: str, until_s: float) -> None:
    metadata = await (open_postgres(where) if "://" in where else open_sqlite(Path(where)))
    try:
        await go_on(metadata, until_s, _tell)
    finally:
        await metadata.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
