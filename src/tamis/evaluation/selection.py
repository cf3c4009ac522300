"""Which of several candidates to take, and what that choice is worth on queries that it was not made by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import fmean

import numpy as np

from tamis.evaluation.comparison import randomisation

Values = Mapping[str, float]
"""By query."""


@dataclass(frozen=True, slots=True)
class Choice:
    """best: its place among the candidates, chosen by all queries; 0 is the baseline.

    baseline: the baseline's mean.  held_out: the mean over all queries, each measured by the candidate that the other
    folds chose.  p: how likely a difference as large as theirs is by chance, two-sided.
    """

    best: int
    baseline: float
    held_out: float
    p: float

    @property
    def is_better(self) -> bool:
        return self.best != 0 and self.held_out > self.baseline


def choose(candidates: Sequence[Values], folds: int) -> Choice:
    """candidates: the baseline first, all with the same queries.  folds: at least 2, as far as there are queries.

    Of equal means the earlier one is taken: who lists the simpler ones first gets those.
    Cost: O(candidates * queries * folds).
    """
    queries = sorted(candidates[0])
    parts = [fold_of(query, folds) for query in queries]
    held_out: list[float] = []
    for query, fold in zip(queries, parts, strict=True):
        others = [one for one, part in zip(queries, parts, strict=True) if part != fold]
        held_out.append(candidates[_best(candidates, others or queries)][query])
    baseline = [candidates[0][query] for query in queries]
    differences = np.array(held_out) - np.array(baseline)
    p = float(randomisation(differences[:, None])[0])
    return Choice(_best(candidates, queries), fmean(baseline), fmean(held_out), p)


def fold_of(query: str, folds: int) -> int:
    """By a hash of its id: the same query is always in the same fold."""
    return int.from_bytes(blake2b(query.encode(), digest_size=8).digest()) % folds


def front(points: Sequence[tuple[float, float, float]]) -> list[int]:
    """Places of those that no other is at least as good as in all, and better in one. points: quality (more is better),
    time and cost (less is better)."""
    return [n for n, one in enumerate(points) if not any(_beats(other, one) for other in points)]


def _beats(a: tuple[float, float, float], b: tuple[float, float, float]) -> bool:
    return a[0] >= b[0] and a[1] <= b[1] and a[2] <= b[2] and a != b


def _best(candidates: Sequence[Values], queries: Sequence[str]) -> int:
    means = [fmean(one[query] for query in queries) for one in candidates]
    return max(range(len(means)), key=lambda place: (round(means[place], 9), -place))
