"""The audit log: who changed what, with what was there before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from tamis.model.audit import AuditEvent, AuditQuery
from tamis.services.access.audit import AuditService
from tamis.services.access.keys import KeyService
from tamis.services.access.users import UserService
from tamis.studio import fields
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_FIELDS = ("type", "id", "actor", "action", "start", "end")
_MOST_CHANGES = 16
_LONGEST_VALUE = 400
_MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs, by its path. None as text: it was not there, or is not any more."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """actor: whom people know by it.  changes: at most `_MOST_CHANGES`, `left_out` more."""

    event: AuditEvent
    actor: str
    key: str | None
    changes: Sequence[Change]
    left_out: int


async def show(visit: Visit) -> Response:
    principal = await visit.ruling()
    service = visit.service(AuditService)
    page_number = fields.whole(visit.asked("page", "1"), "page", 1, 1_000_000) or 1
    found = await service.page(principal, _query(visit, (page_number - 1) * PAGE_SIZE))
    users = {one.user_id: one.email for one in await visit.service(UserService).list(principal)}
    keys = await visit.service(KeyService).list(principal, include_revoked=True)
    names = {one.key_id: one.name for one in keys}
    asked = {name: visit.asked(name) for name in _FIELDS if visit.asked(name)}
    return visit.page(
        "audit.html",
        entries=[_entry(event, users, names) for event in found.items],
        total=found.total,
        users=users,
        asked=asked,
        settings=await service.settings(principal),
        page_number=page_number,
        newer=_address(asked, page_number - 1) if page_number > 1 else None,
        older=_address(asked, page_number + 1) if found.offset + len(found.items) < found.total else None,
    )


async def change_settings(visit: Visit) -> Response:
    principal = await visit.ruling()
    service = visit.service(AuditService)
    days = fields.whole(visit.field("retention_days"), "retention_days", 1, _MOST_DAYS)
    settings = replace(await service.settings(principal), reads=visit.field("reads") == "yes", retention_days=days)
    await service.change_settings(principal, settings)
    return visit.moved("/settings/audit")


def _query(visit: Visit, offset: int) -> AuditQuery:
    """Raises: BadRequestError naming the part of the address."""
    return AuditQuery(
        resource_type=visit.asked("type") or None,
        resource_id=visit.asked("id") or None,
        actor_id=visit.asked("actor") or None,
        action=visit.asked("action") or None,
        start=fields.moment(visit.asked("start"), "start"),
        end=fields.moment(visit.asked("end"), "end"),
        offset=offset,
        limit=PAGE_SIZE,
    )


def _address(asked: Mapping[str, str], page_number: int) -> str:
    return f"/settings/audit?{urlencode({**asked, 'page': page_number})}"


def _entry(event: AuditEvent, users: Mapping[str, str], keys: Mapping[str, str]) -> Entry:
    changes = list(changes_of(event.changes.get("before"), event.changes.get("after")))
    actor = users.get(event.actor_id, event.actor_id)
    key = keys.get(event.key_id, event.key_id) if event.key_id else None
    return Entry(event, actor, key, changes[:_MOST_CHANGES], max(0, len(changes) - _MOST_CHANGES))


def changes_of(before: Any, after: Any) -> Iterator[Change]:
    """What differs, each value by its path, in the order in which it stands."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for path in dict.fromkeys([*old, *new]):
        if old.get(path) != new.get(path):
            yield Change(path, old.get(path), new.get(path))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{place}")
    elif value is not None and value not in ({}, [], ""):
        yield path, _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(str(one) for one in value)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} …"
