"""Choose hits that are relevant and unlike each other."""

import math
from typing import Any, ClassVar

from pydantic import AliasChoices, BaseModel, Field, create_model, model_validator

from tamis.engine.groups.grouping import value_at
from tamis.engine.groups.scores import finite_score
from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters
from tamis.engine.searching.diversity import Metric
from tamis.engine.searching.stored_vectors import Diverse, Diversity
from tamis.engine.spending.spending import Given, Knob, KnobKind, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_SCORES = "scores."


class DiversityFeature(StageParameters):
    feature_uri: str = Field(min_length=1, description="A dense feature of the collections.")
    weight: float = Field(1.0, ge=0, le=1, description="How much its likeness counts.")


class MmrFields(StageParameters):
    top_k: int = Field(
        25, ge=1, le=500, validation_alias=AliasChoices("top_k", "top_n"), description="How many hits to choose."
    )
    score_field: str = Field(
        "score",
        min_length=1,
        description="Relevance: `score`, a stage's name or a feature URI for the score given there, or a field.",
    )
    mmr_score_field: str = Field(
        "scores.mmr", min_length=1, description="Where the MMR score is also written: `scores.<name>`, or a field."
    )
    similarity_metric: Metric = Field(
        "cosine", description="Likeness of vectors: cosine, dot, or euclidean as 1 / (1 + distance)."
    )
    diversity_feature_uri: str | None = Field(
        None,
        min_length=1,
        validation_alias=AliasChoices("diversity_feature_uri", "embedding_field"),
        description="Whose stored vectors tell likeness: a feature URI or an output's name; the collections' only "
        "dense feature where nothing is named.",
    )
    diversity_features: tuple[DiversityFeature, ...] = Field(
        (), max_length=16, description="Several features, by weight, instead of one."
    )
    diversity_fields: tuple[str, ...] = Field(
        (), max_length=16, description="Fields whose equal values make hits alike; of lists, the share in common."
    )
    diversity_field_weights: dict[str, float] = Field(
        default_factory=dict, description="How much a field counts; 1 where not given."
    )

    @model_validator(mode="after")
    def _fits(self) -> "MmrFields":
        if self.diversity_feature_uri is not None and self.diversity_features:
            raise ValueError("give diversity_feature_uri or diversity_features, not both")
        for name, weight in self.diversity_field_weights.items():
            if name not in self.diversity_fields:
                raise ValueError(f"diversity_field_weights names {name!r}, which is not among diversity_fields")
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"the weight of {name!r} is a number, 0 or more")
        return self

    @property
    def balance(self) -> float:
        value: float = getattr(self, "lambda")
        return value

    @property
    def features(self) -> tuple[tuple[str | None, float], ...]:
        """Whose vectors count; none where fields alone are named."""
        if self.diversity_features:
            return tuple((one.feature_uri, one.weight) for one in self.diversity_features)
        if self.diversity_feature_uri is not None:
            return ((self.diversity_feature_uri, 1.0),)
        return () if self.diversity_fields else ((None, 1.0),)


_NAMED_BY_A_KEYWORD: dict[str, Any] = {
    "lambda": (float, Field(0.7, ge=0, le=1, description="1 is relevance alone, 0 is unlikeness alone.")),
}
MmrParameters = create_model("MmrParameters", __base__=MmrFields, **_NAMED_BY_A_KEYWORD)


def _yields(given: MmrFields, work: Given) -> float:
    return min(given.top_k, work.count)


class Mmr:
    """Maximal marginal relevance. The most relevant first, then each time the best of relevance against likeness."""

    id: ClassVar[str] = "mmr"
    kind: ClassVar[StageKind] = StageKind.SORT
    icon: ClassVar[str] = "shuffle"
    description: ClassVar[str] = (
        "Choose hits one by one by maximal marginal relevance: lambda times the score, less (1 - lambda) times the "
        "likeness to the most alike of those chosen before, by stored vectors or by fields."
    )
    Parameters: ClassVar[type[BaseModel]] = MmrParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=_yields, knobs=(Knob(KnobKind.TOP_K, ("top_k",)),))
    example: ClassVar[dict[str, Any]] = {"lambda": 0.5, "top_k": 3}

    def __init__(self, parameters: MmrFields) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if not hits:
            return Outcome(hits)
        given = self._parameters
        ordered = sorted(hits, key=lambda hit: (-self._relevance(hit), hit.id))
        fields = tuple(
            (given.diversity_field_weights.get(path, 1.0), tuple(value_at(hit.view(), path) for hit in ordered))
            for path in given.diversity_fields
        )
        asked = Diversity(
            tuple(hit.id for hit in ordered), tuple(self._relevance(hit) for hit in ordered), context.collections,
            given.balance, given.top_k, given.similarity_metric, given.features, fields,
        )  # fmt: skip
        found = await context.searcher.diversify(context.principal, asked)
        return self._outcome(ordered, found, context)

    def _outcome(self, ordered: list[Hit], found: Diverse, context: Context) -> Outcome:
        chosen = []
        for number, pick in enumerate(found.picks, 1):
            told: dict[str, JSON] = {
                "relevance_score": pick.relevance, "diversity_penalty": pick.penalty, "mmr_score": pick.score,
                "selection_order": number,
            }  # fmt: skip
            chosen.append(self._show(ordered[pick.place].with_extra(mmr=told), pick.score, context))
        rest = [ordered[n] for n in found.without]
        warnings = (f"{len(rest)} hits have no vector to compare; they come last, by relevance",) if rest else ()
        facts: dict[str, JSON] = {"lambda": self._parameters.balance, "compared": len(ordered) - len(rest)}
        return Outcome(Hits.of([*chosen, *rest][: self._parameters.top_k]), metadata=facts, warnings=warnings)

    def _show(self, hit: Hit, score: float, context: Context) -> Hit:
        shown, path = hit.scored(context.stage_name, score), self._parameters.mmr_score_field
        if path.startswith(_SCORES):
            return shown.scored(path.removeprefix(_SCORES), score)
        return with_field(shown, path, score)

    def _relevance(self, hit: Hit) -> float:
        """What is no number counts as 0."""
        return finite_score(hit, self._parameters.score_field)

    async def explain(self, case: Case, context: Context) -> Verdict:
        given, received = self._parameters, len(case.received)
        facts: dict[str, JSON] = {"rank": case.rank, "received": received, "top_k": given.top_k}
        if received <= given.top_k:
            return Verdict(VerdictKind.CHANGED, "all that came in was chosen: it has changed since this ran", facts)
        edits = case.setting("top_k", before=given.top_k, to=received) if received <= 500 else ()
        reason = f"{given.top_k} of {received} were chosen before it, by relevance and unlikeness"
        return Verdict(VerdictKind.CUT, reason, facts, edits)
