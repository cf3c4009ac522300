"""The search index: derived from the system of record, rebuildable, one shard for each collection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import FeatureSpec, Vector


@dataclass(frozen=True, slots=True)
class Point:
    """fields: the document's view (nested JSON), from which the index keeps what filters and facets need."""

    document_id: str
    vectors: Mapping[str, Vector]
    fields: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class VectorSearch:
    """The `limit` nearest documents to `vector` by feature `feature`, among those that match `filter`.

    exact: compare with every document, no graph.  min_score: leave out what scores below it.
    """

    feature: str
    vector: Vector
    limit: int
    filter: Filter | None = None
    min_score: float | None = None
    exact: bool = False


class Scored(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """No dataclass, for a search makes hundreds of them: a tenth of the time to make, and nothing to collect."""

    document_id: str
    score: float


@dataclass(frozen=True, slots=True)
class FacetCount:
    value: JSON
    count: int


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """points: searchable documents.  indexed: how many of them the graph covers.  building: a build is under way."""

    points: int
    indexed: int
    building: bool
    facts: Mapping[str, JSON] = field(default_factory=dict)


class VectorIndex(Protocol):
    """Every call names the tenant by Principal and the shard by collection id; an unknown shard is empty.

    A write is visible to the next search and survives a kill of the process once the call has returned.
    Raises: IndexUnavailableError while the backend is down and for as long as it restarts.
    """

    async def create(self, principal: Principal, collection_id: str, features: Sequence[FeatureSpec]) -> None:
        """Make the shard; nothing where it is there already."""
        ...

    async def drop(self, principal: Principal, collection_id: str) -> None: ...
    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None: ...
    async def set_fields(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        """Replace the fields of points that are there, keep their vectors (`Point.vectors` is ignored)."""
        ...

    async def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None: ...
    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        """One answer for each (collection id, search), in order; score down, id up."""
        ...

    async def facet(
        self, principal: Principal, collection_id: str, path: str, limit: int, filter: Filter | None, exact: bool
    ) -> Sequence[FacetCount]:
        """Values of a field by how many documents have them; count down, value up."""
        ...

    async def count(self, principal: Principal, collection_id: str, filter: Filter | None) -> int: ...
    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        """Ids of all documents that match, in any order; None where there are more than `limit`."""
        ...

    def compiles(self, filter: Filter) -> bool:
        """Whether this backend answers this filter exactly as `matching.matches` would."""
        ...

    async def ranged(self, principal: Principal, collection_id: str, paths: Sequence[str]) -> frozenset[str]:
        """Of these paths, those whose ranges have an index; all where a range needs none."""
        ...

    async def index_ranges(self, principal: Principal, collection_id: str, path: str) -> bool:
        """Make an index for ranges of a path, now, and keep it over builds. Answers are the same with and without.

        False where nothing under the path can be in a range, or where the shard has as many indexes as it takes.
        """
        ...

    async def info(self, principal: Principal, collection_id: str) -> IndexInfo: ...
    async def optimize(self, principal: Principal, collection_id: str) -> None:
        """Bring the graph up to date now, and wait; searches and writes go on meanwhile."""
        ...

    async def health(self) -> Mapping[str, JSON]: ...
    async def close(self) -> None: ...
