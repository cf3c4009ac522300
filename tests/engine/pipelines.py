"""Small stages, real plug-ins all of them, and what it takes to run a pipeline of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from tamis.engine.environment import Environment
from tamis.engine.events import Event
from tamis.engine.parameters import StageParameters
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.inference import Models
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.executor import Executor
from tamis.engine.searching.searcher import Searcher
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stage import Context, Effect, Outcome, Stage, StageKind
from tamis.errors import IndexUnavailableError, NotFoundError, StageTimeoutError
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.model.document import Document
from tamis.model.hits import Hit, Hits
from tamis.model.principal import Permission, Principal
from tamis.model.retriever import Budget, Definition, StageSpec
from tamis.model.vector import FeatureSpec, VectorKind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRINCIPAL = Principal("org_1", "ns_1", frozenset(Permission), key_id="key_1")
URI = "mixpeek://text_extractor@v1/embedding"
FEATURES = (
    FeatureSpec("embedding", VectorKind.DENSE, 3, aliases=("multilingual_e5",)),
    FeatureSpec("lexical", VectorKind.SPARSE, idf=True),
)
DOCS = Collection(
    "col_1", "docs", Source("bucket", ("bkt_1",)), ExtractorConfig("text_extractor", "v1"), FEATURES, {}, {}, NOW, NOW,
    revision=3,
)  # fmt: skip


def made(number: int, **fields: Any) -> Document:
    """Document `doc_00..n`, as an extractor would have made it."""
    return Document(f"doc_{number:032x}", "col_1", {"n": number, **fields}, NOW, NOW, revision=number + 1)


class TickingClock:
    """Every look at it is a millisecond later."""

    def __init__(self) -> None:
        self.elapsed_ms = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic_ms(self) -> float:
        self.elapsed_ms += 1.0
        return self.elapsed_ms


class PlugIn:
    """What the small stages share."""

    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "circle"
    description: ClassVar[str] = "A stage of the tests."
    effects: ClassVar[frozenset[Effect]] = frozenset()

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters


class EmitParameters(StageParameters):
    count: int = Field(ge=0)
    candidates: int | None = None


class Emit(PlugIn):
    """`count` documents with scores 1, 1/2, 1/3, ..."""

    id: ClassVar[str] = "emit"
    Parameters: ClassVar[type[BaseModel]] = EmitParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        found = [Hit(f"doc_{n:032x}", 1 / (n + 1), made(n), {URI: 1 / (n + 1)}) for n in range(self.parameters.count)]
        return Outcome(Hits.of(found), processed=self.parameters.candidates)


class KeepParameters(StageParameters):
    limit: int = 10


class Keep(PlugIn):
    id: ClassVar[str] = "keep"
    Parameters: ClassVar[type[BaseModel]] = KeepParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(hits[: self.parameters.limit], metadata={"kept": min(len(hits), self.parameters.limit)})


class DoubleParameters(StageParameters):
    factor: float = 2.0


class Double(PlugIn):
    """Multiplies every score."""

    id: ClassVar[str] = "double"
    Parameters: ClassVar[type[BaseModel]] = DoubleParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        factor = self.parameters.factor
        return Outcome(Hits.ranked(hit.scored(context.stage_name, hit.score * factor) for hit in hits))


class LabelParameters(StageParameters):
    text: str


class Label(PlugIn):
    """Writes a text, rendered for each document, under `label`."""

    id: ClassVar[str] = "label"
    Parameters: ClassVar[type[BaseModel]] = LabelParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(Hits.of(hit.with_extra(label=context.render(self.parameters.text, hit)) for hit in hits))


class CountParameters(StageParameters):
    pass


class Count(PlugIn):
    """One row that is no document."""

    id: ClassVar[str] = "count"
    Parameters: ClassVar[type[BaseModel]] = CountParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(Hits((Hit("row", 0.0, extra={"count": len(hits)}),)))


class BreakParameters(StageParameters):
    how: str = "bug"


class Break(PlugIn):
    id: ClassVar[str] = "break"
    Parameters: ClassVar[type[BaseModel]] = BreakParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if self.parameters.how == "index":
            raise IndexUnavailableError
        if self.parameters.how == "caller":
            raise NotFoundError.of("document", "doc_x")
        if self.parameters.how == "timeout":
            raise TimeoutError("the far side was slow")
        if self.parameters.how == "own limit":
            raise StageTimeoutError("ran past its limit")
        raise ZeroDivisionError("division by zero")


class WaitParameters(StageParameters):
    pass


class Wait(PlugIn):
    """Never comes back by itself."""

    id: ClassVar[str] = "wait"
    Parameters: ClassVar[type[BaseModel]] = WaitParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets the event")


class SearchParameters(StageParameters):
    searches: list[dict[str, Any]]
    final_top_k: int = 25
    filters: dict[str, Any] | None = None
    collection_identifiers: list[str] | None = None


class Search(PlugIn):
    """Has a search's parameters, finds nothing."""

    id: ClassVar[str] = "feature_search"
    Parameters: ClassVar[type[BaseModel]] = SearchParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(Hits())


REGISTRY: dict[str, type[Stage]] = {
    stage.id: stage for stage in (Emit, Keep, Double, Label, Count, Break, Wait, Search)
}


def spec(stage_id: str, name: str | None = None, options: dict[str, Any] | None = None, **parameters: Any) -> StageSpec:
    return StageSpec(name or stage_id, stage_id, parameters, options=options or {})


def planned(
    *stages: StageSpec, schema: dict[str, Any] | None = None, given: Sequence[str] = (), budget: Budget | None = None
) -> Plan:
    definition = Definition(stages, schema or {}, ("col_1",), budget or Budget())
    return Planner(REGISTRY).plan(definition, [DOCS], given)


@dataclass
class Bench:
    """An executor over small stages, and every event that it told."""

    searcher: Searcher
    models: Models
    prices: PriceTable = field(default_factory=lambda: PriceTable({"emit": Price(1.0), "double": Price(0.0, 0.1)}))
    events: list[Event] = field(default_factory=list)

    def executor(self) -> Executor:
        return Executor(Environment(self.searcher, self.models, TickingClock()), self.prices)

    async def run(self, plan: Plan, seed: int | None = None, **inputs: Any) -> RunResult:
        self.events.clear()
        return await self.executor().run(plan, request(seed, **inputs), self.events.append)


def request(seed: int | None = None, **inputs: Any) -> RunRequest:
    return RunRequest(PRINCIPAL, "exec_1", inputs, (DOCS,), seed)
