"""Scores as parameters name them: the hit's own, one that a stage or a search gave, or a number among its fields."""

import math

from tamis.engine.groups.grouping import value_at
from tamis.model.hits import Hit
from tamis.model.matching import is_number

_GIVEN = "scores."


def score_at(hit: Hit, name: str) -> float | None:
    """name: `score`, a stage's or feature's (also as `scores.<name>`), or a path. None where it is no number."""
    short = name.removeprefix(_GIVEN)
    given = hit.scores.get(name, hit.scores.get(short))
    value = given if given is not None else value_at(hit.view(), name)
    if not is_number(value) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def finite_score(hit: Hit, name: str) -> float:
    """As `score_at`; what is no finite number counts as 0."""
    score = score_at(hit, name)
    return score if score is not None and math.isfinite(score) else 0.0
