"""Runs a plan: stage after stage over immutable hits, measured, within its budget, every step told as an event."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from tamis.engine.caching import NOT_CACHED
from tamis.engine.environment import Environment
from tamis.engine.events import (
    ExecutionFinished,
    ExecutionStarted,
    Sink,
    StageCut,
    StageEnd,
    StageFailed,
    StageFinished,
    StageStarted,
    fan_out,
    ignore,
)
from tamis.engine.forecasting.estimates import Experience, NoExperience, teach
from tamis.engine.planning.conditions import PASSED_OVER, reason
from tamis.engine.planning.plan import Plan, PlannedStage
from tamis.engine.planning.rewrites import REWRITE
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.telemetry import Watch
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.attempt import Attempt
from tamis.engine.running.budget import Admission, Ledger, told
from tamis.engine.running.failure import failure_of
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.deadline import OutOfTimeError, within
from tamis.engine.spending.prices import PriceTable
from tamis.engine.stage import Outcome
from tamis.engine.tape import Taped
from tamis.engine.templating.sandbox import Named
from tamis.errors import StageTimeoutError, TamisError
from tamis.model.canonical import sha1_of
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hits
from tamis.model.json import JSON

_SEED_DIGITS = 12

Told: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class Executor:
    """Holds what every execution needs; `run` keeps no state between executions."""

    def __init__(
        self,
        environment: Environment,
        prices: PriceTable | None = None,
        experience: Experience | None = None,
        watch: Watch | None = None,
    ) -> None:
        """experience: what stages did before; a budget is shared out by it.  watch: told of every run."""
        self.watch = watch
        self.environment = environment
        self.prices = prices or PriceTable()
        self.experience = experience or NoExperience()

    @property
    def clock(self) -> Clock:
        """What durations are measured by; a replay's stages may be told another time."""
        return self.environment.clock

    async def run(self, plan: Plan, request: RunRequest, sink: Sink = ignore) -> RunResult:
        """Run the plan. What fails is in the result, not raised: its record is to be written first.

        A cancellation is told to the sink as an execution that ended `cancelled`, then goes on its way.
        """
        told = sink if self.watch is None else fan_out(sink, self.watch.begin(plan, request))
        run = _Run(self, plan, request, told)
        run.begin()
        try:
            await run.ledger.prepare()
            for index, planned in enumerate(plan.stages):
                if not await run.step(index, planned):
                    break
        except asyncio.CancelledError:
            run.end(ExecutionStatus.CANCELLED)
            raise
        return run.end()


def seed_of(inputs_hash: str, chance: str) -> int:
    """48 bits from what is run on what, so that the same request meets the same chance."""
    return int(sha1_of([inputs_hash, chance])[:_SEED_DIGITS], 16)


@dataclass(slots=True)
class _Run:
    """One execution under way. repeated: credits of the stages that a record answered, held against the budget only."""

    executor: Executor
    plan: Plan
    request: RunRequest
    sink: Sink
    hits: Hits = field(default_factory=Hits)
    ends: list[StageEnd] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    ledger: Ledger = field(init=False)
    error: TamisError | None = None
    is_cut: bool = False
    started_ms: float = 0.0
    inputs_hash: str = ""
    seed: int = 0
    aliases: dict[str, Any] = field(default_factory=dict)
    repeated: dict[int, float] = field(default_factory=dict)
    inputs: Named = field(default_factory=lambda: Named("INPUT", {}))

    def __post_init__(self) -> None:
        executor = self.executor
        self.ledger = Ledger(self.plan, self.request, executor.prices, executor.experience)

    def begin(self) -> None:
        self.started_ms = self.executor.clock.monotonic_ms()
        self.inputs_hash = sha1_of(self.request.inputs, ["body", "inputs"])
        self.warnings.extend(warning for planned in self.plan.stages for warning in planned.warnings)
        given = self.request.seed
        self.seed = seed_of(self.inputs_hash, self.plan.chance) if given is None else given
        # An input that is declared and not given is null in a template, not undefined.
        self.inputs = Named("INPUT", {**dict.fromkeys(self.plan.declared), **self.request.inputs})
        self.sink(
            ExecutionStarted(
                execution_id=self.request.execution_id,
                at=self.executor.clock.now(),
                inputs=self.request.inputs,
                inputs_hash=self.inputs_hash,
                definition_hash=self.plan.hash,
                seed=self.seed,
                total_stages=len(self.plan.stages),
            )
        )

    async def step(self, index: int, planned: PlannedStage) -> bool:
        """Run one stage; whether the next one may."""
        if self._left_ms() == 0.0:
            return self._cut(index, planned, "max_time_ms", "was not begun, the time was up", self._now_ms())
        environment = self.request.environment or self.executor.environment
        attempt = Attempt(
            environment, self.request, self.seed, index, planned, self.hits, tape=self.request.tapes(index)
        )  # fmt: skip
        if "when" in planned.spec.options:
            goes_on = self._asked_whether(index, planned, attempt)
            if goes_on is not None:
                return goes_on
        admission = self.ledger.admission(
            index, len(self.hits), lambda: self.scope(index, planned), {"INPUT": self.inputs}
        )
        if admission.refusal is not None:
            return self._cut(index, planned, "max_credits", admission.refusal, self._now_ms())
        self.sink(StageStarted(index, planned.spec.stage_name, planned.spec.stage_id, len(self.hits)))
        before_ms = self._now_ms()
        attempt.allowance = admission.allowance
        if admission.caps:
            attempt.planned = replace(planned, caps=admission.caps)
        try:
            outcome = await within(self._left_ms(), attempt.go(self.scope(index, planned, attempt.told)))
        except OutOfTimeError:
            spent = self.ledger.end_calls(admission)
            return self._cut(index, planned, "max_time_ms", "ran out of time", before_ms, spent, attempt.calls)
        except Exception as error:
            return self._fail(index, planned, attempt, error, before_ms, admission)
        self._finish(index, planned, attempt, outcome, admission, before_ms)
        return True

    def _asked_whether(self, index: int, planned: PlannedStage, attempt: Attempt) -> bool | None:
        """None where the stage's condition lets it run; else whether the next one may."""
        before_ms = self._now_ms()
        try:
            applies = planned.applies(self.scope(index, planned, attempt.told, planned.when_roots))
        except TamisError as error:
            self.sink(StageStarted(index, planned.spec.stage_name, planned.spec.stage_id, len(self.hits)))
            return self._fail(index, planned, attempt, error, before_ms, Admission(Allowance()))
        if not applies:
            self._pass_over(index, planned, attempt, before_ms)
        return None if applies else True

    def _pass_over(self, index: int, planned: PlannedStage, attempt: Attempt, before_ms: float) -> None:
        """What the stage was given goes on, also under its alias: later templates need not ask whether it ran."""
        spec = planned.spec
        self.sink(StageStarted(index, spec.stage_name, spec.stage_id, len(self.hits)))
        self._name(spec.options.get("output_alias"), self.hits)
        why = reason(spec.options["when"])
        self._tell(
            StageFinished(
                index=index,
                stage_name=spec.stage_name,
                stage_id=spec.stage_id,
                parameters=None,
                received=self.hits,
                returned=self.hits,
                processed=0,
                duration_ms=self._now_ms() - before_ms,
                credits_used=0.0,
                metadata={PASSED_OVER: why},
                calls=attempt.calls,
                passed_over=why,
            )
        )

    def _name(self, alias: JSON, hits: Hits) -> None:
        if isinstance(alias, str):
            self.aliases[alias] = [hit.view() for hit in hits]

    def end(self, status: ExecutionStatus | None = None) -> RunResult:
        finished = [end for end in self.ends if isinstance(end, StageFinished) and end.passed_over is None]
        cached = [end.cache_hit for end in finished if end.cache_hit is not None]
        if self.request.environment is None:
            fresh = [end for end in finished if end.index not in self.repeated]
            teach(self.executor.experience, self.request.principal, self.plan, fresh)
        result = RunResult(
            status=status or self._status(),
            hits=Hits() if self.error else self.hits,
            stages=tuple(self.ends),
            duration_ms=self.executor.clock.monotonic_ms() - self.started_ms,
            credits_used=round(self.ledger.used - sum(self.repeated.values()), 9),
            total_processed=sum(end.processed for end in finished),
            stages_completed=len(finished),
            inputs_hash=self.inputs_hash,
            seed=self.seed,
            cache_hit_rate=sum(cached) / len(finished) if cached else None,
            warnings=tuple(self.warnings),
            error=self.error,
            credits_saved=round(sum(end.credits_saved for end in finished), 9),
        )
        self.sink(
            ExecutionFinished(
                status=result.status,
                duration_ms=result.duration_ms,
                credits_used=result.credits_used,
                total_processed=result.total_processed,
                stages_completed=result.stages_completed,
                cache_hit_rate=result.cache_hit_rate,
                warnings=result.warnings,
                error=result.error,
                credits_saved=result.credits_saved,
            )
        )
        return result

    def scope(
        self, index: int, planned: PlannedStage, told: Told = lambda facts: facts, roots: frozenset[str] | None = None
    ) -> dict[str, Named]:
        """What the templates of this stage see; only what they name is made. roots: of its condition.

        told: what of it a replay may not know by itself, the run's time and money, goes through this.
        """
        roots = planned.roots if roots is None else roots
        scope = {"INPUT": self.inputs}
        if "CONTEXT" in roots:
            scope["CONTEXT"] = Named("CONTEXT", self._context(told))
        if "STAGE" in roots:
            finished = [end for end in self.ends if isinstance(end, StageFinished)]
            took_ms = told({end.stage_name: end.duration_ms for end in finished})
            facts = [(end, _stage_facts(end, took_ms[end.stage_name])) for end in finished]
            aliased = [(self.plan.stages[end.index].spec.options.get("output_alias"), of) for end, of in facts]
            earlier = {str(alias): of for alias, of in aliased if alias is not None}
            earlier.update((end.stage_name, of) for end, of in facts)
            scope["STAGE"] = Named("STAGE", {"name": planned.spec.stage_name, "index": index, **earlier})
        return scope

    def _context(self, told: Told) -> Mapping[str, Any]:
        request = self.request
        measured = {
            "execution_id": request.execution_id,
            "budget_remaining": None if self.ledger.limit is None else self.ledger.left,
            "time_elapsed_ms": self._elapsed_ms(),
            "time_remaining_ms": self._left_ms(),
        }
        return {
            "namespace_id": request.principal.namespace_id,
            "collection_ids": [one.collection_id for one in request.collections],
            **told(measured),
            "document_count": len(self.hits),
            **self.aliases,
        }

    def _status(self) -> ExecutionStatus:
        if self.error:
            return ExecutionStatus.FAILED
        skipped = any(isinstance(end, StageFailed) for end in self.ends)
        return ExecutionStatus.DEGRADED if self.is_cut or skipped else ExecutionStatus.COMPLETED

    def _now_ms(self) -> float:
        return self.executor.clock.monotonic_ms()

    def _elapsed_ms(self) -> float:
        return self._now_ms() - self.started_ms

    def _left_ms(self) -> float | None:
        return self.ledger.left_ms(self._elapsed_ms())

    def _cut(
        self, index: int, planned: PlannedStage, limit: str, reason: str, before_ms: float, spent: float = 0.0,
        calls: Sequence[Taped] = (),
    ) -> bool:  # fmt: skip
        spec = planned.spec
        rest = len(self.plan.stages) - index - 1
        after = f"; {rest} more not run" if rest else ""
        self.is_cut = True
        self.warnings.append(f"budget {limit}: stage {spec.stage_name!r} {reason}{after}")
        took_ms = self._now_ms() - before_ms
        self._tell(StageCut(index, spec.stage_name, spec.stage_id, self.hits, took_ms, limit, reason, spent, calls))
        return False

    def _fail(
        self, index: int, planned: PlannedStage, attempt: Attempt, cause: Exception, before_ms: float,
        admission: Admission,
    ) -> bool:  # fmt: skip
        error = failure_of(cause, planned.spec.stage_name, index, len(self.hits))
        skipped = planned.is_optional or isinstance(cause, StageTimeoutError)
        if skipped:
            self.warnings.append(f"stage {planned.spec.stage_name!r} was skipped: {error.message}")
        else:
            self.error = error
        self._tell(
            StageFailed(
                index=index,
                stage_name=planned.spec.stage_name,
                stage_id=planned.spec.stage_id,
                parameters=attempt.parameters,
                received=self.hits,
                duration_ms=self._now_ms() - before_ms,
                error=error,
                skipped=skipped,
                credits_used=self.ledger.end_calls(admission),
                shrunk=admission.taken(),
                calls=attempt.calls,
            )
        )
        return skipped

    def _finish(
        self,
        index: int,
        planned: PlannedStage,
        attempt: Attempt,
        outcome: Outcome,
        admission: Admission,
        before_ms: float,
    ) -> None:
        spec = planned.spec
        received, self.hits = self.hits, outcome.hits
        processed = len(received) if outcome.processed is None else outcome.processed
        cached = attempt.answered or NOT_CACHED
        cost, saved = 0.0, 0.0
        if cached.hit:
            saved = self.ledger.spared(spec.stage_id, outcome, processed)
        else:
            cost = self.ledger.charge(spec.stage_id, outcome, processed, admission.allowance)
        if attempt.is_from_record:
            self.repeated[index], cost, saved = cost, 0.0, cost
        shrunk = admission.taken()
        if shrunk:
            self.is_cut = True
            self.warnings.extend(told(spec.stage_name, shrunk))
        self.warnings.extend(f"stage {spec.stage_name!r}: {warning}" for warning in outcome.warnings)
        self._name(spec.options.get("output_alias"), outcome.hits)
        self._tell(
            StageFinished(
                index=index,
                stage_name=spec.stage_name,
                stage_id=spec.stage_id,
                parameters=attempt.parameters,
                received=received,
                returned=outcome.hits,
                processed=processed,
                duration_ms=self._now_ms() - before_ms,
                credits_used=cost,
                tokens_used=0 if cached.hit and outcome.tokens_used else outcome.tokens_used,
                llm_calls=0 if cached.hit and outcome.llm_calls else outcome.llm_calls,
                cache_key=cached.key,
                cache_hit=cached.hit,
                metadata=self._facts(spec.stage_name, outcome),
                warnings=outcome.warnings,
                shrunk=shrunk,
                calls=attempt.calls,
                credits_saved=saved,
            )
        )

    def _facts(self, stage_name: str, outcome: Outcome) -> Mapping[str, JSON]:
        for one in self.request.rewrites:
            if one.stage_name == stage_name:
                return {**outcome.metadata, REWRITE: one.told()}
        return outcome.metadata

    def _tell(self, end: StageEnd) -> None:
        self.ends.append(end)
        self.sink(end)


def _stage_facts(end: StageFinished, duration_ms: float) -> dict[str, Any]:
    return {
        "count": len(end.returned),
        "input_count": len(end.received),
        "top_score": max((hit.score for hit in end.returned), default=None),
        "duration_ms": duration_ms,
        **end.metadata,
    }
