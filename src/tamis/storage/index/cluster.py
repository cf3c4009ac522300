"""The index on a Qdrant cluster, one Qdrant collection for each of ours, through `AsyncQdrantClient`.

Payload, filters and order are those of the embedded index. What is proved is that this adapter keeps the contract in
the client's own local mode; no claim about scale or speed on a real cluster has been measured.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from tamis.engine.ports.index import FacetCount, IndexInfo, Point, Scored, VectorSearch
from tamis.errors import IndexUnavailableError, NotFoundError
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, Quantization, Sparse, Vector, VectorKind
from tamis.storage.index.alike import same_payload
from tamis.storage.index.compile import (
    Clause,
    compile_filter,
    compiles,
    late_matches,
    point_id,
    wide_matches,
    wide_range,
)
from tamis.storage.index.files import safe_name
from tamis.storage.index.payload import indexed_keys, key_of, payload
from tamis.storage.index.ranking import ranked, ranked_facets, widened
from tamis.storage.index.vectors import check_features, check_points, check_vector, feature_of, is_empty, unit

CALL_POINTS = 256
INDEXED_FIELDS_LIMIT = 256
_OPTIMIZE_POLL_S = 0.5
_NAME_LIMIT = 200
_PREFIX = "tamis3."
"""Of a Qdrant collection, with the version of what its points hold: those of another version are made again."""

_FORMER_PREFIXES = ("tamis.",)
_GROUPS = ("must", "should", "must_not")
_NOT_FOUND = 404
_QUANTIZED: Mapping[Quantization, models.ScalarQuantization | models.BinaryQuantization | None] = {
    Quantization.INT8: models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    ),
    Quantization.BINARY: models.BinaryQuantization(
        binary=models.BinaryQuantizationConfig(
            always_ram=True, query_encoding=models.BinaryQuantizationQueryEncoding.SCALAR8BITS
        )
    ),
    Quantization.NONE: None,
}
_OVERSAMPLING = {Quantization.INT8: 2.0, Quantization.BINARY: 8.0, Quantization.NONE: 1.0}


class ClusterIndex:
    """VectorIndex on Qdrant. Build it with `open_cluster_index`."""

    def __init__(self, client: AsyncQdrantClient, local: bool = False) -> None:
        self._client = client
        self._local = local
        self._features: dict[str, Mapping[str, FeatureSpec]] = {}
        self._indexed: dict[str, set[str]] = {}

    @classmethod
    def connect(cls, url: str, api_key: str | None) -> "ClusterIndex":
        if url == ":memory:":
            return cls(AsyncQdrantClient(location=url), local=True)
        return cls(AsyncQdrantClient(url=url, api_key=api_key))

    async def close(self) -> None:
        await self._client.close()

    async def create(self, principal: Principal, collection_id: str, features: Sequence[FeatureSpec]) -> None:
        check_features(features)
        name = _name(principal, collection_id)
        with _translated():
            if await self._client.collection_exists(name):
                return
            await self._client.create_collection(name, **_collection(features))
        await self._index_fields(name, ["t"])

    async def drop(self, principal: Principal, collection_id: str) -> None:
        name = _name(principal, collection_id)
        self._features.pop(name, None)
        self._indexed.pop(name, None)
        with _translated():
            await self._client.delete_collection(name)

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        name = _name(principal, collection_id)
        features = await self._described(name)
        if features is None:
            raise NotFoundError.of("Index shard", collection_id)
        check_points(features, points)
        rows = {point.document_id: _point(point) for point in points}
        await self._index_fields(
            name, sorted({key for row in rows.values() for key in indexed_keys(row.payload or {})})
        )
        made = list(rows.values())
        with _translated():
            for start in range(0, len(made), CALL_POINTS):
                await self._client.upsert(name, made[start : start + CALL_POINTS], wait=True)

    async def set_fields(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        name = _name(principal, collection_id)
        if await self._described(name) is None:
            return
        kept = {point_id(point.document_id): payload(point.document_id, point.fields) for point in points}
        with _translated():
            found = await self._client.retrieve(name, list(kept), with_payload=False)
            operations = [
                models.OverwritePayloadOperation(
                    overwrite_payload=models.SetPayload(payload=kept[str(record.id)], points=[record.id])
                )
                for record in found
            ]
            if operations:
                await self._client.batch_update_points(name, operations, wait=True)

    async def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
        name = _name(principal, collection_id)
        if document_ids and await self._described(name) is not None:
            with _translated():
                await self._client.delete(name, [point_id(one) for one in document_ids], wait=True)

    async def document_ids(self, principal: Principal, collection_id: str) -> Sequence[str]:
        name = _name(principal, collection_id)
        found: list[str] = []
        if await self._described(name) is None:
            return found
        offset: Any = None
        while True:
            with _translated():
                records, offset = await self._client.scroll(name, limit=1000, offset=offset, with_payload=["d"])
            found += [(record.payload or {})["d"] for record in records]
            if offset is None:
                return found

    async def differing(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> Sequence[str]:
        name = _name(principal, collection_id)
        if await self._described(name) is None:
            return [point.document_id for point in points]
        wanted = {point_id(point.document_id): (point, _point(point)) for point in points}
        with _translated():
            records = await self._client.retrieve(name, list(wanted), with_payload=True, with_vectors=True)
        found = {str(record.id): record for record in records}
        return [
            point.document_id for key, (point, row) in wanted.items() if key not in found or not _same(found[key], row)
        ]

    async def strays(self, known: Sequence[tuple[Principal, str]]) -> Sequence[str]:
        """Of the organisations among these alone: another installation may use the same cluster."""
        ours = {_name(*one) for one in known}
        theirs = {_of_organization(principal) for principal, _ in known}
        mine = tuple(prefix + one for prefix in (_PREFIX, *_FORMER_PREFIXES) for one in theirs)
        with _translated():
            there = (await self._client.get_collections()).collections
        return sorted(one.name for one in there if one.name.startswith(mine) and one.name not in ours)

    async def remove_stray(self, name: str) -> None:
        with _translated():
            await self._client.delete_collection(name)

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        return await asyncio.gather(*(self._search(_name(principal, one), search) for one, search in searches))

    async def _search(self, name: str, search: VectorSearch) -> list[Scored]:
        features = await self._described(name)
        if features is None or search.limit < 1 or is_empty(search.vector):
            return []
        feature = feature_of(features, search.feature)
        check_vector(feature, search.vector)
        only = await self._filter(name, search.filter)
        fetch: int | None = search.limit + 8
        hits: list[models.ScoredPoint] = []
        while fetch is not None:
            hits = await self._nearest(name, search, only, fetch, _OVERSAMPLING[feature.quantization])
            fetch = widened(search.limit, [hit.score for hit in hits], fetch)
        named = [((hit.payload or {})["d"], hit.score) for hit in hits]
        return [Scored(*hit) for hit in ranked(named, search.limit, search.min_score)]

    async def _nearest(
        self, name: str, search: VectorSearch, only: models.Filter | None, fetch: int, oversampling: float
    ) -> list[models.ScoredPoint]:
        quantization = models.QuantizationSearchParams(ignore=search.exact, rescore=True, oversampling=oversampling)
        # Local mode is always exact, and warns of parameters that it does not heed.
        params = None if self._local else models.SearchParams(exact=search.exact, quantization=quantization)
        with _translated():
            found = await self._client.query_points(
                name,
                query=_vector(search.vector),
                using=search.feature,
                query_filter=only,
                limit=fetch,
                with_payload=["d"],
                search_params=params,
            )
        return found.points

    async def facet(
        self, principal: Principal, collection_id: str, path: str, limit: int, filter: Filter | None, exact: bool
    ) -> Sequence[FacetCount]:
        name = _name(principal, collection_id)
        if limit < 1 or await self._described(name) is None:
            return []
        only = await self._filter(name, filter)
        key, asked = f"f-{key_of(path)}", limit + 16
        if not self._local and key not in await self._indexed_fields(name):
            return []
        while True:
            with _translated():
                answer = await self._client.facet(name, key, facet_filter=only, limit=asked, exact=exact)
            counts = [(str(hit.value), hit.count) for hit in answer.hits]
            if len(counts) < asked or counts[limit - 1][1] != counts[-1][1]:
                return [FacetCount(value, count) for value, count in ranked_facets(counts, limit)]
            asked *= 8

    async def count(self, principal: Principal, collection_id: str, filter: Filter | None) -> int:
        name = _name(principal, collection_id)
        if await self._described(name) is None:
            return 0
        only = await self._filter(name, filter)
        with _translated():
            return (await self._client.count(name, count_filter=only, exact=True)).count

    async def select(
        self, principal: Principal, collection_id: str, filter: Filter, limit: int
    ) -> Sequence[str] | None:
        name = _name(principal, collection_id)
        if await self._described(name) is None:
            return []
        only = await self._filter(name, filter)
        found: list[str] = []
        offset: Any = None
        while len(found) <= limit:
            with _translated():
                records, offset = await self._client.scroll(name, only, limit=1000, offset=offset, with_payload=["d"])
            found += [(record.payload or {})["d"] for record in records]
            if offset is None:
                break
        return found if len(found) <= limit else None

    def compiles(self, filter: Filter) -> bool:
        return compiles(filter)

    async def ranged(self, principal: Principal, collection_id: str, paths: Sequence[str]) -> frozenset[str]:
        if self._local:  # it has no indexes, and compares whatever is asked for
            return frozenset(paths)
        known = await self._indexed_fields(_name(principal, collection_id))
        return frozenset(path for path in paths if not known.isdisjoint(_ranges(path)))

    async def index_ranges(self, principal: Principal, collection_id: str, path: str) -> bool:
        wanted = _ranges(path)
        await self._index_fields(_name(principal, collection_id), wanted)
        return self._local or (await self._indexed_fields(_name(principal, collection_id))).issuperset(wanted)

    async def info(self, principal: Principal, collection_id: str) -> IndexInfo:
        name = _name(principal, collection_id)
        if await self._described(name) is None:
            return IndexInfo(0, 0, False)
        with _translated():
            told = await self._client.get_collection(name)
        points = told.points_count or 0
        building = told.status is not models.CollectionStatus.GREEN
        facts: dict[str, JSON] = {"status": str(told.status.value), "segments": told.segments_count}
        return IndexInfo(points, min(points, told.indexed_vectors_count or 0), building, facts)

    async def optimize(self, principal: Principal, collection_id: str) -> None:
        """A cluster builds by itself; this waits until it has nothing left to do."""
        while (await self.info(principal, collection_id)).building:  # noqa: ASYNC110 - the cluster tells nobody
            await asyncio.sleep(_OPTIMIZE_POLL_S)

    async def health(self) -> Mapping[str, JSON]:
        try:
            with _translated():
                found = await self._client.get_collections()
        except IndexUnavailableError as error:
            return {"backend": "qdrant", "ok": False, "detail": error.message}
        return {"backend": "qdrant", "ok": True, "collections": len(found.collections)}

    async def _described(self, name: str) -> Mapping[str, FeatureSpec] | None:
        """The features that the Qdrant collection was made with; None where there is none."""
        known = self._features.get(name)
        if known is None:
            with _translated():
                if not await self._client.collection_exists(name):
                    return None
                told = await self._client.get_collection(name)
            known = self._features[name] = _features(told.config.params)
        return known

    async def _indexed_fields(self, name: str) -> set[str]:
        known = self._indexed.get(name)
        if known is None:
            with _translated():
                known = self._indexed[name] = set((await self._client.get_collection(name)).payload_schema)
        return known

    async def _index_fields(self, name: str, keys: Sequence[str]) -> None:
        if self._local:
            return
        known = await self._indexed_fields(name)
        for key in keys:
            if key not in known and len(known) < INDEXED_FIELDS_LIMIT:
                with _translated():
                    await self._client.create_payload_index(name, key, field_schema=_field_schema(key), wait=True)
                known.add(key)

    async def _filter(self, name: str, filter: Filter | None) -> models.Filter | None:
        clause = compile_filter(filter)
        if clause is None:
            return None
        made = _condition(await self._resolved(name, clause))
        return made if isinstance(made, models.Filter) else models.Filter(must=[made])

    async def _resolved(self, name: str, clause: Clause) -> Clause:
        if "late" in clause:
            late = clause["late"]
            holders = {"key": "t", "match": {"text": late["term"]}}
            return {"has_id": [str(one.id) async for one in self._scan(name, holders) if _is_late(late, one)]}
        if "wide" in clause:
            wide = clause["wide"]
            near = self._scan(name, wide["near"])
            return wide_range(wide, [str(one.id) async for one in near if wide_matches(wide, one.payload or {})])
        resolved: Clause = {}
        for key, part in clause.items():
            resolved[key] = [await self._resolved(name, child) for child in part] if key in _GROUPS else part
        return resolved

    async def _scan(self, name: str, clause: Clause) -> AsyncIterator[models.Record]:
        only, offset = models.Filter(must=[_condition(clause)]), None
        while True:
            with _translated():
                records, offset = await self._client.scroll(name, only, limit=1000, offset=offset, with_payload=True)
            for record in records:
                yield record
            if offset is None:
                return


def _is_late(late: Mapping[str, Any], record: models.Record) -> bool:
    return late_matches(late, record.payload or {})


@contextmanager
def _translated() -> Iterator[None]:
    """What the client raises, as our errors."""
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code == _NOT_FOUND:
            raise NotFoundError(f"the cluster has no such collection: {error.reason_phrase}") from error
        raise IndexUnavailableError(f"the cluster answered {error.status_code}") from error
    except (ResponseHandlingException, ApiException, ConnectionError) as error:
        raise IndexUnavailableError(f"the cluster does not answer: {error}") from error


def _same(record: models.Record, row: models.PointStruct) -> bool:
    """Which vectors there are, not what they are: a cluster may keep them in another precision."""
    stored = record.vector if isinstance(record.vector, dict) else {}
    given = row.vector if isinstance(row.vector, dict) else {}
    return stored.keys() == given.keys() and same_payload(record.payload or {}, row.payload or {})


def _of_organization(principal: Principal) -> str:
    return f"{safe_name(principal.organization_id).replace('%', '=')}."


def _name(principal: Principal, collection_id: str) -> str:
    parts = (principal.organization_id, principal.namespace_id, collection_id)
    name = _PREFIX + ".".join(safe_name(part).replace("%", "=") for part in parts)
    return name if len(name) <= _NAME_LIMIT else _PREFIX + hashlib.sha256(name.encode()).hexdigest()


def _collection(features: Sequence[FeatureSpec]) -> dict[str, Any]:
    dense, sparse = {}, {}
    for one in features:
        if one.kind is VectorKind.SPARSE:
            sparse[one.name] = models.SparseVectorParams(modifier=models.Modifier.IDF if one.idf else None)
            continue
        multi = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        is_multi = one.kind is VectorKind.MULTI_DENSE
        dense[one.name] = models.VectorParams(
            size=one.dimensions or 0,
            distance=models.Distance.DOT,
            multivector_config=multi if is_multi else None,
            hnsw_config=models.HnswConfigDiff(m=0) if is_multi else None,
            quantization_config=None if is_multi else _QUANTIZED[one.quantization],
        )
    return {"vectors_config": dense, "sparse_vectors_config": sparse}


def _features(params: models.CollectionParams) -> dict[str, FeatureSpec]:
    found: dict[str, FeatureSpec] = {}
    vectors = params.vectors if isinstance(params.vectors, dict) else {}
    for name, dense in vectors.items():
        kind = VectorKind.MULTI_DENSE if dense.multivector_config else VectorKind.DENSE
        found[name] = FeatureSpec(name, kind, dense.size, quantization=_quantization(dense))
    for name, sparse in (params.sparse_vectors or {}).items():
        found[name] = FeatureSpec(name, VectorKind.SPARSE, idf=sparse.modifier is models.Modifier.IDF)
    return found


def _quantization(dense: models.VectorParams) -> Quantization:
    if isinstance(dense.quantization_config, models.BinaryQuantization):
        return Quantization.BINARY
    return Quantization.INT8 if dense.quantization_config else Quantization.NONE


def _ranges(path: str) -> tuple[str, str]:
    return f"n-{key_of(path)}", f"i-{key_of(path)}"


def _field_schema(key: str) -> Any:
    if key == "t":
        words = models.TokenizerType.WHITESPACE
        return models.TextIndexParams(type=models.TextIndexType.TEXT, tokenizer=words, lowercase=False)
    if key.startswith("f-"):
        return models.PayloadSchemaType.KEYWORD
    return models.PayloadSchemaType.FLOAT


def _point(point: Point) -> models.PointStruct:
    vectors = {name: _vector(vector) for name, vector in point.vectors.items() if not is_empty(vector)}
    kept = payload(point.document_id, point.fields)
    return models.PointStruct(id=point_id(point.document_id), vector=vectors, payload=kept)


def _vector(vector: Vector) -> Any:
    if isinstance(vector, Sparse):
        return models.SparseVector(indices=vector.indices.tolist(), values=vector.values.tolist())
    values = unit(vector.values)
    return values.tolist() if isinstance(vector, Dense) else [row.tolist() for row in values]


def _condition(clause: Clause) -> Any:
    if "has_id" in clause:
        return models.HasIdCondition(has_id=clause["has_id"])
    if "match" in clause:
        match = clause["match"]
        is_one = "text" in match
        wanted = models.MatchText(text=match["text"]) if is_one else models.MatchTextAny(text_any=match["text_any"])
        return models.FieldCondition(key=clause["key"], match=wanted)
    if "range" in clause:
        return models.FieldCondition(key=clause["key"], range=models.Range(**clause["range"]))
    return models.Filter(**{name: [_condition(child) for child in clause[name]] for name in clause})
