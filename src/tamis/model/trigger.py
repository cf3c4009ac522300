"""What begins work by itself: the hour, an interval, new documents, or a condition; and each time that it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.batch import TaskStatus
from tamis.model.json import JSON


class Action(StrEnum):
    """What a trigger begins: a run of a cluster, a taxonomy over a collection, a collection over its sources."""

    CLUSTER = "cluster"
    TAXONOMY = "taxonomy_enrichment"
    COLLECTION = "collection_trigger"


class TriggerType(StrEnum):
    CRON = "cron"
    INTERVAL = "interval"
    EVENT = "event"
    CONDITIONAL = "conditional"


class TriggerStatus(StrEnum):
    """FAILED: what it began failed so often that it was stopped."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trigger:
    """resource_id: of what the action is done with.  config: the action's own, as it was sent.

    schedule: by the type, as it was sent.  due_at: when it fires or is looked at next.
    since: from when on new documents count.  counted: how many there were at the last look.
    measured: what the condition came to then.  collection_ids: that it looks at.
    """

    trigger_id: str
    action: Action
    resource_id: str
    type: TriggerType
    schedule: Mapping[str, JSON]
    collection_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    status: TriggerStatus = TriggerStatus.ACTIVE
    due_at: datetime | None = None
    since: datetime | None = None
    counted: int = 0
    measured: float | None = None
    last_fired_at: datetime | None = None
    last_task_id: str | None = None
    last_status: str | None = None
    last_error: str | None = None
    fired: int = 0
    failures: int = 0
    description: str | None = None
    created_by: str = ""
    config: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Firing:
    """One time that a trigger began its work.

    moment: for when it was due; a trigger fires once for each.  status, error: of the task, once it has ended.
    """

    trigger_id: str
    moment: datetime
    task_id: str
    fired_at: datetime
    status: TaskStatus = TaskStatus.PENDING
    error: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run of a cluster that a batch asked for. There is one of a cluster at most: later batches wait with the first.

    due_at: not before.  least: documents that its collections must have by then.
    """

    cluster_id: str
    collection_id: str
    due_at: datetime
    cooldown_s: int
    least: int | None = None
