"""What every server is filled with and asked: real texts and their vectors, repeated with noise up to a size."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.shared_data import ROOT, json_lines

from tamis.engine.ports.inference import Models

TOP = 10
SHELVES = 50
"""Documents stand on one of so many shelves: a filter for one leaves 2 %."""

PRICES = 1000
CHEAP = 500
"""Hybrid searches take what costs less: half of all."""
_NOISE = 0.15
_CACHE = Path(".cache/peers")


@dataclass(frozen=True)
class Corpus:
    """name: of the data.  vectors, queries: float32 [n, 384] of unit length.  texts, questions: what they are of."""

    name: str
    texts: Sequence[str]
    vectors: NDArray[np.float32]
    questions: Sequence[str]
    queries: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)

    def fields(self, number: int) -> dict[str, Any]:
        return {"text": self.texts[number], "shelf": f"shelf{number % SHELVES}", "price": number * 7 % PRICES}

    def shelf(self, query: int) -> str:
        """What the filtered search with this query asks for."""
        return f"shelf{query % SHELVES}"

    @cached_property
    def nearest(self) -> list[set[int]]:
        """For each query the true ten, by exact search."""
        return [set(np.argpartition(-row, TOP)[:TOP].tolist()) for row in self._similarities()]

    @cached_property
    def nearest_on_shelf(self) -> list[set[int]]:
        shelves = np.arange(len(self)) % SHELVES
        rows = self._similarities()
        rows[shelves[None, :] != np.arange(len(rows))[:, None] % SHELVES] = -np.inf
        return [set(np.argpartition(-row, TOP)[:TOP].tolist()) for row in rows]

    def _similarities(self) -> NDArray[np.float32]:
        similarities: NDArray[np.float32] = self.queries @ self.vectors.T
        return similarities


def load(name: str, size: int, models: Models) -> Corpus:
    """name: `scifact` or `chorus_icecat`.  size: how many documents; beyond the real ones, those again with noise."""
    data = ROOT / "data" / name
    rows = json_lines(data / "corpus.jsonl")[:size]
    texts = [f"{row['title']}. {row['text']}" for row in rows]
    questions = [row["text"] for row in json_lines(data / "queries.jsonl")]
    real, queries = _embedded(texts, models), _embedded(questions, models)
    repeats = -(-size // len(texts))
    return Corpus(name, (texts * repeats)[:size], _repeated(real, size), questions, queries)


def _repeated(real: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    chance = np.random.default_rng(0)
    scale = _NOISE / np.sqrt(real.shape[1])
    parts = [real]
    while sum(map(len, parts)) < size:
        parts.append(real + scale * chance.standard_normal(real.shape, dtype=np.float32))
    vectors = np.concatenate(parts)[:size]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def _embedded(texts: Sequence[str], models: Models) -> NDArray[np.float32]:
    """Kept by the texts' hash: the same texts are embedded once."""
    embedder = models.embedder()
    digest = hashlib.sha256("\0".join([embedder.info.version, *texts]).encode()).hexdigest()[:32]
    kept = _CACHE / f"{digest}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.asarray(embedder.embed_documents(texts), np.float32))
    rows: NDArray[np.float32] = np.load(kept)
    return rows
