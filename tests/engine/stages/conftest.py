from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.blank import open_blank
from tests.engine.stages.shop import Shop, filled


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    metadata = await open_blank(tmp_path / "metadata.db")
    try:
        yield await filled(metadata)
    finally:
        await metadata.close()
