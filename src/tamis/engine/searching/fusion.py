"""Several rankings of the same documents become one.

Each strategy is a sum (or the greatest) of one contribution a ranking, added up exactly (`math.fsum`): the order of
the searches, and how many collections a ranking was merged from, never change a result. A document that a ranking
does not hold gets nothing from it.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

from tamis.engine.ports.index import Scored

RRF_K = 60
FEWEST = 30
"""Scores that a distribution is taken of where the rest are known to be 0: a handful has no spread to speak of."""

Ranking: TypeAlias = Sequence[Scored]


class Fusion(StrEnum):
    """How a document's scores from several searches become one."""

    RRF = "rrf"
    DBSF = "dbsf"
    WEIGHTED = "weighted"
    MAX = "max"
    LEARNED = "learned"


def fuse(
    strategy: Fusion,
    rankings: Sequence[Ranking],
    weights: Sequence[float] | None = None,
    exhausted: Sequence[bool] | None = None,
) -> list[Scored]:
    """One ranking out of many: score down, id up.

    rankings: best first, each document at most once in each.  weights: one for each ranking, 1.0 where omitted.
    exhausted: which of them hold every document that scores above 0; none where omitted. Only dbsf asks.
    `learned` fuses as dbsf does: its weights are another's to find.
    Raises: ValueError where the lengths differ.   Cost: O(n log n) in all entries.
    """
    factors = list(weights) if weights is not None else [1.0] * len(rankings)
    if len(factors) != len(rankings):
        raise ValueError(f"{len(factors)} weights for {len(rankings)} rankings")
    parts: dict[str, list[float]] = {}
    ended = list(exhausted) if exhausted is not None else [False] * len(rankings)
    for ranking, weight, is_all in zip(rankings, factors, ended, strict=True):
        for entry, value in zip(ranking, _contribute(strategy, ranking, weight, is_all), strict=True):
            held = parts.get(entry.document_id)
            if held is None:
                parts[entry.document_id] = [value]
            else:
                held.append(value)
    combine: Callable[[Iterable[float]], float] = max if strategy is Fusion.MAX else math.fsum
    totals = sorted((-combine(values), document_id) for document_id, values in parts.items())
    return [Scored(document_id, -negated) for negated, document_id in totals]


def contributions(strategy: Fusion, ranking: Ranking) -> list[float]:
    """What each entry of one ranking alone brings to its document."""
    return _STRATEGIES[strategy](ranking, 1.0)


def _contribute(strategy: Fusion, ranking: Ranking, weight: float, is_all: bool) -> list[float]:
    if is_all and strategy in (Fusion.DBSF, Fusion.LEARNED):
        return distribution_based(ranking, weight, max(FEWEST - len(ranking), 0))
    return _STRATEGIES[strategy](ranking, weight)


def ranked(entries: Iterable[Scored]) -> list[Scored]:
    """Score down, then document id up."""
    return sorted(entries, key=lambda entry: (-entry.score, entry.document_id))


def merge(rankings: Sequence[Ranking], limit: int) -> Ranking:
    """The lists that several collections gave for one search, each in order, as one list of the best `limit`."""
    if len(rankings) == 1:
        return rankings[0][:limit]
    return ranked(entry for ranking in rankings for entry in ranking)[:limit]


def reciprocal_rank(ranking: Ranking, weight: float = 1.0, k: int = RRF_K) -> list[float]:
    """weight / (k + rank), rank from 1.  Source: Cormack, Clarke, Buettcher 2009."""
    return [weight / (k + rank) for rank in range(1, len(ranking) + 1)]


def distribution_based(ranking: Ranking, weight: float = 1.0, zeros: int = 0) -> list[float]:
    """Scores in units of their own spread: mean - 3 sigma is 0, mean + 3 sigma is 1, sigma that of a sample.

    zeros: scores of 0 that belong to the sample too. One document that alone has a rare word thus stands far above
    all others, and not in the middle of itself.
    Where scores do not differ (or there is one) each is 0.5.  Source: Mazzeschi 2023, as Qdrant computes it.
    """
    found = [entry.score for entry in ranking]
    scores = found + [0.0] * zeros if found else found
    spread = _deviation(scores)
    if spread == 0.0:
        return [0.5 * weight] * len(found)
    low = math.fsum(scores) / len(scores) - 3 * spread
    return [weight * (score - low) / (6 * spread) for score in found]


def _deviation(scores: Sequence[float]) -> float:
    if len(scores) < 2 or min(scores) == max(scores):
        return 0.0
    mean = math.fsum(scores) / len(scores)
    return math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))


def weighted_score(ranking: Ranking, weight: float = 1.0) -> list[float]:
    """The score as it is, times its weight: for searches whose scores share one scale."""
    return [weight * entry.score for entry in ranking]


def own_score(ranking: Ranking, _weight: float = 1.0) -> list[float]:
    """The score as it is; `max` takes the greatest and knows no weights."""
    return [entry.score for entry in ranking]


_STRATEGIES: dict[Fusion, Callable[[Ranking, float], list[float]]] = {
    Fusion.RRF: reciprocal_rank,
    Fusion.DBSF: distribution_based,
    Fusion.WEIGHTED: weighted_score,
    Fusion.MAX: own_score,
    Fusion.LEARNED: distribution_based,
}
