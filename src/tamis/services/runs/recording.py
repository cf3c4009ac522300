"""One execution's events kept as they come, and its record made of them whenever it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tamis.engine.events import STAGE_ENDS, Event, ExecutionFinished, ExecutionStarted, StageFinished, StageStarted
from tamis.engine.planning.plan import Plan
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.executor import seed_of
from tamis.executions.recorder import Recorded, Recorder
from tamis.model.canonical import sha1_of
from tamis.model.execution import ExecutionHeader, ExecutionStatus
from tamis.model.hits import Hits
from tamis.model.json import JSON
from tamis.model.retriever import Retriever
from tamis.services.runs.execution_runs import AnswerCaching
from tamis.services.runs.snapshots import Snapshot


@dataclass(slots=True)
class Recording:
    """A sink for the executor. models: version by name.  cached: what a cache of whole answers had to do with it.

    left_out: what the namespace's policy keeps out of the record, of `inputs`, `documents`.
    """

    plan: Plan
    request: RunRequest
    retriever: Retriever | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    cached: AnswerCaching | None = None
    left_out: tuple[str, ...] = ()

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def has_begun(self) -> bool:
        return bool(self.events)

    @property
    def credits_used(self) -> float:
        """So far, whether it came to an end or not."""
        return sum(event.credits_used for event in self.events if isinstance(event, STAGE_ENDS))

    def cancel(self) -> None:
        """The caller left after the pipeline had ended and before its answer."""
        self.events = [
            replace(event, status=ExecutionStatus.CANCELLED) if isinstance(event, ExecutionFinished) else event
            for event in self.events
        ]

    def record(
        self, total_returned: int = 0, duration_ms: float | None = None, pagination: Mapping[str, JSON] | None = None
    ) -> Recorded:
        """What is known by now. pagination: kept with the last stage, so that the record says which part was shown."""
        recorder = self._recorder()
        for event in self.events:
            recorder(event)
        return recorder.finish(total_returned, duration_ms, pagination)

    def header(self, duration_ms: float) -> ExecutionHeader:
        """The header of `record`."""
        recorder = self._recorder()
        for event in self.events:
            recorder(event)
        return recorder.header(duration_ms)

    def _recorder(self) -> Recorder:
        retriever = self.retriever
        return Recorder(
            self.plan,
            self.request,
            retriever.retriever_id if retriever else None,
            retriever.version if retriever else None,
            self.models,
            self.left_out,
        )


def page_of_ranking(
    plan: Plan, request: RunRequest, at: datetime, series: Snapshot, documents: Hits, warnings: tuple[str, ...],
    duration_ms: float,
) -> tuple[list[Event], RunResult]:  # fmt: skip
    """A page cut from the ranking that an earlier execution left: every stage a cache hit that cost nothing.

    documents: those of this page.  Counted is what each stage looked at to make the ranking, as for any answer that a
    cache gives: figures are of the pipeline, not of what it was spared.
    """
    inputs_hash = sha1_of(request.inputs)
    seed = seed_of(inputs_hash, plan.chance)
    count = len(plan.stages)
    last = count - 1
    stages = tuple(
        StageFinished(
            index=index,
            stage_name=planned.spec.stage_name,
            stage_id=planned.spec.stage_id,
            parameters=None,
            received=Hits(),
            returned=documents if index == last else Hits(),
            processed=series.processed[index] if index < len(series.processed) else 0,
            duration_ms=duration_ms if index == last else 0.0,
            credits_used=0.0,
            cache_key=series.execution_id,
            cache_hit=True,
        )
        for index, planned in enumerate(plan.stages)
    )
    started = ExecutionStarted(request.execution_id, at, request.inputs, inputs_hash, plan.hash, seed, count)
    processed = sum(end.processed for end in stages)
    finished = ExecutionFinished(ExecutionStatus.COMPLETED, duration_ms, 0.0, processed, count, 1.0, warnings)
    result = RunResult(
        ExecutionStatus.COMPLETED, documents, stages, duration_ms, 0.0, processed, count, inputs_hash, seed, 1.0,
        warnings,
    )  # fmt: skip
    events: list[Event] = [started]
    for end in stages:
        events += [StageStarted(end.index, end.stage_name, end.stage_id, 0), end]
    return [*events, finished], result
