from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tamis.storage.metadata import open_sqlite
from tests.engine.stages.shop import Shop, filled


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    metadata = await open_sqlite(tmp_path / "metadata.db")
    try:
        yield await filled(metadata)
    finally:
        await metadata.close()
