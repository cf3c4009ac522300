"""Maximal marginal relevance: what is relevant and unlike what was chosen before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tamis.engine.groups.grouping import identity
from tamis.model.json import JSON
from tamis.model.vector import FloatArray

Metric = Literal["cosine", "dot", "euclidean"]
Row = NDArray[np.float64]


class Likeness(Protocol):
    """What each candidate is like, a row at a time: a choice of few needs few of the n rows, and not their square."""

    def __getitem__(self, place: int, /) -> Row:
        """float64 [n]: how much each candidate is like the one at this place."""
        ...


@dataclass(frozen=True, slots=True)
class Pick:
    """place: among the candidates, from 0.  penalty: its likeness to the most alike of those chosen before it.

    score: `balance * relevance - (1 - balance) * penalty`; of the first, whose penalty is 0, its share of relevance.
    """

    place: int
    relevance: float
    penalty: float
    score: float


def choose(relevance: Sequence[float], alike: Likeness, balance: float, count: int) -> list[Pick]:
    """Choose `count` of the candidates, each time the best of what is left; ties to the earlier.

    relevance: of each, higher is better.  alike: of n candidates.  balance: lambda; 1 is relevance alone.
    The first is the most relevant whatever the balance.  Cost: O(n * count).
    Source: Carbonell & Goldstein 1998.
    """
    known = np.asarray(relevance, dtype=np.float64)
    penalties = np.zeros(len(known))
    left = np.ones(len(known), dtype=bool)
    picks: list[Pick] = []
    for _ in range(min(count, len(known))):
        gains = balance * known - (1.0 - balance) * penalties
        place = int(np.argmax(np.where(left, gains if picks else known, -np.inf)))
        picks.append(Pick(place, float(known[place]), float(penalties[place]), float(gains[place])))
        left[place] = False
        row = alike[place] if len(picks) < min(count, len(known)) else penalties
        penalties = row.copy() if len(picks) == 1 else np.maximum(penalties, row)
    return picks


class _VectorLikeness:
    """values: float64 [n, dim], of unit rows for the cosine."""

    __slots__ = ("_metric", "_squares", "_values")

    def __init__(self, values: Row, metric: Metric) -> None:
        self._values = values
        self._metric = metric
        self._squares = np.einsum("nd,nd->n", values, values)

    def __getitem__(self, place: int, /) -> Row:
        products: Row = self._values @ self._values[place]
        if self._metric != "euclidean":
            return products
        distances = np.sqrt(np.maximum(self._squares + self._squares[place] - 2.0 * products, 0.0))
        return np.asarray(1.0 / (1.0 + distances))


class _FieldLikeness:
    __slots__ = ("_sets",)

    def __init__(self, sets: Sequence[frozenset[bytes]]) -> None:
        self._sets = sets

    def __getitem__(self, place: int, /) -> Row:
        one = self._sets[place]
        return np.array([len(one & other) / (len(one | other) or 1) for other in self._sets], dtype=np.float64)


class _MixedLikeness:
    __slots__ = ("_parts", "_total")

    def __init__(self, parts: Sequence[tuple[float, Likeness]]) -> None:
        self._parts = parts
        self._total = sum(weight for weight, _ in parts)

    def __getitem__(self, place: int, /) -> Row:
        if not self._total:
            return np.zeros_like(self._parts[0][1][place])
        return np.asarray(sum(weight * alike[place] for weight, alike in self._parts) / self._total)


def vector_likeness(rows: FloatArray, metric: Metric) -> Likeness:
    """rows: float32 [n, dim].  Returns: by place; euclidean as `1 / (1 + distance)`.  Cost: O(n * dim) a row."""
    values = rows.astype(np.float64)
    if metric == "cosine":
        values = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return _VectorLikeness(values, metric)


def field_likeness(values: Sequence[JSON]) -> Likeness:
    """1 where two values are equal, of lists the share of items in common; what is missing is like nothing."""
    return _FieldLikeness([_items(value) for value in values])


def mixed(parts: Sequence[tuple[float, Likeness]]) -> Likeness:
    """The mean of likenesses by weight; all weights 0 is no likeness."""
    return _MixedLikeness(parts)


def _items(value: JSON) -> frozenset[bytes]:
    if value is None:
        return frozenset()
    return frozenset(identity(item) for item in value) if isinstance(value, list) else frozenset({identity(value)})
