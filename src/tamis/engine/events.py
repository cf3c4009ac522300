"""What happens in an execution, as it happens: what the recorder folds, a stream sends on and telemetry measures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from tamis.engine.tape import Taped
from tamis.errors import TamisError
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hits
from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class ExecutionStarted:
    """at: UTC, aware.  inputs: checked, defaults filled in.  definition_hash: SHA-256, hex."""

    execution_id: str
    at: datetime
    inputs: Mapping[str, JSON]
    inputs_hash: str
    definition_hash: str
    seed: int
    total_stages: int


@dataclass(frozen=True, slots=True)
class StageStarted:
    index: int
    stage_name: str
    stage_id: str
    input_count: int


@dataclass(frozen=True, slots=True)
class StageFinished:
    """parameters: after templating; None where the stage has no template, and the definition's own stand.

    received, returned: the hits in and out, each with its score and every score on the way.
    processed: documents that the stage looked at.  cache_hit: None where the stage could not be cached.
    credits_saved: what it would have cost without a cache.
    shrunk: what the budget took from it, `{parameter: [as written, as run]}`; `calls: [asked for, granted]`.
    calls: what it asked of its environment, and was answered; none where no tape was kept.
    passed_over: why the stage was not run (its condition was false); what it received goes on.
    """

    index: int
    stage_name: str
    stage_id: str
    parameters: Mapping[str, Any] | None
    received: Hits
    returned: Hits
    processed: int
    duration_ms: float
    credits_used: float
    tokens_used: int | None = None
    llm_calls: int | None = None
    cache_key: str | None = None
    cache_hit: bool | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    credits_saved: float = 0.0
    shrunk: Mapping[str, JSON] = field(default_factory=dict)
    calls: Sequence[Taped] = ()
    passed_over: str | None = None


@dataclass(frozen=True, slots=True)
class StageFailed:
    """skipped: the run went on with what the stage was given (`on_error: skip`).

    credits_used: for the calls that it had made.  shrunk, calls: as in `StageFinished`.
    """

    index: int
    stage_name: str
    stage_id: str
    parameters: Mapping[str, Any] | None
    received: Hits
    duration_ms: float
    error: TamisError
    skipped: bool = False
    credits_used: float = 0.0
    shrunk: Mapping[str, JSON] = field(default_factory=dict)
    calls: Sequence[Taped] = ()


@dataclass(frozen=True, slots=True)
class StageCut:
    """The budget ended the run before or inside this stage. limit: `max_time_ms` or `max_credits`.

    credits_used: for the calls that it had made.  calls: as in `StageFinished`.
    """

    index: int
    stage_name: str
    stage_id: str
    received: Hits
    duration_ms: float
    limit: str
    reason: str
    credits_used: float = 0.0
    calls: Sequence[Taped] = ()


@dataclass(frozen=True, slots=True)
class ExecutionFinished:
    """status: never `processing`.  duration_ms: of the pipeline alone."""

    status: ExecutionStatus
    duration_ms: float
    credits_used: float
    total_processed: int
    stages_completed: int
    cache_hit_rate: float | None
    warnings: tuple[str, ...] = ()
    error: TamisError | None = None
    credits_saved: float = 0.0


StageEnd: TypeAlias = StageFinished | StageFailed | StageCut
STAGE_ENDS = (StageFinished, StageFailed, StageCut)  # for isinstance: a union is slower
Event: TypeAlias = ExecutionStarted | StageStarted | StageEnd | ExecutionFinished
Sink: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The sink of who does not care."""


def fan_out(*sinks: Sink) -> Sink:
    """One sink that tells several; those that do not care cost nothing."""
    sinks = tuple(sink for sink in sinks if sink is not ignore)
    if len(sinks) < 2:
        return sinks[0] if sinks else ignore

    def tell(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return tell
