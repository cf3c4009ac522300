"""Whatever valid pipeline is sent: no internal error, and a record that agrees with itself and can be run again."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from tamis.engine.environment import Environment
from tamis.engine.events import Event, StageFailed
from tamis.engine.planning.plan import Planner
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stages import STAGES
from tamis.errors import TamisError
from tamis.executions.codec import decode
from tamis.executions.record import Record, StageOutcome
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.executions.writing import stored_of
from tamis.model.execution import ExecutionStatus
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.replays import ReplayService
from tamis.services.records.traces import TraceRequest, TraceService
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.storage.metadata import open_sqlite
from tests.engine.stages.shop import PRINCIPAL, filled
from tests.generated.pipelines import INPUTS, Generated, pipelines, starts_of
from tests.generated.reach import STUBS
from tests.retrieval_world import WallClock, specs

PRICES = PriceTable(dict.fromkeys(STAGES, Price(per_document=0.00001, per_call=0.01)))


@dataclass
class Server:
    """One server for all pipelines of a test. completed, ended: how often each stage, each way to end."""

    executions: ExecutionService
    records: ExecutionRecords
    replays: ReplayService
    traces: TraceService
    completed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)

    async def check(self, generated: Generated) -> None:
        """Run it, and look at everything that it left behind."""
        events: list[Event] = []
        executed, error = await self._run(generated, events)
        internal = [one.error for one in events if isinstance(one, StageFailed) and not _is_declared(one.error)]
        assert internal == [], [repr(one.__cause__) for one in internal]
        execution_id = executed.execution_id if executed else (error.details.get("execution_id") if error else None)
        if execution_id is None:
            assert error is not None
            assert error.status < 500, error
            self.ended["refused"] += 1
            return
        stored = await self.records.get_anonymous(PRINCIPAL, execution_id)
        record = decode(stored)
        note(f"{record.stages}")
        agrees_with_itself(record, executed)
        assert decode(stored_of(record).execution) == record
        trace = await self.traces.trace(PRINCIPAL, execution_id, TraceRequest(limit=100))
        for side, page in trace.pages.items():
            one = record.stages[side.position]
            assert page.total == len(one.returned if side.is_out else one.received)
        replayed = await self.replays.replay(PRINCIPAL, execution_id, ReplayMode.FROZEN)
        if all(one.outcome is StageOutcome.CUT for one in record.stages):
            assert replayed.verdict is Verdict.NOT_REPLAYABLE, "nothing came to an end"
        else:
            assert (replayed.verdict, replayed.first_divergence, replayed.reason) == (Verdict.IDENTICAL, None, None)
        self.ended[record.header.status] += 1
        self.completed.update(one.stage_id for one in record.stages if one.outcome is StageOutcome.COMPLETED)

    async def _run(self, generated: Generated, events: list[Event]) -> tuple[Executed | None, TamisError | None]:
        options = RunOptions(inputs=dict(INPUTS), budget=generated.budget)
        try:
            ran = await self.executions.execute_anonymous(PRINCIPAL, specs(*generated.raw), {}, options, events.append)
        except TamisError as error:
            return None, error
        return ran, None


def _is_declared(error: TamisError) -> bool:
    """What a stage raised is one of our errors, not a bug that the executor wrapped."""
    return isinstance(error.__cause__, TamisError)


def agrees_with_itself(record: Record, executed: Executed | None) -> None:
    header, completed = record.header, [one for one in record.stages if one.outcome is StageOutcome.COMPLETED]
    assert [one.index for one in record.stages] == list(range(len(record.stages)))
    for one, following in zip(record.stages, record.stages[1:], strict=False):
        assert following.received == one.returned
        assert one.outcome is not StageOutcome.FAILED, "nothing runs after a failure"
        assert one.outcome is not StageOutcome.CUT, "nothing runs after a cut"
    for one in record.stages:
        assert len({hit.id for hit in one.returned}) == len(one.returned), one.stage_id
        if one.outcome is StageOutcome.SKIPPED:
            assert one.returned == one.received
    assert header.stages_completed == len(completed)
    assert header.total_processed == sum(one.processed for one in completed)
    assert header.credits_used == pytest.approx(sum(one.credits_used for one in record.stages))
    assert header.total_stages == len(record.definition["stages"])  # type: ignore[arg-type]
    assert header.status is _status(record)
    assert (record.error is None) == (executed is not None)
    if executed is not None:
        assert header.total_returned == len(executed.documents)
        shown = [(one.id, one.score) for one in record.stages[-1].returned][: len(executed.documents)]
        assert [(hit.id, hit.score) for hit in executed.documents] == shown
    else:
        assert header.total_returned == 0


def _status(record: Record) -> ExecutionStatus:
    outcomes = {one.outcome for one in record.stages}
    if StageOutcome.FAILED in outcomes:
        return ExecutionStatus.FAILED
    # A stage that the budget refused some of its calls completes with what it has; the warning says so.
    is_short = any(warning.startswith("budget ") for warning in record.warnings)
    cut_short = is_short or {StageOutcome.CUT, StageOutcome.SKIPPED} & outcomes
    shrunk = any(one.shrunk for one in record.stages)
    return ExecutionStatus.DEGRADED if cut_short or shrunk else ExecutionStatus.COMPLETED


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def server(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Server]:
    metadata = runner.run(open_sqlite(tmp_path / "metadata.db"))
    shop = runner.run(filled(metadata))
    clock, planner = WallClock(), Planner(STAGES)
    in_flight = InFlight(clock)
    records = ExecutionRecords(metadata, in_flight)
    executor = Executor(Environment(shop.searcher, shop.models, clock, STUBS), PRICES)
    yield Server(
        ExecutionService(metadata, planner, executor, clock, in_flight),
        records,
        ReplayService(metadata, records, planner, executor, in_flight),
        TraceService(metadata, records),
    )
    runner.run(metadata.close())


def run_many(runner: asyncio.Runner, server: Server, count: int) -> None:
    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(pipelines())
    def check(generated: Generated) -> None:
        runner.run(server.check(generated))

    check()
    ran = sum(server.ended.values())
    assert server.ended["refused"] < ran / 3, server.ended
    assert server.ended[ExecutionStatus.COMPLETED] > ran / 4, server.ended
    assert set(server.completed) == set(STAGES), f"never ran to its end: {set(STAGES) - set(server.completed)}"


@pytest.mark.parametrize("stage_id", sorted(STAGES))
def test_every_stage_takes_part(stage_id: str) -> None:
    assert starts_of(stage_id, STAGES[stage_id])


def test_a_stage_that_cannot_take_part_is_named() -> None:
    class Nameless:
        Parameters = STAGES["limit"].Parameters

    with pytest.raises(AssertionError, match="'nameless' has no parameters to make pipelines of"):
        starts_of("nameless", Nameless)  # type: ignore[arg-type]


def test_any_valid_pipeline_leaves_a_sound_record(runner: asyncio.Runner, server: Server) -> None:
    run_many(runner, server, 800)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_very_many_of_them(runner: asyncio.Runner, server: Server, quick: bool) -> None:
    run_many(runner, server, 3_000 if quick else 50_000)
