"""Who is told when something happens, what happened, and how the telling went."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON


class EventType(StrEnum):
    """What this version tells of; the contract names more, of what is not built."""

    OBJECT_CREATED = "object.created"
    OBJECT_UPDATED = "object.updated"
    OBJECT_DELETED = "object.deleted"
    COLLECTION_CREATED = "collection.created"
    COLLECTION_UPDATED = "collection.updated"
    COLLECTION_DELETED = "collection.deleted"
    DOCUMENTS_WRITTEN = "collection.documents.written"
    TRIGGER_CREATED = "trigger.created"
    TRIGGER_UPDATED = "trigger.updated"
    TRIGGER_DELETED = "trigger.deleted"
    TRIGGER_PAUSED = "trigger.paused"
    TRIGGER_RESUMED = "trigger.resumed"
    TRIGGER_FIRED = "trigger.fired"
    TRIGGER_COMPLETED = "trigger.execution.completed"
    TRIGGER_FAILED = "trigger.execution.failed"
    ALERT_CREATED = "alert.created"
    ALERT_UPDATED = "alert.updated"
    ALERT_DELETED = "alert.deleted"
    ALERT_TRIGGERED = "alert.triggered"
    ALERT_COMPLETED = "alert.execution.completed"
    ALERT_FAILED = "alert.execution.failed"


@dataclass(frozen=True, slots=True)
class Target:
    """headers: sent beside ours; references to secrets (`{{SECRET.name}}`) are filled in when they are sent."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """event_types: of `EventType`, or of the contract's others, of which nothing comes yet."""

    webhook_id: str
    name: str
    event_types: tuple[str, ...]
    targets: tuple[Target, ...]
    created_at: datetime
    updated_at: datetime
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """event_id: the same in every telling, to know one told twice by.  resource_id: events of one keep their order."""

    event_id: str
    event_type: str
    at: datetime
    namespace_id: str
    resource_id: str
    data: Mapping[str, JSON]


class DeliveryStatus(StrEnum):
    """FAILED: tried as often as it is; it waits for a replay."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to one target. attempts: so far.  answered: the last HTTP status, where there was one."""

    delivery_id: str
    webhook_id: str
    target: int
    event: Event
    due_at: datetime
    status: DeliveryStatus = DeliveryStatus.WAITING
    attempts: int = 0
    answered: int | None = None
    error: str | None = None
    ended_at: datetime | None = None


def new_webhook_id() -> str:
    """As the contract shapes it: ten letters and digits, 40 bits of chance."""
    return f"wh_{secrets.token_hex(5)}"
