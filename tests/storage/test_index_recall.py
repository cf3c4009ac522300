"""A filter that leaves a part of a shard must not cost a search through the graph its recall."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tamis.model.filters import parse_filter
from tamis.model.vector import FloatArray, Quantization
from tamis.storage.index import shard
from tamis.storage.index.compile import compile_filter
from tamis.storage.index.files import ShardFiles, read_config
from tamis.storage.index.payload import payload
from tamis.storage.index.shard import Shard

# Long vectors: the engine leaves exact search at 10 MB of matches, which is few points here.
DIMENSIONS, POINTS, QUERIES, LIMIT = 1536, 8000, 40, 10
FEATURES = [{"name": "e", "kind": "dense", "dimensions": DIMENSIONS, "idf": False}]


@pytest.fixture(scope="module")
def rows() -> FloatArray:
    chance = np.random.default_rng(0)
    centres = chance.standard_normal((300, DIMENSIONS)).astype("<f4")
    made = centres[chance.integers(0, 300, POINTS + QUERIES)]
    made += np.float32(0.9) * chance.standard_normal(made.shape).astype("<f4")
    scaled: FloatArray = made / np.linalg.norm(made, axis=1, keepdims=True)
    return scaled


@pytest.fixture(scope="module")
def built(rows: FloatArray, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shard]:
    root: Path = tmp_path_factory.mktemp("shard")
    made = Shard.create(ShardFiles(root), FEATURES)
    _fill(made, rows, POINTS)
    yield made
    made.close()


@pytest.mark.parametrize(("below", "exact_up_to_bytes"), [(100, 0), (250, 24_000_000), (250, 0), (600, 0), (950, 0)])
def test_a_filtered_search_finds_the_nearest(
    built: Shard, rows: FloatArray, monkeypatch: pytest.MonkeyPatch, below: int, exact_up_to_bytes: int
) -> None:
    """Whether the filter leaves little or most, and whether that is scanned or found through the graph."""
    monkeypatch.setattr(shard, "EXACT_UP_TO_BYTES", exact_up_to_bytes)
    assert _recall(built, rows, POINTS, below) >= 0.98


@pytest.mark.parametrize("quantization", list(Quantization))
def test_a_build_of_each_quantization_finds_the_nearest(
    quantization: Quantization, rows: FloatArray, tmp_path: Path
) -> None:
    """Binary vectors are a thirty-second of the others: what they lose, comparing again must bring back."""
    points = 500
    made = Shard.create(ShardFiles(tmp_path), [{**FEATURES[0], "quantization": str(quantization)}])
    _fill(made, rows, points)
    kept = read_config(made.generation.path)["vectors"]["e"].get("quantization_config") or {"none": None}
    assert list(kept) == [{"int8": "scalar"}.get(quantization, quantization)]
    quantized = list(made.generation.path.rglob("quantized*"))
    assert bool(quantized) == (quantization is not Quantization.NONE)
    assert _recall(made, rows, points, 1000) >= 0.97
    made.close()


def _recall(made: Shard, rows: FloatArray, points: int, below: int) -> float:
    inside = np.arange(points) % 1000 < below
    shared = 0
    for query in rows[POINTS:]:
        order = np.argsort(-np.where(inside, rows[:points] @ query, -2))[:LIMIT]
        found = made.search(_search(query, below if below < 1000 else None))
        shared += len({name for name, _ in found} & {str(one) for one in order})
    return shared / (QUERIES * LIMIT)


def _fill(made: Shard, rows: FloatArray, points: int) -> None:
    made.generation.index_fields(["n-price"])
    for start in range(0, points, 500):
        fields = {n: payload(str(n), {"price": n % 1000}) for n in range(start, start + 500)}
        made.generation.upsert({uuid.UUID(int=n + 1): (_vector(rows[n]), kept) for n, kept in fields.items()})
    made.generation.engine.optimize()


def _vector(row: FloatArray) -> dict[str, object]:
    return {"e": ["d", row.tobytes()]}


def _search(query: FloatArray, below: int | None) -> dict[str, object]:
    within = compile_filter(parse_filter({"price": {"$lt": below}})) if below is not None else None
    return {
        "feature": "e",
        "vector": ["d", query.tobytes()],
        "limit": LIMIT,
        "filter": within,
        "min_score": None,
        "exact": False,
    }
