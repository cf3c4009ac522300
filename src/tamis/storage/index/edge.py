"""The embedded index: Qdrant Edge in processes of its own, asked over sockets."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from tamis.engine.ports.index import FacetCount, IndexInfo, Point, Scored, VectorSearch
from tamis.errors import IndexUnavailableError, NotFoundError
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import FeatureSpec, MultiDense, Sparse, Vector, VectorKind
from tamis.storage.index.compile import compile_filter, compiles
from tamis.storage.index.files import shard_key, shards_under
from tamis.storage.index.payload import key_of
from tamis.storage.index.supervisor import Supervisor
from tamis.storage.index.vectors import check_features, check_points, check_vector, feature_of, is_empty, unit

CALL_POINTS = 64
"""Points in one call: a search waits for at most one call of writes."""

_CALLS_IN_FLIGHT = 4
T = TypeVar("T")


class EdgeIndex:
    """ComparableIndex on one machine. Build it with `open_edge_index`."""

    def __init__(self, root: Path, build_threshold: int) -> None:
        self._root = root
        self._supervisor = Supervisor(root, build_threshold)
        self._features: dict[str, Mapping[str, FeatureSpec]] = {}

    @property
    def pid(self) -> int | None:
        """Of the first index process, while there is one."""
        return self._supervisor.pid

    async def start(self) -> None:
        await self._supervisor.start()

    async def close(self) -> None:
        await self._supervisor.close()

    async def create(self, principal: Principal, collection_id: str, features: Sequence[FeatureSpec]) -> None:
        check_features(features)
        await self._supervisor.write("create", _key(principal, collection_id), [_feature(one) for one in features])

    async def drop(self, principal: Principal, collection_id: str) -> None:
        key = _key(principal, collection_id)
        self._features.pop(key, None)
        await self._supervisor.write("drop", key, None)
        self._features.pop(key, None)

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        key = _key(principal, collection_id)
        features = await self._described(key)
        if features is None:
            raise NotFoundError.of("Index shard", collection_id)
        check_points(features, points)
        await self._write("upsert", key, [[point.document_id, _vectors(point), point.fields] for point in points])

    async def set_fields(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        rows = [[point.document_id, point.fields] for point in points]
        await self._write("set_fields", _key(principal, collection_id), rows)

    async def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
        await self._write("delete", _key(principal, collection_id), list(document_ids))

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        asked: list[tuple[str, dict[str, Any]] | None] = []
        for collection_id, search in searches:
            key = _key(principal, collection_id)
            features = await self._described(key)
            asked.append((key, _search(features, search)) if features is not None and _finds(search) else None)
        sent = [one for one in asked if one is not None]
        found = iter(await self._supervisor.search(sent) if sent else [])
        return [[] if one is None else msgspec.convert(next(found), list[Scored]) for one in asked]

    async def facet(
        self, principal: Principal, collection_id: str, path: str, limit: int, filter: Filter | None, exact: bool
    ) -> Sequence[FacetCount]:
        argument = {"key": key_of(path), "limit": limit, "filter": compile_filter(filter), "exact": exact}
        found = await self._supervisor.read("facet", _key(principal, collection_id), argument)
        return [FacetCount(value, count) for value, count in found]

    async def count(self, principal: Principal, collection_id: str, filter: Filter | None) -> int:
        count = await self._supervisor.read("count", _key(principal, collection_id), compile_filter(filter))
        return int(count)

    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        argument = [compile_filter(filter), limit]
        found: list[str] | None = await self._supervisor.read("select", _key(principal, collection_id), argument)
        return found

    def compiles(self, filter: Filter) -> bool:
        return compiles(filter)

    async def ranged(self, principal: Principal, collection_id: str, paths: Sequence[str]) -> frozenset[str]:
        return frozenset(await self._supervisor.read("ranged", _key(principal, collection_id), list(paths)))

    async def index_ranges(self, principal: Principal, collection_id: str, path: str) -> bool:
        # Asked of the shard as it is: whether it is done once or twice is the same.
        return bool(await self._supervisor.read("index_ranges", _key(principal, collection_id), path))

    async def info(self, principal: Principal, collection_id: str) -> IndexInfo:
        return IndexInfo(**await self._supervisor.read("info", _key(principal, collection_id), None))

    async def optimize(self, principal: Principal, collection_id: str) -> None:
        # False: the shard has moved since, so its new owner is asked.
        while not await self._supervisor.read("optimize", _key(principal, collection_id), None):
            pass

    async def document_ids(self, principal: Principal, collection_id: str) -> Sequence[str]:
        found: list[str] = []
        offset: str | None = None
        while True:
            page, offset = await self._supervisor.read("ids", _key(principal, collection_id), offset)
            found += page
            if offset is None:
                return found

    async def differing(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> Sequence[str]:
        key = _key(principal, collection_id)
        rows = [[point.document_id, _vectors(point), point.fields] for point in points]
        other: list[str] = []
        for part in _chunks(rows, CALL_POINTS):
            other += await self._supervisor.read("differing", key, part)
        return other

    async def strays(self, known: Sequence[tuple[Principal, str]]) -> Sequence[str]:
        keys = {_key(*one) for one in known}
        there = await asyncio.to_thread(shards_under, self._root)
        return [name for name in there if name not in keys]

    async def remove_stray(self, name: str) -> None:
        await self._supervisor.write("drop", name, None)

    async def health(self) -> Mapping[str, JSON]:
        """Answers at once, also while the index process is away."""
        state: dict[str, JSON] = {"backend": "qdrant-edge", "pid": self.pid, "restarts": self._supervisor.restarts}
        try:
            facts = await self._supervisor.health()
        except IndexUnavailableError:
            return {**state, "ok": False}
        return {**state, "ok": True, **facts}

    async def _described(self, key: str) -> Mapping[str, FeatureSpec] | None:
        """The features that the shard was made with; asked for once."""
        known = self._features.get(key)
        if known is None:
            raw = await self._supervisor.read("describe", key, None)
            if raw is None:
                return None
            known = self._features[key] = {one["name"]: _spec(one) for one in raw}
        return known

    async def _write(self, operation: str, key: str, rows: list[Any]) -> None:
        """In calls of a bounded size, in order, a few on their way at a time."""
        for window in _chunks(rows, CALL_POINTS * _CALLS_IN_FLIGHT):
            calls = [self._supervisor.write(operation, key, part) for part in _chunks(window, CALL_POINTS)]
            await asyncio.gather(*calls)


def _chunks(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _key(principal: Principal, collection_id: str) -> str:
    return shard_key(principal.organization_id, principal.namespace_id, collection_id)


def _feature(feature: FeatureSpec) -> dict[str, Any]:
    return {
        "name": feature.name,
        "kind": str(feature.kind),
        "dimensions": feature.dimensions,
        "idf": feature.idf,
        "quantization": str(feature.quantization),
    }


def _spec(raw: Mapping[str, Any]) -> FeatureSpec:
    return FeatureSpec(raw["name"], VectorKind(raw["kind"]), raw["dimensions"], idf=raw["idf"])


def _finds(search: VectorSearch) -> bool:
    return search.limit > 0 and not is_empty(search.vector)


def _search(features: Mapping[str, FeatureSpec], search: VectorSearch) -> dict[str, Any]:
    check_vector(feature_of(features, search.feature), search.vector)
    return {
        "feature": search.feature,
        "vector": _raw(search.vector),
        "limit": search.limit,
        "filter": compile_filter(search.filter),
        "min_score": search.min_score,
        "exact": search.exact,
    }


def _vectors(point: Point) -> dict[str, Any]:
    return {name: _raw(vector) for name, vector in point.vectors.items() if not is_empty(vector)}


def _raw(vector: Vector) -> list[Any]:
    """As `native.vector` reads it."""
    if isinstance(vector, Sparse):
        return ["s", np.asarray(vector.indices, "<u4").tobytes(), np.asarray(vector.values, "<f4").tobytes()]
    values = unit(vector.values).astype("<f4", copy=False)
    return ["m", len(values), values.tobytes()] if isinstance(vector, MultiDense) else ["d", values.tobytes()]
