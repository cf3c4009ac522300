"""Two runs over the same queries: is one better, or was it chance?

Source: Smucker, Allan & Carterette 2007 (the paired randomisation test); Holm 1979 (many metrics at once).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

PERMUTATIONS = 10_000
_EXACT = 13
"""Queries up to which all 2**n assignments are gone through."""
_AT_ONCE = 1_000_000
_SEED = 20_070_711
_EPSILON = 1e-12
"""Below it two sums are the same: they are added in different orders."""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """difference: candidate less baseline.  p: two-sided.  p_holm: the same, corrected for all metrics compared.

    wins, losses, ties: queries that the candidate does better, worse and equally on.
    """

    baseline: float
    candidate: float
    difference: float
    p: float
    p_holm: float
    wins: int
    losses: int
    ties: int


def compare(
    baseline: Mapping[str, Mapping[str, float]], candidate: Mapping[str, Mapping[str, float]]
) -> dict[str, MetricComparison]:
    """By metric. Both: query -> metric -> value, with the same queries and metrics.

    The same pair gives the same p at any time.  Cost: O(permutations * queries * metrics).
    """
    queries = sorted(baseline)
    names = sorted(baseline[queries[0]]) if queries else []
    a = np.array([[baseline[query][name] for name in names] for query in queries])
    b = np.array([[candidate[query][name] for name in names] for query in queries])
    if not names:
        return {}
    difference = b - a
    p = randomisation(difference)
    corrected = holm(p)
    same = np.abs(difference) <= _EPSILON
    return {
        name: MetricComparison(
            baseline=float(a[:, n].mean()),
            candidate=float(b[:, n].mean()),
            difference=float(difference[:, n].mean()),
            p=float(p[n]),
            p_holm=float(corrected[n]),
            wins=int(((difference[:, n] > 0) & ~same[:, n]).sum()),
            losses=int(((difference[:, n] < 0) & ~same[:, n]).sum()),
            ties=int(same[:, n].sum()),
        )
        for n, name in enumerate(names)
    }


def randomisation(differences: Floats) -> Floats:
    """How likely a mean difference as large as this is, were the two runs the same.

    differences: float [queries, metrics].  Returns: float [metrics], in (0, 1]. Exact up to 13 queries, else by 10,000
    random assignments of signs, the observed one among them.
    """
    observed = np.abs(differences.sum(axis=0)) - _EPSILON
    n = len(differences)
    if n <= _EXACT:
        signs = np.array([[1.0 if number >> bit & 1 else -1.0 for bit in range(n)] for number in range(2**n)])
        return np.asarray((np.abs(signs @ differences) >= observed).mean(axis=0))
    chance, extreme, left = np.random.default_rng(_SEED), np.zeros(differences.shape[1]), PERMUTATIONS - 1
    while left:
        size = min(left, max(1, _AT_ONCE // n))
        signs = chance.integers(0, 2, (size, n)) * 2.0 - 1.0
        extreme += (np.abs(signs @ differences) >= observed).sum(axis=0)
        left -= size
    return np.asarray((extreme + 1) / PERMUTATIONS)


def holm(p: Floats) -> Floats:
    """Corrected, so that the chance of any false alarm among all of them stays what it is for one."""
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * p[order]
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return corrected
