from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tamis.engine.searching.searcher import Searcher
from tamis.testing.memory_index import MemoryIndex
from tests.blank import open_blank
from tests.engine.pipelines import Bench
from tests.engine.stages.shop import ThemeModels


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    metadata = await open_blank(tmp_path / "metadata.db")
    models = ThemeModels()
    yield Bench(Searcher(MemoryIndex(), metadata, models), models)
    await metadata.close()
