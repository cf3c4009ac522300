"""The embedded index keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex
from tamis.testing.comparable_index_contract import ComparableIndexContract
from tamis.testing.index_contract import IndexContract


class TestEdgeIndex(ComparableIndexContract, IndexContract):
    @pytest.fixture
    async def index(self, tmp_path: Path) -> AsyncIterator[EdgeIndex]:
        opened = await open_edge_index(tmp_path)
        yield opened
        await opened.close()
