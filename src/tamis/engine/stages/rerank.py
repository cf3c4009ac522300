"""Score documents again by a model that reads the query and the document together."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from tamis.engine.groups.grouping import value_at
from tamis.engine.language.judging import DECISION, is_hosted, judges, question, scores_of
from tamis.engine.needs import Need
from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters, template_roots
from tamis.engine.querying.asked_query import asked_query
from tamis.engine.spending.deadline import within_hard_timeout
from tamis.engine.spending.spending import Given, Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.errors import AllowanceSpentError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_SCORES = "scores."
_NOT_HERE = {
    "feature_uri": "name the model itself in inference_name",
    "learning_config": "weights are not learned here",
}
_CROSS_ENCODER = "BAAI__bge_reranker_v2_m3"
_JUDGED_AT_ONCE = 10
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Scored:
    """scores: of a batch's documents, in order."""

    scores: Sequence[float]
    calls: int = 1
    tokens: int = 0


Score: TypeAlias = Callable[[list[str]], Awaitable[Scored | None]]
"""Of a batch of texts; None where the budget refuses the call."""


class RerankParameters(StageParameters):
    inference_name: str = Field(
        _CROSS_ENCODER,
        min_length=1,
        validation_alias=AliasChoices("inference_name", "model"),
        description="The cross-encoder, in any spelling of its name: a folder of the model directory, or one that "
        f"fastembed knows. {DECISION}: a language model judges.",
    )
    query: str | None = Field(None, description="What to compare with; the input `query` where not given.")
    document_field: str = Field(
        "content",
        min_length=1,
        description="Path of the text that is read. Documents without `content` are read by their `text`.",
    )
    max_document_chars: int = Field(2000, ge=100, le=50_000, description="Characters of a document that are read.")
    max_candidates: int = Field(
        100,
        ge=1,
        le=1000,
        description="How many hits are scored, from the first on; a budget may lower it. The rest stay behind them.",
    )
    top_k: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("top_k", "top_n"),
        description="How many hits to give back; all where not given.",
    )
    batch_size: int = Field(
        32,
        ge=1,
        le=100,
        description=f"Documents in one call to the model; {_JUDGED_AT_ONCE} where a language model judges and nothing "
        "is said.",
    )
    max_concurrent_batches: int = Field(3, ge=1, le=10, description="Calls to the model at a time.")
    score_field: str = Field(
        "scores.rerank",
        min_length=1,
        description="Where the model's score is also written: `scores.<name>`, or a field.",
    )
    hard_timeout_ms: int | None = Field(
        None, ge=1, description="Give up after so long: the hits go on as they came in, and the run is degraded."
    )
    cache_behavior: Literal["auto", "disabled", "aggressive"] | None = Field(
        None, description="Whether this stage may be answered from the cache; stands over the retriever's word."
    )
    cache_ttl_seconds: int | None = Field(None, ge=0, description="How long its answer is kept.")
    feature_uri: str | None = Field(None, description=f"Refused: {_NOT_HERE['feature_uri']}.")
    decision_model: str | None = Field(
        None,
        min_length=1,
        description=f"The language model that judges, as provider/model; with {DECISION} alone the operator's default.",
    )
    relevance_criteria: str | None = Field(
        None,
        min_length=1,
        description="What a judge goes by, as a condition; else that the document answers the query.",
    )
    learning_config: dict[str, Any] | None = Field(None, description=f"Refused: {_NOT_HERE['learning_config']}.")

    @field_validator("score_field")
    @classmethod
    def _named(cls, path: str) -> str:
        if path == _SCORES:
            raise ValueError("name the score, such as 'scores.rerank'")
        return path

    @field_validator("relevance_criteria")
    @classmethod
    def _of_every_document(cls, criteria: str | None) -> str | None:
        if criteria is not None and "DOC" in template_roots(criteria):
            raise ValueError("one condition for all documents; their text goes in as data, fenced")
        return criteria

    @model_validator(mode="after")
    def _can_be_done(self) -> "RerankParameters":
        for name, instead in _NOT_HERE.items():
            if getattr(self, name) is not None:
                raise ValueError(f"{name} is not supported: {instead}")
        name = self.inference_name
        if is_hosted(self.decision_model) or is_hosted(name):
            raise ValueError(f"this judge is served by others alone: take {DECISION} with a language model of yours")
        if self.decision_model is not None and name.casefold() not in (DECISION, _CROSS_ENCODER.casefold()):
            raise ValueError(f"decision_model goes with inference_name {DECISION}, not with {name!r}")
        if self.relevance_criteria is not None and not self.is_judged:
            raise ValueError(f"relevance_criteria are for a judge, inference_name {DECISION}: {name!r} reads the query")
        return self

    @property
    def is_judged(self) -> bool:
        """Whether a language model scores, and no cross-encoder."""
        return self.decision_model is not None or self.inference_name.casefold() == DECISION

    @property
    def at_once(self) -> int:
        """Documents in one call."""
        said = "batch_size" in self.model_fields_set
        return min(self.batch_size, _JUDGED_AT_ONCE) if self.is_judged and not said else self.batch_size


def _usage(given: RerankParameters, work: Given) -> Usage:
    depth = min(given.max_candidates, work.count)
    tokens = depth * given.max_document_chars / _CHARACTERS_A_TOKEN if given.is_judged else 0
    return Usage(documents=depth, calls=math.ceil(depth / given.at_once), tokens=tokens)


def _yields(given: RerankParameters, work: Given) -> float:
    return work.count if given.top_k is None else min(given.top_k, work.count)


class Rerank:
    """The first candidates by the model's score, ties by id; behind them what was not scored, in its order."""

    id: ClassVar[str] = "rerank"
    kind: ClassVar[StageKind] = StageKind.SORT
    icon: ClassVar[str] = "arrow-up-down"
    description: ClassVar[str] = (
        "Score the first hits again with a cross-encoder, which reads the query and a document together, or by the "
        "judgement of a language model, and order them by it. What is beyond max_candidates, or has no text, stays "
        "behind them in its order."
    )
    Parameters: ClassVar[type[BaseModel]] = RerankParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RERANKER})
    spends: ClassVar[Spending] = Spending(
        usage=_usage, yields=_yields, knobs=(Knob(KnobKind.RERANK_DEPTH, ("max_candidates",)),)
    )
    example: ClassVar[dict[str, Any]] = {
        "inference_name": "shared-words", "query": "bread knife", "document_field": "text", "top_k": 3,
    }  # fmt: skip

    @classmethod
    def effects_with(cls, parameters: Mapping[str, Any]) -> frozenset[Effect]:
        return cls.effects | {Effect.OUTSIDE} if judges(parameters) else cls.effects

    @classmethod
    def needs_with(cls, parameters: Mapping[str, Any]) -> frozenset[Need]:
        return frozenset({Need.LANGUAGE}) if judges(parameters) else cls.needs

    def __init__(self, parameters: RerankParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return await within_hard_timeout(self._parameters.hard_timeout_ms, "the reranking", self._run(hits, context))

    async def _run(self, hits: Hits, context: Context) -> Outcome:
        if not hits:
            return Outcome(hits)
        given = self._parameters
        query = asked_query(given.query, context)
        model, score = await self._scorer(query, context)
        depth = min(given.max_candidates, len(hits))
        readable = [(n, text) for n, hit in enumerate(hits[:depth]) if (text := self._text(hit))]
        scores, answers = await self._scores(score, readable)
        ordered = sorted(scores, key=lambda n: (-scores[n], hits[n].id))
        shown = [self._show(hits[n], scores[n], place, context) for place, n in enumerate(ordered, 1)]
        rest = [hit for n, hit in enumerate(hits) if n not in scores]
        facts: dict[str, JSON] = {"model": model, "scored": len(scores), "depth": depth}
        return Outcome(
            Hits.of([*shown, *rest][: given.top_k]),
            depth,
            tokens_used=sum(one.tokens for one in answers) if given.is_judged else None,
            llm_calls=sum(one.calls for one in answers),
            metadata=facts,
            warnings=self._warnings(depth, len(readable), len(scores)),
        )

    async def _scorer(self, query: str, context: Context) -> tuple[str, Score]:
        """The model's name, and what scores a batch. Raises: ModelMissingError, LanguageModelMissingError."""
        given = self._parameters
        if given.is_judged:
            name = context.reach.language.resolve(None, given.decision_model)
            return name, lambda texts: self._judged(query, texts, context)
        encoder = await asyncio.to_thread(context.models.cross_encoder, given.inference_name)

        async def score(texts: list[str]) -> Scored | None:
            if not context.allowance.spend(1):
                return None
            found = await asyncio.to_thread(encoder.score, query, texts)
            return Scored(found.tolist())

        return encoder.info.name, score

    async def _judged(self, query: str, texts: list[str], context: Context) -> Scored | None:
        """Raises: LanguageModelError, where the model gives no answer that fits."""
        asked = question(query, self._parameters.relevance_criteria, texts, self._parameters.decision_model)
        try:
            reply = await context.reach.language.ask(context.principal, asked, context.allowance)
        except AllowanceSpentError:
            return None
        return Scored(scores_of(reply, len(texts)), reply.calls, reply.tokens_in + reply.tokens_out)

    async def _scores(self, score: Score, readable: list[tuple[int, str]]) -> tuple[dict[int, float], list[Scored]]:
        """The score of each hit by its place, and what it took. What the budget refuses stays unscored."""
        size = self._parameters.at_once
        batches = [readable[start : start + size] for start in range(0, len(readable), size)]
        places_free = asyncio.Semaphore(self._parameters.max_concurrent_batches)

        async def one(batch: list[tuple[int, str]]) -> Scored | None:
            async with places_free:
                return await score([text for _, text in batch])

        done: dict[int, float] = {}
        answers: list[Scored] = []
        for batch, answer in zip(
            batches, await asyncio.gather(*map(one, batches), return_exceptions=True), strict=True
        ):
            if isinstance(answer, BaseException):
                raise answer
            if answer is not None:
                pairs = zip((n for n, _ in batch), answer.scores, strict=True)
                done |= {n: score for n, score in pairs if math.isfinite(score)}
                answers.append(answer)
        return done, answers

    def _text(self, hit: Hit) -> str | None:
        view = hit.view()
        value = value_at(view, self._parameters.document_field)
        if value is None and self._parameters.document_field == "content":
            value = value_at(view, "text")
        if isinstance(value, list):
            value = "\n".join(part for part in value if isinstance(part, str))
        text = value.strip()[: self._parameters.max_document_chars] if isinstance(value, str) else ""
        return text or None

    def _show(self, hit: Hit, score: float, place: int, context: Context) -> Hit:
        shown = hit.with_extra(original_score=hit.score, rerank_position=place).scored(context.stage_name, score)
        path = self._parameters.score_field
        if path.startswith(_SCORES):
            return shown.scored(path.removeprefix(_SCORES), score)
        return with_field(shown, path, score)

    def _warnings(self, depth: int, readable: int, scored: int) -> tuple[str, ...]:
        found = []
        if readable < depth:
            field = self._parameters.document_field
            found.append(f"{depth - readable} of {depth} candidates have no text at {field!r} and were not scored")
        if scored < readable:
            found.append(f"{readable - scored} candidates were not scored: the budget or the model gave no score")
        return tuple(found)

    async def explain(self, case: Case, context: Context) -> Verdict:
        """What went missing was behind the `top_k` best."""
        top_k, received = self._parameters.top_k, len(case.received)
        facts: dict[str, JSON] = {"rank": case.rank, "received": received, "top_k": top_k}
        if top_k is None:
            return Verdict(VerdictKind.CHANGED, "all hits are given back: it has changed since this ran", facts)
        depth = case.metadata.get("depth")
        if isinstance(depth, int) and (case.rank or 0) > depth:
            facts["depth"] = depth
            reason = f"it came in as number {case.rank}, only {depth} were scored, and the {top_k} best were kept"
            edits = case.setting("max_candidates", before=self._parameters.max_candidates, to=case.rank)
            edits += case.setting("top_k", before=top_k, to=received)
            return Verdict(VerdictKind.CUT, reason, facts, edits)
        reason = f"the model put {top_k} of {received} before it, and so many were kept"
        return Verdict(VerdictKind.CUT, reason, facts, case.setting("top_k", before=top_k, to=received))
