"""The index as searches see it: a shard that may lack documents is waited for, or refused, and never answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from tamis.engine.ports.index import FacetCount, IndexInfo, Point, Scored, VectorIndex, VectorSearch
from tamis.errors import IndexRebuildingError
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import FeatureSpec
from tamis.services.upkeep.healing import Healer

T = TypeVar("T")


class WholeIndex:
    """VectorIndex. What is read raises IndexRebuildingError too; writes go past it."""

    def __init__(self, index: VectorIndex, healer: Healer) -> None:
        self._index = index
        self._healer = healer

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        asked = [collection_id for collection_id, _ in searches]
        return await self._asked(principal, asked, lambda: self._index.search(principal, searches))

    async def facet(
        self, principal: Principal, collection_id: str, path: str, limit: int, filter: Filter | None, exact: bool
    ) -> Sequence[FacetCount]:
        return await self._asked(
            principal,
            [collection_id],
            lambda: self._index.facet(principal, collection_id, path, limit, filter, exact),
        )

    async def count(self, principal: Principal, collection_id: str, filter: Filter | None) -> int:
        return await self._asked(
            principal, [collection_id], lambda: self._index.count(principal, collection_id, filter)
        )

    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        return await self._asked(
            principal, [collection_id], lambda: self._index.select(principal, collection_id, filter, limit)
        )

    async def ranged(self, principal: Principal, collection_id: str, paths: Sequence[str]) -> frozenset[str]:
        return await self._asked(
            principal, [collection_id], lambda: self._index.ranged(principal, collection_id, paths)
        )

    async def index_ranges(self, principal: Principal, collection_id: str, path: str) -> bool:
        return await self._asked(
            principal, [collection_id], lambda: self._index.index_ranges(principal, collection_id, path)
        )

    async def _asked(self, principal: Principal, collection_ids: Sequence[str], ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            before = await self._healer.whole(principal, collection_ids)
            try:
                answer = await ask()
            except IndexRebuildingError:
                self._healer.doubt(principal, collection_ids)
                continue
            if before == self._healer.doubts:
                return answer
            # Some shard was emptied meanwhile; where it was one of these, it is waited for.

    async def create(self, principal: Principal, collection_id: str, features: Sequence[FeatureSpec]) -> None:
        await self._index.create(principal, collection_id, features)

    async def drop(self, principal: Principal, collection_id: str) -> None:
        await self._index.drop(principal, collection_id)

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        await self._index.upsert(principal, collection_id, points)

    async def set_fields(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        await self._index.set_fields(principal, collection_id, points)

    async def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
        await self._index.delete(principal, collection_id, document_ids)

    def compiles(self, filter: Filter) -> bool:
        return self._index.compiles(filter)

    async def info(self, principal: Principal, collection_id: str) -> IndexInfo:
        return await self._index.info(principal, collection_id)

    async def optimize(self, principal: Principal, collection_id: str) -> None:
        await self._index.optimize(principal, collection_id)

    async def health(self) -> Mapping[str, JSON]:
        return {**await self._index.health(), **self._healer.facts()}

    async def close(self) -> None:
        await self._index.close()
