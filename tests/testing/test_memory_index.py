"""The index in memory keeps the contract of every index."""

import pytest

from tamis.engine.ports.index import VectorIndex
from tamis.testing.index_contract import IndexContract
from tamis.testing.memory_index import MemoryIndex


class TestMemoryIndex(IndexContract):
    @pytest.fixture
    async def index(self) -> VectorIndex:
        return MemoryIndex()
