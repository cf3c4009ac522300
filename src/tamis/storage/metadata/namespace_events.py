"""What happened in each namespace, in an order that readers can follow without missing anything.

A reader asks for what came after the last that he saw, so nothing may appear before it later. SQLite has one writer:
the order of writing is the order of commits, and `place` is 0. On PostgreSQL `place` is the transaction's number, and a
reader is given what is of transactions below every one that still runs. `sequence` goes up within a transaction, and,
being the time in microseconds at least, beyond whatever an earlier file of the database had given out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, and_, bindparam, delete, func, insert, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from tamis.model.json import JSON
from tamis.model.namespace_event import MOST_LISTED, NamespaceEvent, Position
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.link import Link, Row, scope
from tamis.storage.metadata.schema import INTEGER, namespace_events

KEPT = 10_000
"""Of each namespace."""
_SPARE = 500
"""How many more there may be until the oldest are forgotten."""


class _number(ColumnElement[int]):  # noqa: N801 - reads as the SQL function that it is
    """Of a transaction on PostgreSQL: `this` one, the `oldest` that still runs, the `next` to come. Else 0, 1 and 1."""

    inherit_cache = True
    type = BigInteger()

    def __init__(self, which: str) -> None:
        self.which = which


@compiles(_number, "sqlite")
def _number_sqlite(element: _number, compiler: SQLCompiler, **options: Any) -> str:
    return "0" if element.which == "this" else "1"


@compiles(_number, "postgresql")
def _number_postgres(element: _number, compiler: SQLCompiler, **options: Any) -> str:
    found = {
        "this": "pg_current_xact_id()",
        "oldest": "pg_snapshot_xmin(pg_current_snapshot())",
        "next": "pg_snapshot_xmax(pg_current_snapshot())",
    }[element.which]
    return f"({found}::text::bigint)"


@dataclass(frozen=True, slots=True)
class _Told:
    """What of an event stands in its row."""

    event_id: str
    at: datetime
    resource_ids: tuple[str, ...]
    count: int
    data: Mapping[str, JSON]


About: TypeAlias = Mapping[str, Mapping[str, JSON]]
"""For each resource, what is said of it."""

_CODEC = Codec(_Told)
_c = namespace_events.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_settled = _c.place < _number("oldest")
_place, _sequence = bindparam("after_place", type_=INTEGER), bindparam("after_sequence", type_=INTEGER)
_beyond = or_(_c.place > _place, and_(_c.place == _place, _c.sequence > _sequence))
_upto = or_(_c.place < _place, and_(_c.place == _place, _c.sequence <= _sequence))
_limit, _offset = bindparam("limit", type_=INTEGER), bindparam("offset", type_=INTEGER)
_NOTE = insert(namespace_events).values(
    {name: bindparam(name) for name in ("organization_id", "namespace_id", "sequence", "event_type", "body")}
    | {"place": _number("this")}
)
_EVENTS = select(_c.place, _c.sequence, _c.event_type, _c.body).where(_mine, _settled)
_AFTER = _EVENTS.where(_beyond).order_by(_c.place, _c.sequence).limit(_limit)
_RECENT = _EVENTS.order_by(_c.place.desc(), _c.sequence.desc()).limit(_limit)
_FROM_NEWEST = select(_c.place, _c.sequence).where(_mine, _settled).order_by(_c.place.desc(), _c.sequence.desc())
_AT = _FROM_NEWEST.limit(1).offset(_offset)
_OLDEST = select(_c.place, _c.sequence).where(_mine, _settled).order_by(_c.place, _c.sequence).limit(1)
_NEXT = select(_number("next"))
_LATEST = select(func.max(_c.sequence)).select_from(namespace_events)
_OVERFULL = (
    select(_c.organization_id, _c.namespace_id)
    .group_by(_c.organization_id, _c.namespace_id)
    .having(func.count() > bindparam("most", type_=INTEGER))
)
_TRIM = delete(namespace_events).where(_mine, _upto)


class SqlNamespaceEvents:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._sequence = 0

    def note(self, principal: Principal, event_id: str, event_type: str, at: datetime, about: About) -> None:
        """In the change's own transaction. Cost: one row, however many resources it is about."""
        only = next(iter(about.values())) if len(about) == 1 else {}
        told = _Told(event_id, at, tuple(about)[:MOST_LISTED], len(about), only)
        values = {**scope(principal), "sequence": self._next(), "event_type": event_type, "body": _CODEC.encode(told)}
        self._link.run(_NOTE, values)

    def after(self, principal: Principal, position: Position, limit: int) -> Sequence[NamespaceEvent]:
        return [_read(row) for row in self._link.rows(_AFTER, {**_bounds(principal, position), "limit": limit})]

    def recent(self, principal: Principal, limit: int) -> Sequence[NamespaceEvent]:
        return [_read(row) for row in self._link.rows(_RECENT, {**scope(principal), "limit": limit})]

    def newest(self, principal: Principal) -> Position:
        return self._at(principal, 0) or Position()

    def reaches(self, principal: Principal, position: Position) -> bool:
        if position > self._frontier() or (position.place == 0 < position.sequence and self._link.backend != "sqlite"):
            return False
        oldest = self._link.row(_OLDEST, scope(principal))
        return oldest is None or position >= Position(*oldest) or self._at(principal, KEPT - 1) is None

    def trim(self) -> int:
        overfull = self._link.rows(_OVERFULL, {"most": KEPT + _SPARE})
        return sum(self.forget(Principal(organization_id, namespace_id)) for organization_id, namespace_id in overfull)

    def forget(self, principal: Principal) -> int:
        newest_gone = self._at(principal, KEPT)
        return 0 if newest_gone is None else self._link.run(_TRIM, _bounds(principal, newest_gone))

    def _at(self, principal: Principal, offset: int) -> Position | None:
        row = self._link.row(_AT, {**scope(principal), "offset": offset})
        return None if row is None else Position(*row)

    def _frontier(self) -> Position:
        """Nothing that this database gave out is beyond it."""
        place = int(self._link.value(_NEXT, {}))
        if self._link.backend == "sqlite":
            return Position(0, max(_now(), int(self._link.value(_LATEST, {}) or 0)))
        return Position(place, 0)

    def _next(self) -> int:
        if not self._sequence and self._link.backend == "sqlite":
            self._sequence = int(self._link.value(_LATEST, {}) or 0)
        self._sequence = max(self._sequence + 1, _now())
        return self._sequence


def _read(row: Row) -> NamespaceEvent:
    place, sequence, event_type, body = row
    told, position = _CODEC.decode(body), Position(place, sequence)
    return NamespaceEvent(position, told.event_id, event_type, told.at, told.resource_ids, told.count, told.data)


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)


def _bounds(principal: Principal, position: Position) -> dict[str, Any]:
    return {**scope(principal), "after_place": position.place, "after_sequence": position.sequence}
