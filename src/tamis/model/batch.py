"""Durable work: batches of objects, the items they fall into, and the tasks that report on them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON


class TaskStatus(StrEnum):
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    SUSPENDED = "SUSPENDED"

    @property
    def is_final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset(
    {TaskStatus.COMPLETED, TaskStatus.COMPLETED_WITH_ERRORS, TaskStatus.FAILED, TaskStatus.CANCELED, TaskStatus.SKIPPED}
)


@dataclass(frozen=True, slots=True)
class Tier:
    """One layer of the collections that a batch feeds: all of these may run once the tier before is done."""

    number: int
    collection_ids: tuple[str, ...]
    source_type: str
    source_collection_ids: tuple[str, ...] = ()
    status: TaskStatus = TaskStatus.PENDING
    task_id: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """keeps_history: the documents it makes are told of it.

    tells_objects: their status says how far it is; not where what is extracted stands beside what they had.
    """

    batch_id: str
    bucket_id: str
    object_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    status: TaskStatus = TaskStatus.DRAFT
    collection_ids: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    current_tier: int | None = None
    task_id: str | None = None
    error: str | None = None
    error_summary: dict[str, int] | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    keeps_history: bool = True
    tells_objects: bool = True

    def tells_objects_of(self, tier: Tier) -> bool:
        return self.tells_objects and tier.number == 0 and tier.source_type == "bucket"


class ItemStatus(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One source to be extracted into one collection, once. source_id: an object's id, or a document's.

    error_type: the contract's ErrorCategory.
    """

    batch_id: str
    collection_id: str
    source_id: str
    tier: int
    status: ItemStatus = ItemStatus.WAITING
    attempts: int = 0
    error: str | None = None
    error_type: str | None = None
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    task_id: str
    type: str
    status: TaskStatus
    created_at: datetime
    updated_at: datetime
    error: str | None = None
    inputs: tuple[JSON, ...] = ()
    outputs: tuple[JSON, ...] = ()
    additional_data: dict[str, JSON] = field(default_factory=dict)
