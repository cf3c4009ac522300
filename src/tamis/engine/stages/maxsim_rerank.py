"""Order documents by late interaction over their stored token vectors."""

from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field

from tamis.engine.groups.grouping import value_at
from tamis.engine.parameters import StageParameters
from tamis.engine.querying.asked_query import asked_query
from tamis.engine.searching.stored_vectors import LateInteraction
from tamis.engine.spending.spending import Given, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON


class MaxSimParameters(StageParameters):
    feature_uri: str = Field(
        min_length=1, description="The feature with a vector for each token: text_extractor's `token_vectors`."
    )
    query: str | None = Field(None, description="What to compare with; the input `query` where not given.")
    top_n: int | None = Field(
        None,
        ge=1,
        le=1000,
        validation_alias=AliasChoices("top_n", "top_k"),
        description="How many hits to give back; all where not given.",
    )
    match_on: str = Field(
        "document_id",
        min_length=1,
        description="Path whose value is the id of the document with the vectors: the hit's own, or one that it names.",
    )
    missing: Literal["bottom", "drop", "error"] = Field(
        "bottom",
        description="Hits without token vectors: behind the others in their order, left out, or the stage fails.",
    )


def _yields(given: MaxSimParameters, work: Given) -> float:
    return work.count if given.top_n is None else min(given.top_n, work.count)


class MaxSimRerank:
    """By the sum over the query's tokens of their best match in the document; ties by id."""

    id: ClassVar[str] = "maxsim_rerank"
    kind: ClassVar[StageKind] = StageKind.SORT
    icon: ClassVar[str] = "grid-3x3"
    description: ClassVar[str] = (
        "Order the hits by late interaction (MaxSim): each token of the query finds the most alike of the token "
        "vectors stored for the document, and these likenesses are added up. Nothing is embedded but the query."
    )
    Parameters: ClassVar[type[BaseModel]] = MaxSimParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=_yields)
    example: ClassVar[dict[str, Any]] = {
        "feature_uri": "mixpeek://text_extractor@v1/tokens", "query": "bread knife", "top_n": 3,
    }  # fmt: skip

    def __init__(self, parameters: MaxSimParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if not hits:
            return Outcome(hits)
        given = self._parameters
        query = asked_query(given.query, context)
        holders = [self._holder(hit) for hit in hits]
        ids = tuple(dict.fromkeys(holder for holder in holders if holder is not None))
        asked = LateInteraction(given.feature_uri, query, ids, context.collections)
        found = await context.searcher.late_interaction(context.principal, asked)
        scores = [None if holder is None else found.get(holder) for holder in holders]
        scored = [
            hit.scored(context.stage_name, score) for hit, score in zip(hits, scores, strict=True) if score is not None
        ]
        missing = [hit for hit, score in zip(hits, scores, strict=True) if score is None]
        ordered = [*Hits.ranked(scored), *self._kept(missing)]
        facts: dict[str, JSON] = {"scored": len(scored), "missing": len(missing)}
        return Outcome(Hits.of(ordered[: given.top_n]), metadata=facts, warnings=self._warnings(missing))

    def _holder(self, hit: Hit) -> str | None:
        if self._parameters.match_on == "document_id":
            return hit.id
        value = value_at(hit.view(), self._parameters.match_on)
        return value if isinstance(value, str) else None

    def _kept(self, missing: list[Hit]) -> list[Hit]:
        if missing and self._parameters.missing == "error":
            told = f"{len(missing)} hits have no token vectors, such as {missing[0].id}"
            raise ValidationError.at(["parameters", "missing"], told)
        return missing if self._parameters.missing == "bottom" else []

    def _warnings(self, missing: list[Hit]) -> tuple[str, ...]:
        if not missing:
            return ()
        where = "left out" if self._parameters.missing == "drop" else "put behind the others"
        return (f"{len(missing)} hits have no token vectors and were {where}",)

    async def explain(self, case: Case, context: Context) -> Verdict:
        top_n, received = self._parameters.top_n, len(case.received)
        facts: dict[str, JSON] = {"rank": case.rank, "received": received, "top_n": top_n}
        if self._parameters.missing == "drop" and (top_n is None or len(case.returned) < top_n):
            edits = case.setting("missing", before="drop", to="bottom")
            return Verdict(VerdictKind.NO_VECTOR, "it has no token vectors, and such hits are left out", facts, edits)
        if top_n is None:
            return Verdict(VerdictKind.CHANGED, "all hits are given back: it has changed since this ran", facts)
        reason = f"late interaction put {top_n} of {received} before it, and so many were kept"
        return Verdict(VerdictKind.CUT, reason, facts, case.setting("top_n", before=top_n, to=received))
