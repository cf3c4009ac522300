"""The cluster's adapter keeps the contract in the client's own local mode; a real cluster has not been tried."""

from collections.abc import AsyncIterator

import pytest
from qdrant_client import AsyncQdrantClient

from tamis.model.principal import Principal
from tamis.model.vector import FeatureSpec, VectorKind
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


@pytest.mark.slow  # the quick form is tests/e2e/test_two_servers.py
class TestClusterIndexOverHttp(ComparableIndexContract, IndexContract):
    """The same local mode behind the HTTP that a cluster is spoken to by, as the tests of several servers have it."""

    @pytest.fixture
    async def index(self, qdrant_url: str) -> AsyncIterator[ClusterIndex]:
        opened = await open_cluster_index(qdrant_url)
        yield opened
        for collection in (await opened._client.get_collections()).collections:
            await opened._client.delete_collection(collection.name)
        await opened.close()


async def test_what_another_version_of_the_points_left_on_a_cluster_is_a_stray() -> None:
    client = AsyncQdrantClient(location=":memory:")
    index, here = ClusterIndex(client, local=True), Principal("org_here", "ns_here")
    try:
        for name in ("tamis.org_here.ns_here.col_films", "tamis.org_other.ns_here.col_films"):
            await client.create_collection(name, vectors_config={})
        await index.create(here, "col_films", [FeatureSpec("embedding", VectorKind.DENSE, 2)])
        assert list(await index.strays([(here, "col_films")])) == ["tamis.org_here.ns_here.col_films"]
        await index.remove_stray("tamis.org_here.ns_here.col_films")
        assert list(await index.strays([(here, "col_films")])) == []
    finally:
        await index.close()
