"""A budget is a limit: of credits, whatever stages, prices and budgets there are; of time, whatever a stage does."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tamis.engine.environment import Environment
from tamis.engine.events import StageCut, StageFinished
from tamis.engine.parameters import StageParameters
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.run import RunResult
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.spending.spending import Cap, Given, Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Outcome, Stage
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hit, Hits
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Definition, StageSpec
from tamis.model.stage_means import Means
from tests.engine.pipelines import DOCS, REGISTRY, PlugIn, TickingClock, made, request, spec


class FindParameters(StageParameters):
    top_k: int = Field(100, validation_alias="candidates")
    final_top_k: int = 25


class Find(PlugIn):
    """Looks at `top_k` documents and gives back the first."""

    id: ClassVar[str] = "find"
    Parameters: ClassVar[type[BaseModel]] = FindParameters
    spends: ClassVar[Spending] = Spending(
        usage=lambda parameters, _: Usage(documents=parameters.top_k),
        yields=lambda parameters, _: min(parameters.top_k, parameters.final_top_k),
        knobs=(Knob(KnobKind.TOP_K, ("top_k",)), Knob(KnobKind.TOP_K, ("final_top_k",))),
    )

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self.parameters
        rows = [Hit(f"doc_{n:032x}", 1 / (n + 1), made(n)) for n in range(min(given.top_k, given.final_top_k))]
        return Outcome(Hits.of(rows), processed=given.top_k)


class CallsParameters(StageParameters):
    depth: int = 10
    tokens: int = 0


class Rerank(PlugIn):
    """One call for each of the first `depth` hits, at so many tokens; it stops when it is told to."""

    id: ClassVar[str] = "rerank"
    Parameters: ClassVar[type[BaseModel]] = CallsParameters
    spends: ClassVar[Spending] = Spending(
        usage=lambda parameters, given: Usage(calls=min(parameters.depth, given.count)),
        knobs=(Knob(KnobKind.RERANK_DEPTH, ("depth",)),),
    )

    async def run(self, hits: Hits, context: Context) -> Outcome:
        scored = []
        for hit in hits[: self.parameters.depth]:
            if not context.allowance.spend():
                break
            context.allowance.correct(self.parameters.tokens)
            scored.append(hit.scored(context.stage_name, hit.score + 1))
        return Outcome(Hits.ranked([*scored, *hits[len(scored) :]]))


class Ask(Rerank):
    """As the one above, of the other kind."""

    id: ClassVar[str] = "ask"
    spends: ClassVar[Spending] = Spending(
        usage=lambda parameters, given: Usage(calls=min(parameters.depth, given.count)),
        knobs=(Knob(KnobKind.FAN_OUT, ("depth",)),),
    )


class Many(PlugIn):
    """Declares nothing and makes as many calls as it may."""

    id: ClassVar[str] = "many"
    Parameters: ClassVar[type[BaseModel]] = CallsParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        for _ in range(self.parameters.depth):
            await asyncio.sleep(0)
            if not context.allowance.spend():
                break
            context.allowance.correct(self.parameters.tokens)
        return Outcome(hits)


class Whole(PlugIn):
    """Cannot be made smaller: it costs what it costs."""

    id: ClassVar[str] = "whole"
    Parameters: ClassVar[type[BaseModel]] = StageParameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(hits)


class Stubborn(PlugIn):
    """Swallows its cancellation until it is released; it goes on spending."""

    id: ClassVar[str] = "stubborn"
    Parameters: ClassVar[type[BaseModel]] = StageParameters
    began: ClassVar[asyncio.Event]
    release: ClassVar[asyncio.Event]
    ended: ClassVar[asyncio.Event]
    granted: ClassVar[list[bool]]

    async def run(self, hits: Hits, context: Context) -> Outcome:
        self.granted.append(context.allowance.spend())
        self.began.set()
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue
        self.granted.append(context.allowance.spend())
        self.ended.set()
        return Outcome(Hits())


class Threaded(PlugIn):
    """Blocks in a thread, as models and readers do."""

    id: ClassVar[str] = "threaded"
    Parameters: ClassVar[type[BaseModel]] = StageParameters
    release: ClassVar[threading.Event]

    async def run(self, hits: Hits, context: Context) -> Outcome:
        await asyncio.to_thread(self.release.wait)
        return Outcome(Hits())


OWN: dict[str, type[Stage]] = {
    **REGISTRY,
    **{stage.id: stage for stage in (Find, Rerank, Ask, Many, Whole, Stubborn, Threaded)},
}


@dataclass(frozen=True)
class Remembered:
    """An experience of one mean for each stage id's fingerprint."""

    means: Mapping[str, Means]

    def known(self, principal: Principal, fingerprint: str) -> Means | None:
        return self.means.get(fingerprint)

    async def recall(self, principal: Principal, fingerprints: Any) -> Mapping[str, Means]:
        return self.means

    def learn(self, principal: Principal, fingerprint: str, stage_id: str, run: Means) -> None:
        pass


def plan_of(*stages: StageSpec, budget: Budget | None = None) -> Plan:
    return Planner(OWN).plan(Definition(stages, {}, ("col_1",), budget or Budget()), [DOCS])


def executor(prices: dict[str, Price], means: Mapping[str, Means] | None = None) -> Executor:
    outside = cast(Any, None)  # these stages ask nothing of it
    return Executor(Environment(outside, outside, TickingClock()), PriceTable(prices), Remembered(means or {}))


async def run(prices: dict[str, Price], max_credits: float | None, *stages: StageSpec) -> RunResult:
    return await executor(prices).run(plan_of(*stages, budget=Budget(max_credits)), request())


def shrunk(result: RunResult) -> dict[str, Any]:
    return {end.stage_name: dict(end.shrunk) for end in result.stages if isinstance(end, StageFinished) and end.shrunk}


credits = st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 3))
prices = st.builds(Price, credits, credits, credits, credits)
CALLS = st.builds(
    lambda kind, depth, tokens: (kind, {"depth": depth, "tokens": tokens}),
    st.sampled_from(["rerank", "ask", "many"]), st.integers(0, 12), st.sampled_from([0, 10, 700, 5000]),
)  # fmt: skip
FINDS = st.builds(
    lambda top_k, final: ("find", {"candidates": top_k, "final_top_k": final}), st.integers(1, 40), st.integers(1, 40)
)
WHOLE: st.SearchStrategy[tuple[str, dict[str, int]]] = st.just(("whole", {}))
PIPELINES = st.tuples(FINDS, st.lists(st.one_of(CALLS, FINDS, WHOLE), max_size=4)).map(
    lambda parts: [spec(kind, f"{kind}_{n}", **given) for n, (kind, given) in enumerate([parts[0], *parts[1]])]
)
TABLES = st.dictionaries(st.sampled_from(["find", "rerank", "ask", "many", "whole"]), prices)


def dearest_call(table: dict[str, Price], stages: list[StageSpec]) -> float:
    return max(
        (
            table[one.stage_id].of_calls(1, int(str(one.parameters.get("tokens", 0))))
            for one in stages
            if one.stage_id in table and one.stage_id != "find"
        ),
        default=0.0,
    )


@given(table=TABLES, stages=PIPELINES, max_credits=st.floats(0, 30).map(lambda value: round(value, 3)))
def test_never_more_than_one_call_over(table: dict[str, Price], stages: list[StageSpec], max_credits: float) -> None:
    result = asyncio.run(run(table, max_credits, *stages))
    assert result.credits_used <= max_credits + dearest_call(table, stages) + 1e-6
    assert result.credits_used == pytest.approx(sum(end.credits_used for end in result.stages))
    was_cut = bool(shrunk(result)) or any(isinstance(end, StageCut) for end in result.stages)
    assert (result.status is ExecutionStatus.DEGRADED) == was_cut
    assert was_cut == bool(result.warnings)


@given(table=TABLES, stages=PIPELINES)
def test_a_budget_that_is_enough_changes_nothing(table: dict[str, Price], stages: list[StageSpec]) -> None:
    free = asyncio.run(run(table, None, *stages))
    # Enough is what the pipeline costs at the most that was declared, whichever documents come.
    paid = asyncio.run(run(table, free.credits_used + 100_000, *stages))
    assert paid.hits == free.hits
    assert (paid.credits_used, paid.status, paid.warnings) == (free.credits_used, ExecutionStatus.COMPLETED, ())


RERANKED = (spec("find", candidates=40, final_top_k=20), spec("rerank", depth=20), spec("ask", depth=20))
PER_CALL = {"rerank": Price(per_call=0.1), "ask": Price(per_call=0.1), "find": Price(per_document=0.01)}


async def test_rerank_depth_goes_first_then_calls_then_top_k() -> None:
    """40 documents cost 0.4, each of the two other stages 2.0."""
    assert shrunk(await run(PER_CALL, 4.4, *RERANKED)) == {}
    assert shrunk(await run(PER_CALL, 3.45, *RERANKED)) == {"rerank": {"depth": [20, 10]}}
    assert shrunk(await run(PER_CALL, 2.5, *RERANKED)) == {"rerank": {"depth": [20, 1]}}
    assert shrunk(await run(PER_CALL, 1.0, *RERANKED)) == {"rerank": {"depth": [20, 1]}, "ask": {"depth": [20, 5]}}
    result = await run(PER_CALL, 0.3, *RERANKED)
    assert shrunk(result) == {
        "find": {"top_k": [40, 10]}, "rerank": {"depth": [20, 1]}, "ask": {"depth": [20, 1]},
    }  # fmt: skip
    assert result.credits_used == pytest.approx(0.3)
    assert result.warnings == (
        "budget max_credits: stage 'find' ran with top_k = 10 instead of 40",
        "budget max_credits: stage 'rerank' ran with depth = 1 instead of 20",
        "budget max_credits: stage 'ask' ran with depth = 1 instead of 20",
    )


async def test_what_was_run_is_what_is_recorded() -> None:
    result = await run({"find": Price(per_document=0.1)}, 1.25, spec("find", candidates=40, final_top_k=20))
    (end,) = result.stages
    assert isinstance(end, StageFinished)
    assert end.parameters == {"top_k": 12, "final_top_k": 20}
    assert (len(result.hits), end.processed) == (12, 12)
    assert end.credits_used == pytest.approx(1.2)


async def test_a_stage_that_must_run_whole_is_not_starved_by_one_that_can_shrink() -> None:
    stages = (spec("find", candidates=100, final_top_k=5), spec("whole"))
    table = {"find": Price(per_document=0.01), "whole": Price(per_run=0.5)}
    result = await run(table, 0.9, *stages)
    assert shrunk(result) == {"find": {"top_k": [100, 40]}}
    assert result.stages_completed == 2


async def test_nothing_is_shrunk_for_a_stage_that_cannot_be_paid_anyway() -> None:
    stages = (spec("find", candidates=100, final_top_k=5), spec("whole"))
    result = await run({"find": Price(per_document=0.01), "whole": Price(per_run=3)}, 1.5, *stages)
    assert shrunk(result) == {}
    assert [type(end) for end in result.stages] == [StageFinished, StageCut]
    assert result.warnings == ("budget max_credits: stage 'whole' costs 3 credits and 0.5 of 1.5 are left",)


async def test_a_knob_that_saves_nothing_stays() -> None:
    """`final_top_k` of the search costs nothing by itself, and nothing behind it is paid by document."""
    stages = (spec("find", candidates=100, final_top_k=50), spec("whole"))
    result = await run({"find": Price(per_document=0.01), "whole": Price(per_run=0.5)}, 1.0, *stages)
    assert shrunk(result) == {"find": {"top_k": [100, 50]}}


async def test_what_stages_gave_before_decides_for_what_comes_later() -> None:
    """`keep` is known to let one of ten through: the calls behind it are few, and nothing need shrink."""
    stages = (
        spec("find", final_top_k=20), spec("rerank", depth=20), spec("whole"), spec("keep", limit=2),
        spec("ask", depth=20),
    )  # fmt: skip
    plan = plan_of(*stages, budget=Budget(3.0))
    unknown = await executor(PER_CALL | {"find": Price()}).run(plan, request())
    assert shrunk(unknown) == {"rerank": {"depth": [20, 10]}}
    means = {plan.stages[3].fingerprint: Means(9, received=20, returned=2, processed=20)}
    known = await executor(PER_CALL | {"find": Price()}, means).run(plan, request())
    assert known.status is ExecutionStatus.COMPLETED
    assert known.credits_used == pytest.approx(2.2)


async def test_a_stage_of_many_calls_stops_when_it_is_told() -> None:
    result = await run({"many": Price(per_call=0.1)}, 0.35, spec("find"), spec("many", depth=10))
    assert shrunk(result) == {"many": {"calls": [4, 3]}}
    assert result.credits_used == pytest.approx(0.3)
    assert result.status is ExecutionStatus.DEGRADED
    assert result.warnings == (
        "budget max_credits: stage 'many' stopped after 3 calls, no credits were left for more",
    )  # fmt: skip


async def test_a_repeated_execution_is_lowered_as_the_first_was() -> None:
    plan = plan_of(*RERANKED, budget=Budget(1.0))
    first = await executor(PER_CALL).run(plan, request())
    caps = {1: (Cap(("depth",), 1),), 2: (Cap(("depth",), 5),)}
    means = {plan.stages[1].fingerprint: Means(9, received=20, returned=2, processed=20)}
    again = request()
    again = type(again)(again.principal, again.execution_id, again.inputs, again.collections, caps=caps)
    second = await executor(PER_CALL, means).run(plan, again)
    assert shrunk(second) == shrunk(first)
    assert second.hits == first.hits


def test_expectations_stay_within_what_a_stage_can_do() -> None:
    spending = Find.spends
    parameters = FindParameters.model_validate({"candidates": 7, "final_top_k": 5})
    assert spending.yields(parameters, Given(0)) == 5
    latest = Means(1, received=10, returned=4, processed=10, duration_ms=2)
    both = Means(3, received=10, returned=8, processed=10, duration_ms=6).then(latest)
    assert (both.runs, both.returned, both.duration_ms) == (4, 7, 5)


@pytest.fixture
def stuck() -> Iterator[None]:
    Stubborn.began, Stubborn.release, Stubborn.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    Stubborn.granted, Threaded.release = [], threading.Event()
    yield
    Threaded.release.set()


class RealClock(TickingClock):
    def monotonic_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000


@pytest.mark.parametrize("kind", ["stubborn", "threaded"])
async def test_time_is_not_waited_for(kind: str, stuck: None) -> None:
    plan = plan_of(spec("find"), spec(kind), spec("keep", limit=1), budget=Budget(max_time_ms=40))
    outside = cast(Any, None)
    table = PriceTable({"stubborn": Price(per_call=2.0)})
    running = Executor(Environment(outside, outside, RealClock()), table).run(plan, request())
    result = await asyncio.wait_for(running, timeout=10)
    assert result.status is ExecutionStatus.DEGRADED
    assert len(result.hits) == 25
    assert result.warnings == (f"budget max_time_ms: stage {kind!r} ran out of time; 1 more not run",)
    cut = result.stages[-1]
    assert isinstance(cut, StageCut)
    assert (cut.stage_name, cut.limit) == (kind, "max_time_ms")
    # What was spent before the cut is charged; nothing is granted after it.
    assert result.credits_used == cut.credits_used == (2.0 if kind == "stubborn" else 0.0)
    Stubborn.release.set()
    Threaded.release.set()
    if kind == "stubborn":
        await Stubborn.ended.wait()
    assert Stubborn.granted == ([True, False] if kind == "stubborn" else [])


async def test_a_caller_that_leaves_does_not_wait_for_a_stubborn_stage(stuck: None) -> None:
    plan = plan_of(spec("find"), spec("stubborn"), budget=Budget(max_time_ms=60_000))
    outside = cast(Any, None)
    running = asyncio.ensure_future(Executor(Environment(outside, outside, RealClock())).run(plan, request()))
    await Stubborn.began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, timeout=10)
    Stubborn.release.set()
    await Stubborn.ended.wait()
    assert Stubborn.granted == [True, True]
