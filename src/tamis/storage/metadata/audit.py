"""The audit log: each change of a resource, noted in the change's own transaction by the store that makes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol, TypeAlias

import msgspec
from sqlalchemy import Select, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.auditing import event_of
from tamis.model.audit import AuditEvent, AuditQuery
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import audit_events

_CODEC = Codec(AuditEvent)
_LONG = 100
_TOLD = frozenset({"collection", "alert"})
_c = audit_events.c
_mine = _c.organization_id == bindparam("organization_id")
_CONDITIONS = {
    "resource_type": _c.resource_type == bindparam("resource_type"),
    "resource_id": _c.resource_id == bindparam("resource_id"),
    "actor_id": _c.actor_id == bindparam("actor_id"),
    "action": _c.action == bindparam("action"),
    "start": _c.at >= bindparam("start"),
    "end": _c.at <= bindparam("end"),
}
_NEVER = frozenset(
    {
        "key_hash",
        "previous_hash",
        "token_key",
        "previous_token_key",
        "password_hash",
        "sealed",
        "updated_at",
        "last_used_at",
    }
)
"""Fields that no event shows: hashes and sealed values, and what says no more than that something changed."""

_INSERT = insert(audit_events)
_GET = select(_c.body).where(_mine, _c.audit_id == bindparam("audit_id"))
_DUE = select(_c.audit_id).where(_mine, _c.at < bindparam("before")).order_by(_c.at, _c.audit_id)
_TRIM = delete(audit_events).where(_mine, _c.audit_id.in_(_DUE.limit(bindparam("limit"))))


About: TypeAlias = Callable[[], Mapping[str, Mapping[str, JSON]]]
"""For each resource, what is said of it."""


class Events(Protocol):
    """Who is told of changes as they are made."""

    def happened(self, principal: Principal, event_type: str, about: About) -> None:
        """about: asked only where somebody listens."""
        ...


class SqlAudit:
    def __init__(self, link: Link, events: Events | None = None) -> None:
        """events: is told of changes that others may listen to."""
        self._link = link
        self._events = events

    def changed(
        self, principal: Principal, resource_type: str, resource_id: str, before: Any, after: Any, action: str = ""
    ) -> None:
        """before, after: the resource, a dataclass; None where there was or is none.

        action: where it says more than that the resource was created, updated or deleted. An update in which nothing
        differs that an event may show is none.
        """
        changes = _changes(before, after)
        if before is not None and after is not None and not changes:
            return
        what = "created" if before is None else "deleted" if after is None else "updated"
        if self._events is not None and resource_type in _TOLD:
            name = (after or before).name
            self._events.happened(principal, f"{resource_type}.{what}", lambda: {resource_id: {"name": name}})
        self.note(principal, [event_of(principal, resource_type, resource_id, action or what, changes)])

    def note(self, principal: Principal, events: Sequence[AuditEvent]) -> None:
        self._link.run_many(_INSERT, [_row(principal, one) for one in events])

    def get(self, principal: Principal, audit_id: str) -> AuditEvent | None:
        body = self._link.value(_GET, {"organization_id": principal.organization_id, "audit_id": audit_id})
        return None if body is None else _CODEC.decode(body)

    def page(self, principal: Principal, query: AuditQuery) -> Page[AuditEvent]:
        """Newest first."""
        given = {name: getattr(query, name) for name in _CONDITIONS if getattr(query, name) is not None}
        shape = tuple(given)
        bounds = {name: to_micros(value) if isinstance(value, datetime) else value for name, value in given.items()}
        bounds["organization_id"] = principal.organization_id
        total = int(self._link.value(count_statement(shape), bounds))
        rows = self._link.rows(page_statement(shape), {**bounds, "limit": query.limit, "offset": query.offset})
        return Page([_CODEC.decode(body) for (body,) in rows], total, query.limit, query.offset)

    def trim(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete the oldest of those from before then, at most `limit`; how many there were."""
        bounds = {"organization_id": principal.organization_id, "before": to_micros(before), "limit": limit}
        return self._link.run(_TRIM, bounds)


@cache
def page_statement(shape: tuple[str, ...]) -> Select[Any]:
    """shape: the conditions that a query has, by name."""
    found = select(_c.body).where(_mine, *(_CONDITIONS[name] for name in shape))
    return found.order_by(_c.at.desc(), _c.audit_id.desc()).limit(bindparam("limit")).offset(bindparam("offset"))


@cache
def count_statement(shape: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(audit_events).where(_mine, *(_CONDITIONS[name] for name in shape))


def _row(principal: Principal, one: AuditEvent) -> dict[str, Any]:
    return {
        "organization_id": principal.organization_id,
        "audit_id": one.audit_id,
        "in_namespace": one.namespace_id,
        "resource_type": one.resource_type,
        "resource_id": one.resource_id,
        "action": one.action,
        "actor_id": one.actor_id,
        "at": to_micros(one.at),
        "body": _CODEC.encode(one),
    }


def _changes(before: Any, after: Any) -> dict[str, JSON]:
    """Of an update the fields that differ, of anything else the whole."""
    old, new = _shown(before), _shown(after)
    if before is not None and after is not None:
        different = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        parts = {name: _parts(old.get(name), new.get(name)) for name in different}
        old, new = ({name: part[side] for name, part in parts.items()} for side in (0, 1))
    found: dict[str, JSON] = {}
    if old:
        found["before"] = old
    if new:
        found["after"] = new
    return found


def _parts(old: Any, new: Any) -> tuple[Any, Any]:
    """Of long lists, as a data set's queries, the items that the other side has not."""
    both_lists = isinstance(old, list | tuple) and isinstance(new, list | tuple)
    if not both_lists or max(len(old), len(new)) <= _LONG:
        return old, new
    a, b = ({msgspec.json.encode(item): item for item in side} for side in (old, new))
    return [item for key, item in a.items() if key not in b], [item for key, item in b.items() if key not in a]


def _shown(resource: Any) -> dict[str, JSON]:
    if not is_dataclass(resource):
        return {}
    names = [field.name for field in fields(resource) if field.name not in _NEVER]
    return {name: msgspec.to_builtins(getattr(resource, name), str_keys=True) for name in names}
