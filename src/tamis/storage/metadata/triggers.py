"""What begins work by itself, each time that it did, and what batches ask for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.trigger import DueRun, Firing, Trigger, TriggerStatus
from tamis.model.webhook import EventType
from tamis.storage.metadata.audit import Events, SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import INTEGER, due_runs, trigger_firings, triggers

_TRIGGER, _FIRING, _RUN = Codec(Trigger), Codec(Firing), Codec(DueRun)
_LABEL = "trigger"
_t, _f, _r = triggers.c, trigger_firings.c, due_runs.c


def _mine(columns: Any) -> Any:
    return and_(
        columns.organization_id == bindparam("organization_id"), columns.namespace_id == bindparam("namespace_id")
    )


_this = and_(_mine(_t), _t.trigger_id == bindparam("identifier"))
_INSERT = insert(triggers)
_GET = select(_t.body).where(_this)
_LIST = select(_t.body).where(_mine(_t)).order_by(_t.created_at.desc(), _t.trigger_id.desc())
_REPLACE = (
    update(triggers)
    .where(_this)
    .values(status=bindparam("new_status"), due_at=bindparam("new_due_at"), body=bindparam("new_body"))
)
_DELETE = delete(triggers).where(_this)
_limit, _offset = bindparam("limit", type_=INTEGER), bindparam("offset", type_=INTEGER)
_DUE = (
    select(_t.organization_id, _t.namespace_id, _t.body)
    .where(_t.status == bindparam("status"), _t.due_at <= bindparam("now"))
    .order_by(_t.due_at, _t.trigger_id)
    .limit(_limit)
)

_of_trigger = and_(_mine(_f), _f.trigger_id == bindparam("identifier"))
_FIRE = insert(trigger_firings).on_conflict_do_nothing()
_HISTORY = select(_f.body).where(_of_trigger).order_by(_f.moment.desc())
_PAGE = _HISTORY.limit(_limit).offset(_offset)
_COUNT = select(func.count()).select_from(trigger_firings).where(_of_trigger)
_OPEN = (
    select(_f.organization_id, _f.namespace_id, _f.body)
    .where(_f.is_open == 1)
    .order_by(_f.moment, _f.trigger_id)
    .limit(_limit)
)
_SETTLE = (
    update(trigger_firings)
    .where(_of_trigger, _f.moment == bindparam("at"), _f.is_open == 1)
    .values(is_open=0, body=bindparam("new_body"))
)
_FORGET = delete(trigger_firings).where(_of_trigger)
_OLDEST_KEPT = select(_f.moment).where(_of_trigger).order_by(_f.moment.desc()).limit(1).offset(_offset)
_TRIM = _FORGET.where(_f.is_open == 0, _f.moment < bindparam("before"))

_run = and_(_mine(_r), _r.cluster_id == bindparam("identifier"))
_ASK = insert(due_runs).on_conflict_do_nothing()
_POSTPONE = update(due_runs).where(_run).values(due_at=bindparam("new_due_at"), body=bindparam("new_body"))
_DROP = delete(due_runs).where(_run)
_DUE_RUNS = (
    select(_r.organization_id, _r.namespace_id, _r.body)
    .where(_r.due_at <= bindparam("now"))
    .order_by(_r.due_at, _r.cluster_id)
    .limit(_limit)
)


class SqlTriggers:
    def __init__(self, link: Link, audit: SqlAudit, events: Events) -> None:
        self._link = link
        self._audit = audit
        self._events = events

    def insert(self, principal: Principal, trigger: Trigger) -> None:
        values = {
            **scope(principal),
            "trigger_id": trigger.trigger_id,
            "status": trigger.status.value,
            "due_at": _micros(trigger.due_at),
            "created_at": to_micros(trigger.created_at),
            "body": _TRIGGER.encode(trigger),
        }
        self._link.run(_INSERT, values)
        self._changed(principal, None, trigger)

    def get(self, principal: Principal, trigger_id: str) -> Trigger | None:
        body = self._link.value(_GET, _of(principal, trigger_id))
        return None if body is None else _TRIGGER.decode(body)

    def list(self, principal: Principal) -> Sequence[Trigger]:
        return [_TRIGGER.decode(body) for (body,) in self._link.rows(_LIST, scope(principal))]

    def replace(self, principal: Principal, trigger: Trigger) -> None:
        """What it counts and when it looks next is no change of it, and is not audited. Raises: NotFoundError."""
        before = self.get(principal, trigger.trigger_id)
        if before is None:
            raise NotFoundError.of("trigger", trigger.trigger_id)
        state = {
            "new_status": trigger.status.value,
            "new_due_at": _micros(trigger.due_at),
            "new_body": _TRIGGER.encode(trigger),
        }
        self._link.run(_REPLACE, {**_of(principal, trigger.trigger_id), **state})
        if _told(before) != _told(trigger):
            self._changed(principal, before, trigger)

    def delete(self, principal: Principal, trigger_id: str) -> bool:
        before = self.get(principal, trigger_id)
        if before is None:
            return False
        self._link.run(_FORGET, _of(principal, trigger_id))
        self._link.run(_DELETE, _of(principal, trigger_id))
        self._changed(principal, before, None)
        return True

    def due(self, now: datetime, limit: int) -> Sequence[tuple[Principal, Trigger]]:
        bounds = {"status": TriggerStatus.ACTIVE.value, "now": to_micros(now), "limit": limit}
        rows = self._link.rows(_DUE, bounds)
        return [(Principal(organization, namespace), _TRIGGER.decode(body)) for organization, namespace, body in rows]

    def _changed(self, principal: Principal, before: Trigger | None, after: Trigger | None) -> None:
        about = after or before
        assert about is not None  # noqa: S101 - one of them is there
        self._audit.changed(principal, _LABEL, about.trigger_id, before, after)
        data: dict[str, JSON] = {
            "action_type": about.action.value,
            "resource_id": about.resource_id,
            "status": about.status.value,
        }
        self._events.happened(principal, _what(before, after), lambda: {about.trigger_id: data})


class SqlFirings:
    def __init__(self, link: Link, events: Events) -> None:
        self._link = link
        self._events = events

    def insert(self, principal: Principal, firing: Firing) -> None:
        values = {
            **scope(principal),
            "trigger_id": firing.trigger_id,
            "moment": to_micros(firing.moment),
            "is_open": int(not firing.status.is_final),
            "body": _FIRING.encode(firing),
        }
        if self._link.run(_FIRE, values) == 0:
            raise AlreadyExistsError(f"the trigger {firing.trigger_id!r} fired for {firing.moment.isoformat()} already")
        self._happened(principal, EventType.TRIGGER_FIRED, firing)

    def page(self, principal: Principal, trigger_id: str, limit: int, offset: int) -> Page[Firing]:
        bounds = _of(principal, trigger_id)
        rows = self._link.rows(_PAGE, {**bounds, "limit": limit, "offset": offset})
        total = int(self._link.value(_COUNT, bounds))
        return Page([_FIRING.decode(body) for (body,) in rows], total, limit, offset)

    def settle(self, principal: Principal, firing: Firing) -> bool:
        at = {"at": to_micros(firing.moment), "new_body": _FIRING.encode(firing)}
        if self._link.run(_SETTLE, {**_of(principal, firing.trigger_id), **at}) == 0:
            return False
        failed = firing.error is not None
        self._happened(principal, EventType.TRIGGER_FAILED if failed else EventType.TRIGGER_COMPLETED, firing)
        return True

    def open(self, limit: int) -> Sequence[tuple[Principal, Firing]]:
        rows = self._link.rows(_OPEN, {"limit": limit})
        return [(Principal(organization, namespace), _FIRING.decode(body)) for organization, namespace, body in rows]

    def trim(self, principal: Principal, trigger_id: str, kept: int) -> None:
        bounds = _of(principal, trigger_id)
        oldest = self._link.value(_OLDEST_KEPT, {**bounds, "offset": kept - 1})
        if oldest is not None:
            self._link.run(_TRIM, {**bounds, "before": oldest})

    def _happened(self, principal: Principal, event_type: EventType, firing: Firing) -> None:
        data: dict[str, JSON] = {
            "task_id": firing.task_id,
            "due_at": firing.moment.isoformat(),
            "status": firing.status.value,
            "error": firing.error,
        }
        self._events.happened(principal, event_type, lambda: {firing.trigger_id: data})


class SqlDueRuns:
    def __init__(self, link: Link) -> None:
        self._link = link

    def put(self, principal: Principal, run: DueRun) -> None:
        values = {"cluster_id": run.cluster_id, "due_at": to_micros(run.due_at), "body": _RUN.encode(run)}
        self._link.run(_ASK, {**scope(principal), **values})

    def postpone(self, principal: Principal, run: DueRun) -> None:
        values = {"new_due_at": to_micros(run.due_at), "new_body": _RUN.encode(run)}
        self._link.run(_POSTPONE, {**_of(principal, run.cluster_id), **values})

    def delete(self, principal: Principal, cluster_id: str) -> bool:
        return self._link.run(_DROP, _of(principal, cluster_id)) > 0

    def due(self, now: datetime, limit: int) -> Sequence[tuple[Principal, DueRun]]:
        rows = self._link.rows(_DUE_RUNS, {"now": to_micros(now), "limit": limit})
        return [(Principal(organization, namespace), _RUN.decode(body)) for organization, namespace, body in rows]


def _told(trigger: Trigger) -> tuple[Mapping[str, JSON], TriggerStatus, str | None]:
    return trigger.schedule, trigger.status, trigger.description


def _what(before: Trigger | None, after: Trigger | None) -> EventType:
    if before is None:
        return EventType.TRIGGER_CREATED
    if after is None:
        return EventType.TRIGGER_DELETED
    if after.status is before.status:
        return EventType.TRIGGER_UPDATED
    moves = {TriggerStatus.PAUSED: EventType.TRIGGER_PAUSED, TriggerStatus.ACTIVE: EventType.TRIGGER_RESUMED}
    return moves.get(after.status, EventType.TRIGGER_UPDATED)


def _of(principal: Principal, identifier: str) -> dict[str, Any]:
    return {**scope(principal), "identifier": identifier}


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)
