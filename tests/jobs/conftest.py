from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.extraction_world import World, open_world
from tests.servers import postgres

__all__ = ["postgres", "world"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened
