"""The header of an execution's record: what the contract shows, and what lists are filtered by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ExecutionStatus(StrEnum):
    PROCESSING = "processing"
    COMPLETED = "completed"
    DEGRADED = "degraded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ANONYMOUS, SAVED, PUBLIC = MODES = ("anonymous", "saved", "public")
"""Public: of a published retriever, asked by a visitor."""


@dataclass(frozen=True, slots=True)
class ExecutionHeader:
    """mode: one of MODES. retriever_id: None for an anonymous execution."""

    execution_id: str
    mode: str
    status: ExecutionStatus
    started_at: datetime
    duration_ms: float
    credits_used: float
    total_processed: int
    total_returned: int
    total_stages: int
    stages_completed: int
    collection_ids: tuple[str, ...]
    retriever_id: str | None = None
    cache_hit_rate: float | None = None
    query_summary: str | None = None
    inputs_hash: str | None = None
    error: str | None = None
    key_id: str | None = None


def mode_of(header: ExecutionHeader) -> str:
    """One of MODES, as its retriever has it: what an imported header says of itself may be any word."""
    if header.retriever_id is None:
        return ANONYMOUS
    return PUBLIC if header.mode == PUBLIC else SAVED


@dataclass(frozen=True, slots=True)
class StoredExecution:
    """A header and the encoded record (see executions.record for its format and version).

    inputs: the inputs as JSON text, as the contract shows them.
    """

    header: ExecutionHeader
    inputs: str
    record: bytes


@dataclass(frozen=True, slots=True)
class StageFigures:
    """How one stage of an execution did. outcome: as `StageOutcome` has it.

    received, returned: documents.  was_cached: None where no cache could have answered it.
    """

    stage_name: str
    stage_id: str
    outcome: str
    duration_ms: float
    received: int
    returned: int
    was_cached: bool | None
