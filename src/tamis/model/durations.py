"""Durations counted in steps that grow by one factor, so that a percentile of any number of them is a small sum."""

import math
from collections.abc import Mapping

_STEPS_PER_DOUBLING = 16
ERROR = 2 ** (1 / (2 * _STEPS_PER_DOUBLING)) - 1
"""How far a percentile is from the duration at that rank at most, relatively: 2.2%."""


def step_of(duration_us: int) -> int:
    """Step n holds the durations from 2^(n/16) microseconds to below 2^((n+1)/16); 0 also what is shorter."""
    return int(math.log2(duration_us) * _STEPS_PER_DOUBLING) if duration_us > 1 else 0


def percentile(counts: Mapping[int, int], share: float) -> float:
    """Microseconds. counts: by step.  share: 0 to 1, by nearest rank.

    Returns: the middle of the step that holds the rank, at most `ERROR` from the duration there; 0 without any.
    """
    rank = max(1, math.ceil(share * sum(counts.values())))
    passed = 0
    for step in sorted(counts):
        passed += counts[step]
        if passed >= rank:
            return _middle(step)
    return 0.0


def _middle(step: int) -> float:
    return float(2 ** ((step + 0.5) / _STEPS_PER_DOUBLING))
