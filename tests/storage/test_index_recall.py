"""A filter that leaves a part of a shard must not cost a search through the graph its recall."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tamis.model.filters import parse_filter
from tamis.model.vector import FloatArray
from tamis.storage.index import shard
from tamis.storage.index.compile import compile_filter
from tamis.storage.index.files import ShardFiles
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
    made.generation.index_fields(["n.price"])
    for start in range(0, POINTS, 500):
        fields = {n: payload(str(n), {"price": n % 1000}) for n in range(start, start + 500)}
        made.generation.upsert({uuid.UUID(int=n + 1): (_vector(rows[n]), kept) for n, kept in fields.items()})
    made.generation.engine.optimize()
    yield made
    made.close()


@pytest.mark.parametrize("exact_up_to_bytes", [shard.EXACT_UP_TO_BYTES, 0])
def test_a_filtered_search_finds_the_nearest(
    built: Shard, rows: FloatArray, monkeypatch: pytest.MonkeyPatch, exact_up_to_bytes: int
) -> None:
    monkeypatch.setattr(shard, "EXACT_UP_TO_BYTES", exact_up_to_bytes)
    inside = np.arange(POINTS) % 1000 < 250
    shared = 0
    for query in rows[POINTS:]:
        order = np.argsort(-np.where(inside, rows[:POINTS] @ query, -2))[:LIMIT]
        shared += len({name for name, _ in built.search(_search(query))} & {str(one) for one in order})
    assert shared / (QUERIES * LIMIT) >= 0.98


def _vector(row: FloatArray) -> dict[str, object]:
    return {"e": ["d", row.tobytes()]}


def _search(query: FloatArray) -> dict[str, object]:
    within = compile_filter(parse_filter({"price": {"$lt": 250}}))
    return {
        "feature": "e",
        "vector": ["d", query.tobytes()],
        "limit": LIMIT,
        "filter": within,
        "min_score": None,
        "exact": False,
    }
