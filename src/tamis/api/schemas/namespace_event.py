"""The wire form of what happens in a namespace."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.model.namespace_event import NamespaceEvent, Position
from tamis.services.data.event_following import Closed, Opened

OPEN, GAP, CLOSED = "stream.open", "stream.gap", "stream.closed"


class NamespaceEventModel(BaseModel):
    """One `data:` of the stream; its `id:`, which `id` repeats, is what to send to go on after it.

    event_id: the same however often an event is told, also to webhooks; null for what concerns the stream itself, which
    is `stream.open` (first), `stream.gap` (instead, where events after the given id are not all kept: those that are
    follow) and `stream.closed` (last, with its `reason`).
    resource_ids: what the event is about, 100 at most; `count` says how many there were.  data: of the one, where it is
    one.
    """

    at: datetime | None
    count: int = Field(..., ge=0)
    data: dict[str, Any]
    event_id: str | None
    event_type: str
    id: str | None
    reason: str | None = None
    resource_ids: list[str]


def namespace_event(step: Opened | NamespaceEvent | Closed) -> NamespaceEventModel:
    if isinstance(step, NamespaceEvent):
        return NamespaceEventModel(
            at=step.at,
            count=step.count,
            data=dict(step.data),
            event_id=step.event_id,
            event_type=step.event_type,
            id=str(step.position),
            resource_ids=list(step.resource_ids),
        )
    if isinstance(step, Closed):
        return _of_stream(CLOSED, None, step.reason)
    if step.is_gap:
        return _of_stream(
            GAP, step.position, "not all events after the given id are kept any more; here are those that are"
        )
    return _of_stream(OPEN, step.position)


def _of_stream(event_type: str, position: Position | None, reason: str | None = None) -> NamespaceEventModel:
    return NamespaceEventModel(
        at=None,
        count=0,
        data={},
        event_id=None,
        event_type=event_type,
        id=None if position is None else str(position),
        reason=reason,
        resource_ids=[],
    )
