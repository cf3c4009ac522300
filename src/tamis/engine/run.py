"""What an execution is given, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tamis.engine.caching import RunCaching
from tamis.engine.environment import Environment
from tamis.engine.events import StageEnd, StageFinished
from tamis.engine.planning.rewrites import Rewrite
from tamis.engine.spending.spending import Cap
from tamis.engine.tape import Tapes, recording
from tamis.errors import TamisError
from tamis.model.collection import Collection
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hits
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Budget

Inputs: TypeAlias = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """inputs: checked, with defaults (`inputs.check_inputs`).  collections: found by the service, in order.

    seed: None derives one from the inputs and the definition, so that the same request meets the same chance.
    budget: None takes the definition's.  mode: `anonymous`, `saved`.
    environment: None is the executor's own.  traceparent: the caller's, as W3C Trace Context writes it.
    rewrites: what the planner made of the pipeline.
    caps: by stage index, what a budget lowered in the execution that this one repeats; None lets the budget decide.
    replay: the execution that this one repeats, and how: `frozen`, `live`.
    tapes: one for each stage: recording, playing back what another execution recorded, or none (`untaped`).
    caching: the caches that stages may be answered from; None asks none.
    retriever_id: whose pipeline this is; None for one that came with the request.
    """

    principal: Principal
    execution_id: str
    inputs: Inputs
    collections: tuple[Collection, ...]
    seed: int | None = None
    budget: Budget | None = None
    mode: str = "anonymous"
    environment: Environment | None = None
    caps: Mapping[int, tuple[Cap, ...]] | None = None
    rewrites: tuple[Rewrite, ...] = ()
    tapes: Tapes = recording
    replay: tuple[str, str] | None = None
    caching: RunCaching | None = None
    traceparent: str | None = None
    retriever_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """status: `completed`, `degraded` (cut short or a stage skipped; `warnings` say what) or `failed` with `error`.

    hits: of the last stage that ended; empty where the run failed.  stages: how each stage that began ended, in order.
    """

    status: ExecutionStatus
    hits: Hits
    stages: tuple[StageEnd, ...]
    duration_ms: float
    credits_used: float
    total_processed: int
    stages_completed: int
    inputs_hash: str
    seed: int
    cache_hit_rate: float | None = None
    warnings: tuple[str, ...] = ()
    error: TamisError | None = None
    credits_saved: float = 0.0


def efficiency(end: StageEnd) -> float:
    """Documents out for each document in, as the contract's statistics show it; 1 where nothing went in."""
    if not isinstance(end, StageFinished) or not end.received:
        return 1.0
    return len(end.returned) / len(end.received)
