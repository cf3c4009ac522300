"""A search index in memory: exact, plain, slow. What a stage is tested on, and what other indexes are compared with."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import orjson

from tamis.engine.ports.index import FacetCount, IndexInfo, Point, Scored, VectorSearch
from tamis.errors import DimensionMismatch, NotFoundError, ValidationError
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.matching import elements, matches, resolve
from tamis.model.ordering import order
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, MultiDense, Sparse, Vector, VectorKind

_SHAPES: dict[VectorKind, type[Vector]] = {
    VectorKind.DENSE: Dense,
    VectorKind.MULTI_DENSE: MultiDense,
    VectorKind.SPARSE: Sparse,
}


@dataclass(slots=True)
class _Shard:
    features: dict[str, FeatureSpec] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)


class MemoryIndex:
    """Implements `VectorIndex`; every filter compiles, or none where `compiling` says so."""

    def __init__(self, compiling: bool = True) -> None:
        self._shards: dict[tuple[str, str, str], _Shard] = {}
        self._compiling = compiling
        self.calls = 0
        """How often `search` was called."""

    async def create(self, principal: Principal, collection_id: str, features: Sequence[FeatureSpec]) -> None:
        for feature in features:
            if feature.kind is not VectorKind.SPARSE and feature.distance != "cosine":
                raise ValidationError.at(["features", feature.name, "distance"], "the index compares by 'cosine'")
        shard = _Shard({feature.name: feature for feature in features})
        self._shards.setdefault(_key(principal, collection_id), shard)

    async def drop(self, principal: Principal, collection_id: str) -> None:
        self._shards.pop(_key(principal, collection_id), None)

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        shard = self._shards.get(_key(principal, collection_id))
        if shard is None:
            raise NotFoundError.of("shard", collection_id)
        for point in points:
            for name, vector in point.vectors.items():
                _check(shard.features, name, vector)
        shard.points.update((point.document_id, point) for point in points)

    async def set_fields(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        held = self._shard(principal, collection_id).points
        for point in points:
            if point.document_id in held:
                held[point.document_id] = replace(held[point.document_id], fields=point.fields)

    async def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
        held = self._shard(principal, collection_id).points
        for document_id in document_ids:
            held.pop(document_id, None)

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        self.calls += 1
        return [_search(self._shard(principal, collection_id), search) for collection_id, search in searches]

    async def facet(
        self, principal: Principal, collection_id: str, path: str, limit: int, filter: Filter | None, exact: bool
    ) -> Sequence[FacetCount]:
        counts: Counter[bytes] = Counter()
        for point in _matching(self._shard(principal, collection_id), filter):
            counts.update({orjson.dumps(value) for value in elements(resolve(point.fields, path)) if _countable(value)})
        found = [FacetCount(orjson.loads(value), count) for value, count in counts.items()]
        return sorted(found, key=lambda entry: (-entry.count, order(entry.value)))[:limit]

    async def count(self, principal: Principal, collection_id: str, filter: Filter | None) -> int:
        return sum(1 for _ in _matching(self._shard(principal, collection_id), filter))

    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        found = [point.document_id for point in _matching(self._shard(principal, collection_id), filter)]
        return found if len(found) <= limit else None

    def compiles(self, filter: Filter) -> bool:
        return self._compiling

    async def ranged(self, principal: Principal, collection_id: str, paths: Sequence[str]) -> frozenset[str]:
        return frozenset(paths)

    async def index_ranges(self, principal: Principal, collection_id: str, path: str) -> bool:
        return True

    async def info(self, principal: Principal, collection_id: str) -> IndexInfo:
        points = len(self._shard(principal, collection_id).points)
        return IndexInfo(points, points, False)

    async def optimize(self, principal: Principal, collection_id: str) -> None:
        return None

    async def document_ids(self, principal: Principal, collection_id: str) -> Sequence[str]:
        return list(self._shard(principal, collection_id).points)

    async def differing(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> Sequence[str]:
        held = self._shard(principal, collection_id).points
        return [point.document_id for point in points if not _alike(held.get(point.document_id), point)]

    async def strays(self, known: Sequence[tuple[Principal, str]]) -> Sequence[str]:
        keys = {_key(*one) for one in known}
        return sorted("/".join(key) for key in self._shards if key not in keys)

    async def remove_stray(self, name: str) -> None:
        organization_id, namespace_id, collection_id = name.split("/")
        self._shards.pop((organization_id, namespace_id, collection_id), None)

    async def health(self) -> Mapping[str, JSON]:
        return {"backend": "memory", "ok": True}

    async def close(self) -> None:
        return None

    def _shard(self, principal: Principal, collection_id: str) -> _Shard:
        return self._shards.get(_key(principal, collection_id)) or _Shard()


def _key(principal: Principal, collection_id: str) -> tuple[str, str, str]:
    return principal.organization_id, principal.namespace_id, collection_id


def _alike(held: Point | None, point: Point) -> bool:
    if held is None or held.fields != point.fields or held.vectors.keys() != point.vectors.keys():
        return False
    pairs = ((held.vectors[name].values, point.vectors[name].values) for name in point.vectors)
    return all(one.shape == other.shape and bool(np.allclose(one, other, atol=1e-4)) for one, other in pairs)


def _countable(value: JSON) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))


def _matching(shard: _Shard, filter: Filter | None) -> Iterable[Point]:
    return (
        point
        for point in shard.points.values()
        if filter is None or matches(filter, {**point.fields, "document_id": point.document_id})
    )


def _check(features: Mapping[str, FeatureSpec], name: str, vector: Vector) -> None:
    feature = features.get(name)
    if feature is None:
        raise ValidationError.at(["feature"], f"{name!r} is no feature of this collection")
    if not isinstance(vector, _SHAPES[feature.kind]):
        raise ValidationError.at(["vectors", name], f"this feature is {feature.kind}")
    if not np.isfinite(vector.values).all():
        raise ValidationError.at(["vectors", name], "every value must be a finite number")
    if not isinstance(vector, Sparse) and vector.values.size and vector.values.shape[-1] != feature.dimensions:
        raise DimensionMismatch.at(["vectors", name], f"the feature has {feature.dimensions} dimensions")


def _search(shard: _Shard, search: VectorSearch) -> list[Scored]:
    if not shard.features:
        return []
    _check(shard.features, search.feature, search.vector)
    query = search.vector
    held = [point for point in shard.points.values() if search.feature in point.vectors]
    if isinstance(query, Sparse) and shard.features[search.feature].idf:
        query = _weighed(query, [point.vectors[search.feature] for point in held])
    ids = {point.document_id for point in _matching(shard, search.filter)}
    scores = (
        (point.document_id, score)
        for point in held
        if point.document_id in ids and (score := _score(query, point.vectors[search.feature])) is not None
    )
    found = [Scored(key, score) for key, score in scores if search.min_score is None or score >= search.min_score]
    return sorted(found, key=lambda entry: (-entry.score, entry.document_id))[: search.limit]


def _weighed(query: Sparse, vectors: Sequence[Vector]) -> Sparse:
    """Query weights times ln(1 + (N - n + 0.5) / (n + 0.5)), as BM25 has it."""
    counts = Counter(index for vector in vectors if isinstance(vector, Sparse) for index in vector.indices.tolist())
    total = len(vectors)
    weights = [math.log(1 + (total - counts[n] + 0.5) / (counts[n] + 0.5)) for n in query.indices.tolist()]
    return Sparse(query.indices, query.values * np.array(weights, dtype=np.float32))


def _score(query: Vector, vector: Vector) -> float | None:
    """None where a document shares no term with a lexical query, or either is empty."""
    if not query.values.size or not vector.values.size:
        return None
    if isinstance(query, Sparse) and isinstance(vector, Sparse):
        _, ours, theirs = np.intersect1d(query.indices, vector.indices, return_indices=True)
        return float(query.values[ours] @ vector.values[theirs]) if len(ours) else None
    if isinstance(query, Dense) and isinstance(vector, Dense):
        return float(_unit(query.values) @ _unit(vector.values))
    return float((_unit(query.values) @ _unit(vector.values).T).max(axis=1).sum())


def _unit(values: FloatArray) -> FloatArray:
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
    return unit
