"""Which of several candidates to take, and what that choice is worth on queries that it was not made by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from tamis.evaluation.comparison import randomisation

Values = Mapping[str, float]
"""By query."""
_PARTITIONS = 10
"""Ways of cutting the queries into folds: by one alone, which candidate is believed is luck where queries are few."""


@dataclass(frozen=True, slots=True)
class Choice:
    """best: its place among the candidates; 0 is the baseline.

    baseline: the baseline's mean.  held_out: what the choice is worth on queries that it was not made by: the mean over
    all queries, each measured by the candidates that the other folds chose; or the mean of one that no query chose.
    p: how likely a difference as large as theirs is by chance, two-sided.
    """

    best: int
    baseline: float
    held_out: float
    p: float

    @property
    def is_better(self) -> bool:
        return self.best != 0 and self.held_out > self.baseline


def choose(candidates: Sequence[Values], folds: int, unchosen: int | None = None) -> Choice:
    """candidates: the baseline first, all with the same queries.  folds: at least 2, as far as there are queries.
    unchosen: the place of one that was known before any of these queries was, such as a default.

    What all queries choose is measured by folds, cut in several ways. The unchosen one is held out from every query, as
    it is: where its mean is greater than what the folds promise, it is taken, for the best of many that are alike is
    best by chance.
    Of equal means the earlier one is taken: who lists the simpler ones first gets those.
    Cost: O(candidates * queries * folds).
    """
    queries = sorted(candidates[0])
    baseline = [candidates[0][query] for query in queries]
    chosen = _best(candidates, queries), _by_folds(candidates, queries, folds)
    known = (unchosen, [candidates[unchosen][query] for query in queries]) if unchosen is not None else chosen
    best, held_out = known if fmean(known[1]) > max(fmean(chosen[1]), fmean(baseline)) else chosen
    p = float(randomisation((np.array(held_out) - np.array(baseline))[:, None])[0])
    return Choice(best, fmean(baseline), fmean(held_out), p)


def _by_folds(candidates: Sequence[Values], queries: Sequence[str], folds: int) -> list[float]:
    """Of each query its value by what the other folds chose, on average over partitions."""
    values = np.array([[one[query] for query in queries] for one in candidates])
    held_out = np.zeros(len(queries))
    for partition in range(_PARTITIONS):
        parts = np.array([fold_of(query, folds, partition) for query in queries])
        for fold in set(parts.tolist()):
            mine = parts == fold
            others = ~mine if not mine.all() else mine
            held_out[mine] += values[_first_best(values[:, others].mean(axis=1)), mine]
    return [float(one) for one in held_out / _PARTITIONS]


def fold_of(query: str, folds: int, partition: int = 0) -> int:
    """By a hash of its id: of one partition, the same query is always in the same fold."""
    salt = partition.to_bytes(2)
    return int.from_bytes(blake2b(query.encode(), digest_size=8, salt=salt).digest()) % folds


def front(points: Sequence[tuple[float, float, float]]) -> list[int]:
    """Places of those that no other is at least as good as in all, and better in one. points: quality (more is better),
    time and cost (less is better)."""
    return [n for n, one in enumerate(points) if not any(_beats(other, one) for other in points)]


def _beats(a: tuple[float, float, float], b: tuple[float, float, float]) -> bool:
    return a[0] >= b[0] and a[1] <= b[1] and a[2] <= b[2] and a != b


def _best(candidates: Sequence[Values], queries: Sequence[str]) -> int:
    return _first_best([fmean(one[query] for query in queries) for one in candidates])


def _first_best(means: Sequence[float] | NDArray[np.float64]) -> int:
    """Rounded: sums of the same numbers in another order are the same."""
    return int(np.argmax(np.round(means, 9)))
