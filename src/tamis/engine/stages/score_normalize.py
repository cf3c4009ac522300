"""Bring scores to a common range."""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, model_validator

from tamis.engine.groups.scores import finite_score
from tamis.engine.parameters import StageParameters
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.model.hits import Hit, Hits


class ScoreNormalizeParameters(StageParameters):
    method: Literal["min_max", "z_score", "softmax", "l2"] = Field(
        "min_max",
        description="min_max: 0..1 from least to greatest. z_score: standard deviations from the mean. "
        "softmax: shares that add up to 1. l2: divided by the scores' Euclidean length.",
    )
    score_field: str = Field(
        "score",
        min_length=1,
        description="`score`, a stage's name or a feature URI for the score given there, or a field.",
    )
    output_field: str | None = Field(
        None, min_length=1, description="Write the result to this field and leave the score as it was."
    )
    min_value: float | None = Field(None, allow_inf_nan=False, description="min_max: what counts as 0; else the least.")
    max_value: float | None = Field(
        None, allow_inf_nan=False, description="min_max: what counts as 1; else the greatest."
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> "ScoreNormalizeParameters":
        if self.min_value is not None and self.max_value is not None and self.min_value >= self.max_value:
            raise ValueError("min_value has to be below max_value")
        return self


class ScoreNormalize:
    """Rescale scores; every method keeps the order. What is no number counts as 0."""

    id: ClassVar[str] = "score_normalize"
    kind: ClassVar[StageKind] = StageKind.SORT
    icon: ClassVar[str] = "scale"
    description: ClassVar[str] = (
        "Rescale the scores to a common range without changing the order: by least and greatest, standard score, "
        "softmax or Euclidean length. Between given bounds min_max cuts off what lies outside."
    )
    Parameters: ClassVar[type[BaseModel]] = ScoreNormalizeParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {"method": "min_max"}

    def __init__(self, parameters: ScoreNormalizeParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        scores = [finite_score(hit, self._parameters.score_field) for hit in hits]
        rescaled = _METHODS[self._parameters.method](scores, self._parameters) if scores else []
        return Outcome(Hits.of(self._write(hit, x, context) for hit, x in zip(hits, rescaled, strict=True)))

    def _write(self, hit: Hit, value: float, context: Context) -> Hit:
        if self._parameters.output_field:
            return hit.with_extra(**{self._parameters.output_field: value})
        return hit.scored(context.stage_name, value)


def min_max(scores: Sequence[float], parameters: ScoreNormalizeParameters) -> list[float]:
    low = min(scores) if parameters.min_value is None else parameters.min_value
    high = max(scores) if parameters.max_value is None else parameters.max_value
    if high <= low:
        return [1.0 if score >= low else 0.0 for score in scores]
    return [min(1.0, max(0.0, (score - low) / (high - low))) for score in scores]


def z_score(scores: Sequence[float], _parameters: ScoreNormalizeParameters) -> list[float]:
    """By the population's standard deviation; 0 where scores do not differ."""
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    same = min(scores) == max(scores) or deviation == 0.0
    return [0.0 if same else (score - mean) / deviation for score in scores]


def softmax(scores: Sequence[float], _parameters: ScoreNormalizeParameters) -> list[float]:
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]


def l2(scores: Sequence[float], _parameters: ScoreNormalizeParameters) -> list[float]:
    length = math.hypot(*scores)
    return [score / length if length else 0.0 for score in scores]


_METHODS: dict[str, Callable[[Sequence[float], ScoreNormalizeParameters], list[float]]] = {
    "min_max": min_max,
    "z_score": z_score,
    "softmax": softmax,
    "l2": l2,
}
