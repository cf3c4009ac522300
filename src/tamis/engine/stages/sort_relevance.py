"""Order by a score that an earlier stage gave."""

from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field

from tamis.engine.groups.scores import score_at
from tamis.engine.parameters import StageParameters
from tamis.engine.querying.features import resolve_feature
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits


class SortRelevanceParameters(StageParameters):
    score_field: str = Field(
        "score",
        min_length=1,
        description="What to sort by: `score`, a stage's name or a feature URI for the score given there, or a field.",
    )
    direction: Literal["asc", "desc"] = Field(
        "desc", validation_alias=AliasChoices("direction", "order"), description="Highest scores first, or lowest."
    )
    missing_score: Literal["bottom", "top", "preserve"] = Field(
        "bottom", description="Where hits without this score go; `preserve` leaves each at the place that it has."
    )
    normalize: bool = Field(False, description="Also bring the scores to 0..1, the lowest to 0 and the highest to 1.")
    feature_address: str | None = Field(
        None, description="A feature URI: sort by the score that an earlier search gave for this feature."
    )


class SortRelevance:
    """Sort by the score of the last stage, of a stage by name or of a feature; ties by id."""

    id: ClassVar[str] = "sort_relevance"
    kind: ClassVar[StageKind] = StageKind.SORT
    icon: ClassVar[str] = "arrow-down-wide-narrow"
    description: ClassVar[str] = (
        "Order the hits by relevance again: by their score, by the score of one feature or stage that they passed, or "
        "by a numeric field. Ties are ordered by document id."
    )
    Parameters: ClassVar[type[BaseModel]] = SortRelevanceParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {"score_field": "score", "direction": "desc"}

    def __init__(self, parameters: SortRelevanceParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        name = self._name(context)
        scored = [(score, hit) for hit in hits if (score := score_at(hit, name)) is not None]
        sign = -1.0 if self._parameters.direction == "desc" else 1.0
        scored.sort(key=lambda pair: (sign * pair[0], pair[1].id))
        ordered = [hit for _, hit in scored]
        if self._parameters.normalize and scored:
            ordered = _normalized(scored, context.stage_name)
        return Outcome(Hits.of(self._placed(hits, ordered, name)))

    def _name(self, context: Context) -> str:
        """What the score is called; a feature URI in any spelling is found under its canonical one."""
        wanted = self._parameters.feature_address or self._parameters.score_field
        if not wanted.startswith("mixpeek://"):
            return wanted
        uri, lexical, _ = wanted.partition("#lexical")
        try:
            return resolve_feature(uri, context.collections, bool(lexical)).name
        except ValidationError:
            return wanted

    def _placed(self, hits: Hits, ordered: list[Hit], name: str) -> list[Hit]:
        missing = [hit for hit in hits if score_at(hit, name) is None]
        if self._parameters.missing_score == "bottom":
            return ordered + missing
        if self._parameters.missing_score == "top":
            return missing + ordered
        rest = iter(ordered)
        return [hit if score_at(hit, name) is None else next(rest) for hit in hits]


def _normalized(scored: list[tuple[float, Hit]], stage_name: str) -> list[Hit]:
    values = [score for score, _ in scored]
    low, span = min(values), max(values) - min(values)
    return [hit.scored(stage_name, (score - low) / span if span else 1.0) for score, hit in scored]
