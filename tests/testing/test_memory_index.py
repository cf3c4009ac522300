"""The index in memory keeps the contract of every index."""

import pytest

from tamis.engine.ports.upkeep import ComparableIndex
from tamis.testing.comparable_index_contract import ComparableIndexContract
from tamis.testing.index_contract import IndexContract
from tamis.testing.memory_index import MemoryIndex


class TestMemoryIndex(ComparableIndexContract, IndexContract):
    @pytest.fixture
    async def index(self) -> ComparableIndex:
        return MemoryIndex()
