"""Between plain data and the objects of Qdrant Edge. Imported in the index process and the builder alone:
the engine holds the GIL in every call, so the server must never load it."""

import uuid
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import qdrant_edge as edge

from tamis.storage.index.compile import Clause

# Mapped, not pinned: the page cache holds them as well, and opening a shard need not read them first.
_MAPPED = edge.Memory.Cached
_QUANTIZED: dict[str, Any] = {
    "int8": edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, memory=_MAPPED),
    "binary": edge.BinaryQuantizationConfig(
        memory=_MAPPED, query_encoding=edge.BinaryQuantizationQueryEncoding.Scalar8Bits
    ),
    "none": None,
}
_OVERSAMPLING = {"int8": 2.0, "binary": 8.0, "none": 1.0}
PLAIN = edge.SearchParams()
EXACT = edge.SearchParams(exact=True, quantization=edge.QuantizationSearchParams(ignore=True))
_QUANTIZED_FROM_DIMENSIONS = 64
_NO_FEATURE = "none"
_SCAN_KB, _SCAN_MOST_KB = 10_000, 30_000
"""What a filter leaves is compared without the graph up to so many kilobytes of vectors: up to the larger figure in a
generation of twice as much, for in one that is no larger the engine uses its graph for nothing."""

_LINKS = 24
_EF, _EF_OF_MANY, _MANY_POINTS = 100, 200, 50_000
"""Candidates that the graph is followed by. Of 60,000 near duplicates 24 links find a recall@10 of 0.978 with 100 and
0.996 with 200, 16 links 0.955 and 0.992; of 100,000, 200 find 0.98; of 20,000, 100 find 0.997."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a dense feature of one generation is searched.

    scanned_bytes: up to so many bytes of vectors that a filter leaves, the engine compares all of them.
    """

    free: edge.SearchParams
    filtered: edge.SearchParams
    scanned_bytes: int


def ways(config: Mapping[str, Any], points: int) -> dict[str, Ways]:
    """By feature. config: what the engine keeps beside a shard.  points: those in its graph."""
    return {name: _ways(feature, points) for name, feature in config.get("vectors", {}).items()}


def _ways(feature: Mapping[str, Any], points: int) -> Ways:
    kind = {"scalar": "int8", "binary": "binary"}.get(next(iter(feature.get("quantization_config") or {}), ""), "none")
    quantization = edge.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING[kind])
    # The graph knows nothing of filters: without ACORN it ends early among neighbours that do not match.
    acorn = edge.AcornSearchParams(enable=True, max_selectivity=1.0)
    return Ways(
        edge.SearchParams(hnsw_ef=_EF_OF_MANY if points > _MANY_POINTS else _EF, quantization=quantization),
        edge.SearchParams(hnsw_ef=_EF_OF_MANY, quantization=quantization, acorn=acorn),
        feature["hnsw_config"]["full_scan_threshold"] * 1024,
    )


def shard_config(features: Sequence[Mapping[str, Any]], points: int = 0, build_threads: int = 1) -> edge.EdgeConfig:
    """points: that a build is about to put in.

    Vectors arrive with unit length, so that a dot product is the cosine and a rebuilt shard holds the same bits.
    """
    dense = {one["name"]: _dense(one, points, build_threads) for one in features if one["kind"] != "sparse"}
    sparse = {
        one["name"]: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if one["idf"] else None)
        for one in features
        if one["kind"] == "sparse"
    }
    if not features:
        # The engine wants at least one; no point ever has a vector under this name.
        sparse[_NO_FEATURE] = edge.EdgeSparseVectorParams()
    return edge.EdgeConfig(
        vectors=dense,
        sparse_vectors=sparse,
        max_search_threads=1,
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1, default_segment_number=1),
    )


def _dense(feature: Mapping[str, Any], points: int, threads: int) -> edge.EdgeVectorParams:
    size = feature["dimensions"]
    if feature["kind"] == "multi_dense":
        # Late interaction is compared with every document: a graph over MaxSim takes hours to build.
        return edge.EdgeVectorParams(
            size,
            edge.Distance.Dot,
            multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
            hnsw_config=edge.HnswIndexConfig(0, 100, 10_000, threads),
        )
    half_kb = points * size * 4 // 2048
    scan_kb = max(_SCAN_KB, min(_SCAN_MOST_KB, half_kb))
    quantized = _QUANTIZED[feature.get("quantization", "int8")] if size >= _QUANTIZED_FROM_DIMENSIONS else None
    return edge.EdgeVectorParams(
        size,
        edge.Distance.Dot,
        quantization_config=quantized,
        hnsw_config=edge.HnswIndexConfig(_LINKS, 100, scan_kb, threads),
    )


def field_index(key: str) -> Any:
    """The payload index that this payload field gets. None of them adds edges to the graph.

    Those of a built generation lie mapped: in memory of their own they take 1.1 kB a document and serve no faster.
    """
    if key == "t":
        words = edge.TokenizerType.Whitespace
        return edge.TextIndexParams(words, lowercase=False, ascii_folding=False, memory=_MAPPED, enable_hnsw=False)
    if key.startswith("f-"):
        return edge.KeywordIndexParams(memory=_MAPPED, enable_hnsw=False)
    return edge.FloatIndexParams(memory=_MAPPED, enable_hnsw=False)


def vector(raw: Sequence[Any]) -> Any:
    """raw: `["d", f32 bytes]`, `["m", rows, f32 bytes]` or `["s", u32 bytes, f32 bytes]`."""
    if raw[0] == "s":
        return edge.SparseVector(_numbers("I", raw[1]), _numbers("f", raw[2]))
    if raw[0] == "d":
        # The engine reads what looks like a list of floats as it lies.
        return memoryview(raw[1]).cast("f")
    values = _numbers("f", raw[-1])
    width = len(values) // raw[1] if raw[1] else 0
    return [values[start : start + width] for start in range(0, len(values), width)] if width else []


def _numbers(code: Literal["I", "f"], data: bytes) -> list[Any]:
    return memoryview(data).cast(code).tolist()


def raw_vector(value: Any) -> list[Any]:
    """What `vector` was made from."""
    if isinstance(value, edge.SparseVector):
        return ["s", array("I", value.indices).tobytes(), array("f", value.values).tobytes()]
    if value and isinstance(value[0], list):
        return ["m", len(value), b"".join(array("f", row).tobytes() for row in value)]
    return ["d", array("f", value).tobytes()]


def point(identifier: uuid.UUID, vectors: Mapping[str, Any], payload: dict[str, Any]) -> edge.Point:
    return edge.Point(identifier, {name: vector(raw) for name, raw in vectors.items()}, payload)


def condition(clause: Clause) -> Any:
    """One clause of `compile`, after its `late` and `wide` parts have been looked up."""
    if "has_id" in clause:
        return edge.HasIdCondition(set(clause["has_id"]))
    if "match" in clause:
        match = clause["match"]
        wanted = edge.MatchText(match["text"]) if "text" in match else edge.MatchTextAny(match["text_any"])
        return edge.FieldCondition(key=clause["key"], match=wanted)
    if "range" in clause:
        return edge.FieldCondition(key=clause["key"], range=edge.RangeFloat(**clause["range"]))
    groups: dict[str, Any] = {name: [condition(child) for child in clause[name]] for name in clause}
    return edge.Filter(**groups)


def filter_of(clause: Clause | None) -> edge.Filter | None:
    if clause is None:
        return None
    if "must" in clause or "should" in clause or "must_not" in clause:
        whole: edge.Filter = condition(clause)
        return whole
    return edge.Filter(must=[condition(clause)])
