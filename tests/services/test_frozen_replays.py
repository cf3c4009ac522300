"""A frozen replay comes to the same whatever has happened since: to documents, to the index, to models, to time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tamis.engine.caller import Caller, called_by
from tamis.engine.environment import Environment
from tamis.engine.events import Event, Sink
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stage import Context, Effect, Outcome, Stage
from tamis.engine.stages.limit import Limit
from tamis.errors import ConflictError
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.document import DocumentWrite
from tamis.model.execution import ExecutionHeader, ExecutionStatus
from tamis.model.hits import Hits
from tamis.model.json import JSON
from tamis.model.retriever import Budget
from tamis.model.stage_means import Means
from tamis.model.vector import Dense
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.replays import Replayed, ReplayService
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.stage_statistics import StageExperience
from tests.blank import open_blank
from tests.engine.stages.shop import PRINCIPAL, Shop, ThemeModels, document
from tests.retrieval_world import REGISTRY, Wait, WallClock, World, opened, search, specs, stage
from tests.services.test_observation import INPUTS, Pipeline, execute, pipelines, recorded

Happening: TypeAlias = Callable[[Shop], Awaitable[None]]
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Stamp(Limit):
    """Writes the time and its draw on every hit."""

    id: ClassVar[str] = "stamp"

    async def run(self, hits: Hits, context: Context) -> Outcome:
        when, seed = context.clock.now().isoformat(), context.seed
        return Outcome(Hits.of(hit.with_extra(at=when, seed=seed) for hit in hits))


class Oracle(Limit):
    """Asks a service of each hit, and pays for it."""

    id: ClassVar[str] = "oracle"
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})

    async def run(self, hits: Hits, context: Context) -> Outcome:
        model, told = context.models.embedder(), []
        for hit in hits:
            if not context.allowance.spend(1):
                break
            told.append(hit.with_extra(oracle=model.embed_query(f"of {hit.id}: shoes").tolist()))
        return Outcome(Hits.of(told), llm_calls=len(told))


PLANTED: Mapping[str, type[Stage]] = {**REGISTRY, "stamp": Stamp, "oracle": Oracle}


class Tomorrow(WallClock):
    def now(self) -> datetime:
        return datetime(2077, 7, 7, tzinfo=UTC)


class NoModels(ThemeModels):
    """What was there then is gone; whoever asks is told so."""

    def embedder(self, name: str | None = None) -> Any:
        raise ConflictError("nothing is asked of a model in a frozen replay")

    lexical = embedder


class Server:
    """A server over a shop: with its stages, its clock, its prices, what it learns and what it tells."""

    def __init__(
        self, shop: Shop, prices: PriceTable | None = None, clock: WallClock | None = None, **more: Any
    ) -> None:
        self.shop = shop
        clock = clock or WallClock()
        planner, self.in_flight = Planner(PLANTED), InFlight(clock)
        executor = Executor(Environment(shop.searcher, shop.models, clock), prices, **more)
        self.records = ExecutionRecords(shop.metadata, self.in_flight)
        self.executions = ExecutionService(shop.metadata, planner, executor, clock, self.in_flight)
        self.replays = ReplayService(shop.metadata, self.records, planner, executor, self.in_flight)

    async def run(self, *stages: dict[str, Any], budget: Budget | None = None) -> str:
        options = RunOptions(inputs=dict(INPUTS), budget=budget)
        return (await self.executions.execute_anonymous(PRINCIPAL, specs(*stages), {}, options)).execution_id

    async def record(self, execution_id: str | None) -> Record:
        return decode(await self.records.get_anonymous(PRINCIPAL, execution_id or ""))

    async def frozen(self, execution_id: str) -> Replayed:
        return await self.replays.replay(PRINCIPAL, execution_id, ReplayMode.FROZEN)

    async def live(self, execution_id: str, allow_effects: bool = False) -> Replayed:
        return await self.replays.replay(PRINCIPAL, execution_id, ReplayMode.LIVE, allow_effects)


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    async with opened(tmp_path) as world:
        yield world


async def _write(shop: Shop, work: Callable[[Session], Any]) -> None:
    await shop.metadata.write(work)


async def added(shop: Shop) -> None:
    new = document("p9", "col_a", 9, {"text": "running shoes", "brand": "New", "price": 5})
    await shop.put("col_a", [DocumentWrite(new, {"embedding": Dense(np.array([1.0, 0, 0], dtype=np.float32))})])


def _changed(session: Session) -> None:
    for collection_id in ("col_a", "col_b"):
        if session.collections.get(PRINCIPAL, collection_id) is None:
            continue  # dropped before
        documents = list(session.documents.scan(PRINCIPAL, collection_id))
        fields: dict[str, JSON] = {"text": "gone", "brand": "Other", "price": 1}
        session.documents.put_fields(PRINCIPAL, collection_id, [replace(each, fields=fields) for each in documents])


async def deleted(shop: Shop) -> None:
    await _write(shop, lambda session: session.documents.delete(PRINCIPAL, "col_b", ["p2", "p4"]))
    await shop.index.delete(PRINCIPAL, "col_b", ["p2", "p4"])


async def rebuilt(shop: Shop) -> None:
    """With nothing in it yet."""
    for one in shop.collections:
        await shop.index.drop(PRINCIPAL, one.collection_id)
        await shop.index.create(PRINCIPAL, one.collection_id, one.features)


async def dropped(shop: Shop) -> None:
    def drop(session: Session) -> None:
        session.documents.delete_collection(PRINCIPAL, "col_a")
        session.collections.delete(PRINCIPAL, "col_a")

    await _write(shop, drop)


def renamed(session: Session, collection_id: str) -> None:
    found = session.collections.get(PRINCIPAL, collection_id)
    if found is not None:
        session.collections.replace(PRINCIPAL, replace(found, name=f"was_{found.name}"))


HAPPENINGS: Mapping[str, Happening] = {
    "added": added,
    "changed": partial(_write, work=_changed),
    "deleted": deleted,
    "rebuilt": rebuilt,
    "dropped": dropped,
    "renamed": partial(_write, work=partial(renamed, collection_id="col_b")),
}
EXTRA = st.lists(
    st.sampled_from([stage("stamp"), stage("oracle")]), max_size=2, unique_by=lambda one: one["stage_name"]
)
PIPELINES = st.builds(lambda first, rest: [*first, *rest], pipelines(), EXTRA)


@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(PIPELINES, st.permutations(sorted(HAPPENINGS)), st.integers(1, len(HAPPENINGS)))
def test_whatever_has_happened_since(pipeline: Pipeline, order: Sequence[str], count: int) -> None:
    async def compare() -> None:
        async with AsyncExitStack() as stack:
            path = Path(stack.enter_context(TemporaryDirectory()))
            async with opened(path) as world:
                before = world.restarted(PLANTED)
                told = await execute(before, pipeline)
                first = told.get("execution_id") or told["error"]["details"]["execution_id"]
                expected = await recorded(before, first)
                for name in order[:count]:
                    if name != "added" or await world.shop.metadata.read(_has_products):
                        await HAPPENINGS[name](world.shop)
                assert (await Server(world.shop).frozen(first)).verdict is Verdict.IDENTICAL
            metadata = await open_blank(path / "metadata.db")
            stack.push_async_callback(metadata.close)
            await _after_a_restart(metadata, first, expected)

    asyncio.run(compare())


def _has_products(session: Session) -> bool:
    return session.collections.get(PRINCIPAL, "col_a") is not None


async def _after_a_restart(metadata: Metadata, first: str, expected: list[Any]) -> None:
    """Another day, nothing in the index, no models."""
    server = Server(Shop(metadata, models=NoModels()), clock=Tomorrow())
    replayed = await server.frozen(first)
    assert (replayed.verdict, replayed.first_divergence, replayed.reason) == (Verdict.IDENTICAL, None, None)
    then, now = await server.record(first), await server.record(replayed.execution_id)
    for one, other in zip(then.stages, now.stages, strict=True):
        facts = {name: fact for name, fact in one.metadata.items() if name != "pagination"}
        assert (one.received, one.returned, facts) == (other.received, other.returned, dict(other.metadata))
    again = now.stages[-1].returned if now.error is None else None
    told = [now.error.code] if now.error else [[one.id, one.score, dict(one.scores)] for one in again or ()]
    assert told == expected


BY_DOCUMENT = PriceTable({"feature_search": Price(per_document=0.01), "oracle": Price(per_call=0.01)})


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 14))
def test_a_stage_that_a_budget_lowered_runs_as_it_was_lowered(cents: int) -> None:
    async def compare() -> None:
        with TemporaryDirectory() as folder:
            async with opened(Path(folder)) as world:
                server = Server(world.shop, BY_DOCUMENT)
                first = await server.run(search(), stage("oracle"), budget=Budget(max_credits=cents / 100))
                then = await server.record(first)
                await added(world.shop)
                # Neither prices nor budget say it a second time: what was lowered is read off the record.
                later = Server(Shop(world.shop.metadata, models=NoModels()))
                replayed = await later.frozen(first)
                assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None)
                now = await later.record(replayed.execution_id)
                assert [one.parameters for one in now.stages] == [
                    one.parameters for one in then.stages if one.limit is None
                ]
                assert then.stages[0].shrunk or cents >= 6

    asyncio.run(compare())


async def test_effects_are_answered_from_the_record(world: World) -> None:
    class Learns(StageExperience):
        learnt: ClassVar[list[str]] = []

        def learn(self, principal: Any, fingerprint: str, stage_id: str, run: Means) -> None:
            self.learnt.append(stage_id)

    learns = Learns(world.shop.metadata, WallClock())
    server, asked = Server(world.shop, BY_DOCUMENT, experience=learns), world.shop.models.themes.asked

    def outside() -> int:
        found = sum(text.startswith("of ") for text in asked)
        asked.clear()
        return found

    first = await server.run(search(final_top_k=3), stage("oracle"))
    assert (outside(), learns.learnt) == (3, ["feature_search", "oracle"])
    frozen = await server.frozen(first)
    assert (frozen.verdict, frozen.from_record, outside()) == (Verdict.IDENTICAL, (), 0)
    assert learns.learnt == ["feature_search", "oracle"]
    live = await server.live(first)
    assert (live.verdict, live.from_record, outside()) == (Verdict.IDENTICAL, ("oracle",), 0)
    assert learns.learnt[2:] == ["feature_search"]
    record = await server.record(live.execution_id)
    assert [one.credits_used for one in record.stages] == [pytest.approx(0.06), 0.0]
    assert [record.stages[1].credits_saved, record.header.credits_used] == pytest.approx([0.03, 0.06])
    allowed = await server.live(first, allow_effects=True)
    assert (allowed.verdict, allowed.from_record, outside()) == (Verdict.IDENTICAL, (), 3)


async def test_a_live_replay_never_reaches_outside_for_what_the_record_does_not_know(world: World) -> None:
    server, asked = Server(world.shop), world.shop.models.themes.asked
    first = await server.run(search(final_top_k=3), stage("oracle"))
    await added(world.shop)
    asked.clear()
    live = await server.live(first)
    assert (live.verdict, live.from_record) == (Verdict.DRIFTED, ("oracle",))
    assert live.first_divergence is not None
    assert (live.first_divergence.stage_index, live.first_divergence.cause) == (0, "data")
    assert not [text for text in asked if text.startswith("of ")]


async def test_a_replay_is_told_of_with_the_callers_trace(world: World) -> None:
    server = Server(world.shop)
    first = await server.run(search())
    for mode in ReplayMode:
        with called_by(Caller("req_1", TRACEPARENT)):
            replayed = await server.replays.replay(PRINCIPAL, first, mode)
        assert (await server.record(replayed.execution_id)).traceparent == TRACEPARENT


class Told:
    """A watch that notes whose stages it is told of, and whose records."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.kept: list[str] = []

    def begin(self, plan: Plan, request: RunRequest) -> Sink:
        self.begun.append(request.execution_id)

        def sink(event: Event) -> None: ...

        return sink

    def recorded(self, header: ExecutionHeader, lag_ms: float, events: Sequence[Event] = ()) -> None:
        self.kept.append(header.execution_id)


async def test_trying_out_whether_it_is_the_code_is_no_execution(world: World) -> None:
    told = Told()
    server = Server(world.shop, watch=told)
    first = await server.run(search(), stage("limit", limit=3))
    await added(world.shop)
    assert (await server.live(first)).verdict is Verdict.DRIFTED
    assert told.begun == told.kept
    assert len(told.begun) == 2


async def test_a_replay_whose_caller_leaves_has_a_record(world: World) -> None:
    server = Server(world.shop)
    Wait.go.set()
    first = await server.run(search(), stage("wait"))
    Wait.go.clear()
    Wait.reached.clear()
    for mode in ReplayMode:
        replaying = asyncio.create_task(server.replays.replay(PRINCIPAL, first, mode))
        await Wait.reached.wait()
        Wait.reached.clear()
        replaying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await replaying
    selected = await world.shop.metadata.read(lambda session: session.executions.page(PRINCIPAL, ExecutionQuery()))
    left = [one for one in selected.items if one.status is ExecutionStatus.CANCELLED]
    found = [await server.record(one.execution_id) for one in left]
    assert sorted(one.replay.mode for one in found if one.replay) == ["frozen", "live"]
    for one in found:
        assert (await server.frozen(one.header.execution_id)).verdict is Verdict.IDENTICAL


SLOW = {**stage("limit", limit=1), "when": "{{ CONTEXT.time_elapsed_ms > 100000 }}"}
FEW = {**stage("limit", limit=1), "stage_name": "few", "when": "{{ STAGE.search.count > 1 }}"}


async def test_conditions_are_asked_again_of_what_was_known_then(world: World) -> None:
    """A run that took its time is told the same times, whatever the replay takes."""
    server = Server(world.shop)
    first = await server.run(search(), SLOW, FEW)
    then = await server.record(first)
    assert [one.outcome for one in then.stages] == ["completed", "passed_over", "completed"]
    later = Server(world.shop, clock=Tomorrow())
    assert (await later.frozen(first)).verdict is Verdict.IDENTICAL
    await deleted(world.shop)
    replayed = await later.frozen(first)
    assert replayed.verdict is Verdict.IDENTICAL
    now = await later.record(replayed.execution_id)
    assert [one.outcome for one in now.stages] == ["completed", "passed_over", "completed"]
    assert [one.metadata.get("passed_over") for one in now.stages] == [
        one.metadata.get("passed_over") for one in then.stages
    ]
