"""The index as a caller sees it whose Principal is narrowed: every question is AND-ed with the narrowing here.

This and `storage.metadata.narrowed_documents` are the only two ways from a stage to a document. What a request, a
pipeline or a nested retriever filters by comes in as one side of the AND, so that none of them can widen it.
"""

from collections.abc import Mapping, Sequence

from tamis.engine.ports.index import FacetCount, Scored, VectorIndex, VectorSearch
from tamis.engine.ports.metadata import Metadata
from tamis.model.filters import And, Filter, IdIn, both
from tamis.model.matching import looked_at
from tamis.model.principal import Principal

NOTHING = IdIn(frozenset())
_NOT_INDEXED = frozenset({"created_at", "updated_at"})


class NarrowedIndex:
    """What searches ask an index. Costs a principal that is not narrowed nothing but the call."""

    def __init__(self, index: VectorIndex, metadata: Metadata) -> None:
        self._index = index
        self._metadata = metadata

    def compiles(self, filter: Filter) -> bool:
        return self._index.compiles(filter)

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        """As `VectorIndex.search`."""
        if principal.narrowing is None:
            return await self._index.search(principal, searches)
        allowed = await self._allowed(principal, {collection_id for collection_id, _ in searches})
        asked = [
            (collection_id, _within(search, allowed[collection_id]))
            for collection_id, search in searches
            if allowed[collection_id] != NOTHING
        ]
        answers = iter(await self._index.search(principal, asked))
        return [() if allowed[collection_id] == NOTHING else next(answers) for collection_id, _ in searches]

    async def facet(
        self, principal: Principal, collection_id: str, path: str, limit: int, filter: Filter | None, exact: bool
    ) -> Sequence[FacetCount]:
        """As `VectorIndex.facet`. A narrowed caller's counts are exact: an estimate is made of what he may not see."""
        if principal.narrowing is None:
            return await self._index.facet(principal, collection_id, path, limit, filter, exact)
        allowed = (await self._allowed(principal, {collection_id}))[collection_id]
        if allowed == NOTHING:
            return []
        return await self._index.facet(principal, collection_id, path, limit, both(filter, allowed), exact=True)

    async def count(self, principal: Principal, collection_id: str, filter: Filter | None) -> int:
        if principal.narrowing is None:
            return await self._index.count(principal, collection_id, filter)
        allowed = (await self._allowed(principal, {collection_id}))[collection_id]
        return 0 if allowed == NOTHING else await self._index.count(principal, collection_id, both(filter, allowed))

    def selects(self, filter: Filter) -> bool:
        """Whether `select` finds what a scan of the system of record would."""
        return self._index.compiles(filter) and not looked_at(filter) & _NOT_INDEXED

    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        """As `VectorIndex.select`."""
        if principal.narrowing is None:
            return await self._index.select(principal, collection_id, filter, limit)
        allowed = (await self._allowed(principal, {collection_id}))[collection_id]
        if allowed == NOTHING:
            return []
        return await self._index.select(principal, collection_id, And((filter, allowed)), limit)

    async def _allowed(self, principal: Principal, collection_ids: set[str]) -> Mapping[str, Filter]:
        """By collection, the narrowing as the index answers it exactly: itself, or the ids that it lets through."""
        narrowing = principal.narrowing
        if narrowing is None or (self._index.compiles(narrowing) and not looked_at(narrowing) & _NOT_INDEXED):
            return dict.fromkeys(collection_ids, narrowing or And(()))
        return {collection_id: await self._ids(principal, collection_id) for collection_id in collection_ids}

    async def _ids(self, principal: Principal, collection_id: str) -> Filter:
        # The system of record narrows every scan by itself.
        return await self._metadata.read(
            lambda session: IdIn(frozenset(d.document_id for d in session.documents.scan(principal, collection_id)))
        )


def _within(search: VectorSearch, allowed: Filter) -> VectorSearch:
    return VectorSearch(
        search.feature, search.vector, search.limit, both(search.filter, allowed), search.min_score, search.exact
    )
