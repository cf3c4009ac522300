"""Maximal marginal relevance: what is relevant and unlike what was chosen before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tamis.engine.grouping import identity
from tamis.model.json import JSON
from tamis.model.vector import FloatArray

Metric = Literal["cosine", "dot", "euclidean"]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pick:
    """place: among the candidates, from 0.  penalty: its likeness to the most alike of those chosen before it.

    score: `balance * relevance - (1 - balance) * penalty`; of the first, whose penalty is 0, its share of relevance.
    """

    place: int
    relevance: float
    penalty: float
    score: float


def choose(relevance: Sequence[float], alike: Matrix, balance: float, count: int) -> list[Pick]:
    """Choose `count` of the candidates, each time the best of what is left; ties to the earlier.

    relevance: of each, higher is better.  alike: float64 [n, n].  balance: lambda; 1 is relevance alone.
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
        penalties = alike[place].copy() if len(picks) == 1 else np.maximum(penalties, alike[place])
    return picks


def vector_likeness(rows: FloatArray, metric: Metric) -> Matrix:
    """rows: float32 [n, dim].  Returns: float64 [n, n]; euclidean as `1 / (1 + distance)`.  Cost: O(n * n * dim)."""
    values = rows.astype(np.float64)
    if metric == "cosine":
        values = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    products: Matrix = values @ values.T
    if metric != "euclidean":
        return products
    squares = np.diag(products)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2.0 * products, 0.0))
    return np.asarray(1.0 / (1.0 + distances))


def field_likeness(values: Sequence[JSON]) -> Matrix:
    """1 where two values are equal, of lists the share of items in common; what is missing is like nothing."""
    sets = [_items(value) for value in values]
    alike = np.zeros((len(sets), len(sets)))
    for row, one in enumerate(sets):
        for column in range(row, len(sets)):
            union = len(one | sets[column])
            alike[row, column] = alike[column, row] = len(one & sets[column]) / union if union else 0.0
    return alike


def mixed(parts: Sequence[tuple[float, Matrix]]) -> Matrix:
    """The mean of likenesses by weight; all weights 0 is no likeness."""
    total = sum(weight for weight, _ in parts)
    if not total:
        return np.zeros_like(parts[0][1])
    return np.asarray(sum(weight * alike for weight, alike in parts) / total)


def _items(value: JSON) -> frozenset[bytes]:
    if value is None:
        return frozenset()
    return frozenset(identity(item) for item in value) if isinstance(value, list) else frozenset({identity(value)})
