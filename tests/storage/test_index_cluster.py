"""The cluster's adapter keeps the contract in the client's own local mode; a real cluster has not been tried."""

from collections.abc import AsyncIterator

import pytest

from tamis.storage.index import open_cluster_index
from tamis.storage.index.cluster import ClusterIndex
from tamis.testing.comparable_index_contract import ComparableIndexContract
from tamis.testing.index_contract import IndexContract


class TestClusterIndex(ComparableIndexContract, IndexContract):
    @pytest.fixture
    async def index(self) -> AsyncIterator[ClusterIndex]:
        opened = await open_cluster_index(":memory:")
        yield opened
        await opened.close()
