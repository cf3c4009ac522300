"""Executions that no stage ran for, and those whose caller did not wait, told in events as any other."""

from collections.abc import Sequence

from tamis.engine.events import Event, ExecutionFinished, ExecutionStarted, Sink, StageFinished, StageStarted
from tamis.engine.planning.plan import Plan
from tamis.engine.ports.clock import Clock
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.executor import seed_of
from tamis.model.canonical import sha1_of
from tamis.model.execution import ExecutionStatus


class Telling:
    """A sink that is told no more once its caller has left, except that the execution was cancelled."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ends: list[StageFinished] = []
        self._has_begun = False
        self._is_over = False

    def __call__(self, event: Event) -> None:
        if self._is_over:
            return
        self._has_begun = True
        self._is_over = isinstance(event, ExecutionFinished)
        if isinstance(event, StageFinished) and event.passed_over is None:
            self._ends.append(event)
        self._sink(event)

    def leave(self, plan: Plan, request: RunRequest, clock: Clock) -> None:
        """The caller has left; nothing happens where the execution had ended by itself."""
        if not self._has_begun:
            self(started(plan, request, clock))
        self(
            ExecutionFinished(
                status=ExecutionStatus.CANCELLED,
                duration_ms=sum(end.duration_ms for end in self._ends),
                credits_used=round(sum(end.credits_used for end in self._ends), 9),
                total_processed=sum(end.processed for end in self._ends),
                stages_completed=len(self._ends),
                cache_hit_rate=None,
                credits_saved=round(sum(end.credits_saved for end in self._ends), 9),
            )
        )


def started(plan: Plan, request: RunRequest, clock: Clock) -> ExecutionStarted:
    inputs_hash = sha1_of(request.inputs)
    seed = seed_of(inputs_hash, plan.chance)
    return ExecutionStarted(
        request.execution_id, clock.now(), request.inputs, inputs_hash, plan.hash, seed, len(plan.stages)
    )


def tell_cached(
    clock: Clock, plan: Plan, request: RunRequest, stages: Sequence[StageFinished], sink: Sink
) -> RunResult:
    """An execution all of whose stages a cache answered, told as it would have been had they run."""
    began_ms = clock.monotonic_ms()
    begun = started(plan, request, clock)
    sink(begun)
    for end in stages:
        sink(StageStarted(end.index, end.stage_name, end.stage_id, len(end.received)))
        sink(end)
    result = RunResult(
        status=ExecutionStatus.COMPLETED,
        hits=stages[-1].returned,
        stages=tuple(stages),
        duration_ms=clock.monotonic_ms() - began_ms,
        credits_used=0.0,
        total_processed=sum(end.processed for end in stages),
        stages_completed=sum(end.passed_over is None for end in stages),
        inputs_hash=begun.inputs_hash,
        seed=begun.seed,
        cache_hit_rate=1.0,
        warnings=tuple(f"stage {end.stage_name!r}: {warning}" for end in stages for warning in end.warnings),
        credits_saved=round(sum(end.credits_saved for end in stages), 9),
    )
    sink(
        ExecutionFinished(
            status=result.status,
            duration_ms=result.duration_ms,
            credits_used=0.0,
            total_processed=result.total_processed,
            stages_completed=result.stages_completed,
            cache_hit_rate=1.0,
            warnings=result.warnings,
            credits_saved=result.credits_saved,
        )
    )
    return result
