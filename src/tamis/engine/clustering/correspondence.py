"""Which cluster became which: the pairing of two runs' clusters that keeps the most documents together."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tamis.engine.clustering.clustering import Labels
from tamis.errors import NotSetUpError


@dataclass(frozen=True, slots=True)
class Pair:
    """before, after: cluster numbers; None where one has no counterpart.  shared: documents in both.

    jaccard: shared / in either, 0 to 1.
    """

    before: int | None
    after: int | None
    shared: int
    jaccard: float


@dataclass(frozen=True, slots=True)
class Correspondence:
    """pairs: by the clusters before, then what is new.  documents: in a cluster of both runs.  kept: of them those
    that stayed in the cluster that theirs became.  agreement: the adjusted Rand index over them, 1 is the same; None
    where there are not two documents.
    """

    pairs: tuple[Pair, ...]
    documents: int
    kept: int
    agreement: float | None


def correspond(before: Mapping[str, int], after: Mapping[str, int]) -> Correspondence:
    """By document id its cluster, 0 and up; documents in none are left out.

    Cost: O(documents + clusters^3).   Raises: NotSetUpError without scikit-learn.
    Sources: Kuhn 1955 (the assignment); Hubert & Arabie 1985 (the index).
    """
    sizes = [np.bincount(np.fromiter(one.values(), np.int64, len(one))) for one in (before, after)]
    shared = np.zeros((len(sizes[0]), len(sizes[1])), dtype=np.int64)
    both = [(number, after[document]) for document, number in before.items() if document in after]
    for number, became in both:
        shared[number, became] += 1
    rows, columns = _assigned(shared)
    matched = {int(row): int(column) for row, column in zip(rows, columns, strict=True) if shared[row, column] > 0}
    pairs = [_pair(number, matched.get(number), shared, sizes) for number in range(len(sizes[0]))]
    new = sorted(set(range(len(sizes[1]))) - set(matched.values()))
    pairs += [Pair(None, number, 0, 0.0) for number in new]
    kept = sum(one.shared for one in pairs)
    return Correspondence(tuple(pairs), len(both), kept, _agreement(both))


def _pair(before: int, after: int | None, shared: Labels, sizes: list[Labels]) -> Pair:
    if after is None:
        return Pair(before, None, 0, 0.0)
    together = int(shared[before, after])
    either = int(sizes[0][before]) + int(sizes[1][after]) - together
    return Pair(before, after, together, together / either)


def _assigned(shared: Labels) -> tuple[Labels, Labels]:
    try:
        optimize = importlib.import_module("scipy.optimize")
    except ImportError as error:
        raise NotSetUpError("comparing clusters (pip install 'tamis[cluster]')") from error
    rows, columns = optimize.linear_sum_assignment(shared, maximize=True)
    return rows, columns


def _agreement(both: list[tuple[int, int]]) -> float | None:
    if len(both) < 2:
        return None
    metrics = importlib.import_module("sklearn.metrics")
    return float(metrics.adjusted_rand_score([one for one, _ in both], [one for _, one in both]))
