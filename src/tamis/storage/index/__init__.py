"""The search index: Qdrant Edge in a child process on one machine, a Qdrant cluster beyond it.

Imports nothing at its head: the index process starts through here and has to start fast.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tamis.storage.index.cluster import ClusterIndex
    from tamis.storage.index.edge import EdgeIndex


async def open_edge_index(root: Path, *, build_threshold: int = 20_000) -> "EdgeIndex":
    """Start the index process over the shards under `root`.

    build_threshold: points outside the graph that start a build; below it exact search is as good.
    Raises: IndexUnavailableError where it does not come up, as while another server owns `root`.
    """
    from tamis.storage.index.edge import EdgeIndex

    index = EdgeIndex(root, build_threshold)
    await index.start()
    return index


async def open_cluster_index(url: str, api_key: str | None = None) -> "ClusterIndex":
    """Connect to a Qdrant cluster, or with `:memory:` to the client's own local mode. Needs the extra `qdrant`."""
    from tamis.storage.index.cluster import ClusterIndex

    return ClusterIndex.connect(url, api_key)
