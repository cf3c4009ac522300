"""Runs a plan: stage after stage over immutable hits, measured, within its budget, every step told as an event."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tamis.engine.attempt import Attempt
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
    ignore,
)
from tamis.engine.failure import failure_of
from tamis.engine.plan import Plan, PlannedStage
from tamis.engine.ports.clock import Clock
from tamis.engine.prices import PriceTable
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.sandbox import Named
from tamis.engine.stage import Outcome
from tamis.errors import StageTimeoutError, TamisError
from tamis.model.canonical import sha1_of
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hits
from tamis.model.retriever import Budget

_SEED_DIGITS = 12


class Executor:
    """Holds what every execution needs; `run` keeps no state between executions."""

    def __init__(self, environment: Environment, prices: PriceTable | None = None) -> None:
        self.environment = environment
        self.prices = prices or PriceTable()

    @property
    def clock(self) -> Clock:
        """What durations are measured by; a replay's stages may be told another time."""
        return self.environment.clock

    async def run(self, plan: Plan, request: RunRequest, sink: Sink = ignore) -> RunResult:
        """Run the plan. What fails is in the result, not raised: its record is to be written first.

        A cancellation is told to the sink as an execution that ended `cancelled`, then goes on its way.
        """
        run = _Run(self, plan, request, sink)
        run.begin()
        try:
            for index, planned in enumerate(plan.stages):
                if not await run.step(index, planned):
                    break
        except asyncio.CancelledError:
            run.end(ExecutionStatus.CANCELLED)
            raise
        return run.end()


def seed_of(inputs_hash: str, definition_hash: str) -> int:
    """48 bits from what is run on what, so that the same request meets the same chance."""
    return int(sha1_of([inputs_hash, definition_hash])[:_SEED_DIGITS], 16)


@dataclass(slots=True)
class _Run:
    """One execution under way."""

    executor: Executor
    plan: Plan
    request: RunRequest
    sink: Sink
    hits: Hits = field(default_factory=Hits)
    ends: list[StageEnd] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    credits_used: float = 0.0
    error: TamisError | None = None
    is_cut: bool = False
    started_ms: float = 0.0
    inputs_hash: str = ""
    seed: int = 0
    aliases: dict[str, Any] = field(default_factory=dict)
    inputs: Named = field(default_factory=lambda: Named("INPUT", {}))

    def begin(self) -> None:
        self.started_ms = self.executor.clock.monotonic_ms()
        self.inputs_hash = sha1_of(self.request.inputs, ["body", "inputs"])
        given = self.request.seed
        self.seed = seed_of(self.inputs_hash, self.plan.hash) if given is None else given
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
        cost = self.executor.prices.cost(planned.spec.stage_id, len(self.hits))
        if self._is_unaffordable(index, planned, cost) or self._is_late(index, planned):
            return False
        self.sink(StageStarted(index, planned.spec.stage_name, planned.spec.stage_id, len(self.hits)))
        before_ms = self.executor.clock.monotonic_ms()
        environment = self.request.environment or self.executor.environment
        attempt = Attempt(environment, self.request, self.seed, index, planned, self.hits)
        limit_ms = self._left_ms()
        try:
            async with asyncio.timeout(None if limit_ms is None else limit_ms / 1000) as deadline:
                outcome = await attempt.go(self.scope(index, planned))
        except TimeoutError as error:
            if deadline.expired():
                return self._cut(index, planned, "max_time_ms", "ran out of time", before_ms)
            return self._fail(index, planned, attempt, error, before_ms)
        except Exception as error:
            return self._fail(index, planned, attempt, error, before_ms)
        self._finish(index, planned, attempt, outcome, cost, before_ms)
        return True

    def end(self, status: ExecutionStatus | None = None) -> RunResult:
        finished = [end for end in self.ends if isinstance(end, StageFinished)]
        cached = [end.cache_hit for end in finished if end.cache_hit is not None]
        result = RunResult(
            status=status or self._status(),
            hits=Hits() if self.error else self.hits,
            stages=tuple(self.ends),
            duration_ms=self.executor.clock.monotonic_ms() - self.started_ms,
            credits_used=round(self.credits_used, 9),
            total_processed=sum(end.processed for end in finished),
            stages_completed=len(finished),
            inputs_hash=self.inputs_hash,
            seed=self.seed,
            cache_hit_rate=sum(cached) / len(finished) if cached else None,
            warnings=tuple(self.warnings),
            error=self.error,
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
            )
        )
        return result

    def scope(self, index: int, planned: PlannedStage) -> dict[str, Named]:
        """What the templates of this stage see; only what they name is made."""
        scope = {"INPUT": self.inputs}
        if "CONTEXT" in planned.roots:
            scope["CONTEXT"] = Named("CONTEXT", self._context())
        if "STAGE" in planned.roots:
            earlier = {end.stage_name: _stage_facts(end) for end in self.ends if isinstance(end, StageFinished)}
            scope["STAGE"] = Named("STAGE", {"name": planned.spec.stage_name, "index": index, **earlier})
        return scope

    def _context(self) -> Mapping[str, Any]:
        budget, request = self._budget(), self.request
        credits_left = None if budget.max_credits is None else budget.max_credits - self.credits_used
        return {
            "execution_id": request.execution_id,
            "namespace_id": request.principal.namespace_id,
            "collection_ids": [one.collection_id for one in request.collections],
            "budget_remaining": credits_left,
            "time_elapsed_ms": self._elapsed_ms(),
            "time_remaining_ms": self._left_ms(),
            "document_count": len(self.hits),
            **self.aliases,
        }

    def _status(self) -> ExecutionStatus:
        if self.error:
            return ExecutionStatus.FAILED
        skipped = any(isinstance(end, StageFailed) for end in self.ends)
        return ExecutionStatus.DEGRADED if self.is_cut or skipped else ExecutionStatus.COMPLETED

    def _budget(self) -> Budget:
        return self.request.budget or self.plan.definition.budget

    def _elapsed_ms(self) -> float:
        return self.executor.clock.monotonic_ms() - self.started_ms

    def _left_ms(self) -> float | None:
        limit = self._budget().max_time_ms
        return None if limit is None else max(0.0, limit - self._elapsed_ms())

    def _is_unaffordable(self, index: int, planned: PlannedStage, cost: float) -> bool:
        limit = self._budget().max_credits
        if limit is None or cost == 0 or self.credits_used + cost <= limit + 1e-9:
            return False
        reason = f"costs {cost:g} credits and {max(0.0, limit - self.credits_used):g} of {limit:g} are left"
        self._cut(index, planned, "max_credits", reason, self.executor.clock.monotonic_ms())
        return True

    def _is_late(self, index: int, planned: PlannedStage) -> bool:
        if self._left_ms() != 0.0:
            return False
        self._cut(index, planned, "max_time_ms", "was not begun, the time was up", self.executor.clock.monotonic_ms())
        return True

    def _cut(self, index: int, planned: PlannedStage, limit: str, reason: str, before_ms: float) -> bool:
        spec = planned.spec
        rest = len(self.plan.stages) - index - 1
        after = f"; {rest} more not run" if rest else ""
        self.is_cut = True
        self.warnings.append(f"budget {limit}: stage {spec.stage_name!r} {reason}{after}")
        took_ms = self.executor.clock.monotonic_ms() - before_ms
        self._tell(StageCut(index, spec.stage_name, spec.stage_id, self.hits, took_ms, limit, reason))
        return False

    def _fail(self, index: int, planned: PlannedStage, attempt: Attempt, cause: Exception, before_ms: float) -> bool:
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
                duration_ms=self.executor.clock.monotonic_ms() - before_ms,
                error=error,
                skipped=skipped,
            )
        )
        return skipped

    def _finish(
        self, index: int, planned: PlannedStage, attempt: Attempt, outcome: Outcome, cost: float, before_ms: float
    ) -> None:
        spec = planned.spec
        received, self.hits = self.hits, outcome.hits
        self.credits_used += cost
        self.warnings.extend(f"stage {spec.stage_name!r}: {warning}" for warning in outcome.warnings)
        alias = spec.options.get("output_alias")
        if isinstance(alias, str):
            self.aliases[alias] = [hit.view() for hit in outcome.hits]
        self._tell(
            StageFinished(
                index=index,
                stage_name=spec.stage_name,
                stage_id=spec.stage_id,
                parameters=attempt.parameters,
                received=received,
                returned=outcome.hits,
                processed=len(received) if outcome.processed is None else outcome.processed,
                duration_ms=self.executor.clock.monotonic_ms() - before_ms,
                credits_used=cost,
                tokens_used=outcome.tokens_used,
                llm_calls=outcome.llm_calls,
                metadata=outcome.metadata,
                warnings=outcome.warnings,
            )
        )

    def _tell(self, end: StageEnd) -> None:
        self.ends.append(end)
        self.sink(end)


def _stage_facts(end: StageFinished) -> dict[str, Any]:
    return {
        "count": len(end.returned),
        "input_count": len(end.received),
        "top_score": max((hit.score for hit in end.returned), default=None),
        "duration_ms": end.duration_ms,
        **end.metadata,
    }
