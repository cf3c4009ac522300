"""How many executions there are, from counters that every insert and delete keeps in its own transaction.

Whole days, hours and minutes are added up; the parts of minutes at a window's ends are counted by index. With a second
of executions to a page of the index, counting parts of hours would read a hundred cold pages.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Select, and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from tamis.model.principal import Principal
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import INTEGER, execution_counts, executions

Key: TypeAlias = tuple[str, str, int]
"""(retriever_id, status, started_at) of an execution."""

ALWAYS_S, DAY_S, HOUR_S, MINUTE_S = 0, 86_400, 3_600, 60
MINUTE, HOUR, _DAY = (span_s * 1_000_000 for span_s in (MINUTE_S, HOUR_S, DAY_S))
_SPANS = ((ALWAYS_S, 0), (DAY_S, _DAY), (HOUR_S, HOUR), (MINUTE_S, MINUTE))
_COARSEST = 1
_EARLIEST, _LATEST = -(2**62), 2**62
_SLOTS = 64
_FOLD_ROWS = 200
_GRACE = 2 * _DAY

_c = execution_counts.c
_e = executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_one = and_(
    _mine,
    _c.span_s == bindparam("span_s"),
    _c.retriever_id == bindparam("retriever_id"),
    _c.start_at == bindparam("start_at"),
    _c.status == bindparam("status"),
)


def _upsert(values: Any) -> Insert:
    new = insert(execution_counts).values(values)
    return new.on_conflict_do_update(
        index_elements=list(execution_counts.primary_key), set_={"count": _c["count"] + new.excluded["count"]}
    )


def _row(number: int) -> dict[str, Any]:
    """One of the rows that an insert adds: of its span, the rest as in the others."""
    varying = {name: bindparam(f"{name}_{number}", type_=INTEGER) for name in ("span_s", "start_at")}
    same: dict[str, Any] = {
        name: bindparam(name) for name in ("organization_id", "namespace_id", "retriever_id", "status", "slot", "count")
    }
    return {**same, **varying}


_PUT = _upsert({column.name: bindparam(column.name) for column in execution_counts.columns})
_ADD = _upsert([_row(number) for number in range(len(_SPANS))])
_DROP_ZERO = delete(execution_counts).where(_one, _c.slot == bindparam("slot"), _c["count"] == 0)
_DROP_ALL = delete(execution_counts).where(_one)
_OWNERS = select(_c.retriever_id, func.sum(_c["count"])).where(_mine, _c.span_s == ALWAYS_S).group_by(_c.retriever_id)
_TENANTS = select(_c.organization_id, _c.namespace_id).where(_c.span_s == ALWAYS_S).distinct()
_UNFOLDED = (
    select(_c.retriever_id, _c.start_at, _c.status, func.sum(_c["count"]))
    .where(_mine, _c.span_s == bindparam("span_s"), _c.start_at < bindparam("before"))
    .group_by(_c.retriever_id, _c.start_at, _c.status)
    .having((func.count() > 1) | (func.sum(_c["count"]) == 0))
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """start, end: microseconds since 1970; `end` itself is outside. None is no bound."""

    retriever_id: str
    status: str | None = None
    start: int | None = None
    end: int | None = None


class ExecutionCounts:
    def __init__(self, link: Link) -> None:
        self._link = link
        # One connection runs one transaction at a time: two that count at once never meet in a row.
        self._slot = 0 if link.backend == "sqlite" else link.driver.info.backend_pid % _SLOTS

    def add(self, principal: Principal, key: Key, count: int = 1) -> None:
        """Every span that the key's start lies in."""
        retriever_id, status, started_at = key
        values = {
            **scope(principal),
            "retriever_id": retriever_id,
            "status": status,
            "slot": self._slot,
            "count": count,
        }
        for number, (span_s, span) in enumerate(_SPANS):
            values[f"span_s_{number}"] = span_s
            values[f"start_at_{number}"] = started_at - started_at % span if span else 0
        self._link.run(_ADD, values)

    def remove(self, principal: Principal, keys: list[Key]) -> None:
        """Take those that have been deleted out, span by span; what falls to nothing leaves no row."""
        for span_s, span in _SPANS:
            spans = Counter((retriever, at - at % span if span else 0, status) for retriever, status, at in keys)
            for (retriever, start_at, status), count in sorted(spans.items()):
                named = {**self._named(principal, span_s, retriever, start_at, status), "slot": self._slot}
                self._link.run(_PUT, {**named, "count": -count})
                self._link.run(_DROP_ZERO, named)

    def total(self, principal: Principal, bounds: Bounds) -> int:
        if bounds.start is None and bounds.end is None:
            return self._sum(principal, bounds, ALWAYS_S, 0, 1)
        start = _EARLIEST if bounds.start is None else bounds.start
        end = _LATEST if bounds.end is None else bounds.end
        return self._between(principal, bounds, start, end, _COARSEST)

    def owners(self, principal: Principal) -> Mapping[str, int]:
        """How many executions each retriever has, by its id; '' are the anonymous."""
        return {owner: int(count) for owner, count in self._link.rows(_OWNERS, scope(principal)) if count}

    def tenants(self) -> list[tuple[str, str]]:
        """(organization_id, namespace_id) of all that have counters."""
        return [(organization, namespace) for organization, namespace in self._link.rows(_TENANTS, {})]

    def fold(self, principal: Principal, now: int) -> int:
        """Make one row of the slots of each span that is over, some hundreds at a time; how many spans were folded."""
        if self._link.backend == "sqlite":  # one writer, one slot
            return 0
        folded = 0
        for span_s, _ in _SPANS:
            before = now - _GRACE if span_s else 1
            asked = {**scope(principal), "span_s": span_s, "before": before, "limit": _FOLD_ROWS - folded}
            rows = self._link.rows(_UNFOLDED, asked)
            for retriever_id, start_at, status, count in rows:
                named = self._named(principal, span_s, retriever_id, start_at, status)
                self._link.run(_DROP_ALL, named)
                if count:
                    self._link.run(_PUT, {**named, "slot": self._slot, "count": int(count)})
            folded += len(rows)
        return folded

    def _between(self, principal: Principal, bounds: Bounds, start: int, end: int, level: int) -> int:
        """By spans of this level where whole ones fit, and by finer ones at the ends; by index in the end."""
        if start >= end:
            return 0
        if level == len(_SPANS):
            return self._count(principal, bounds, start, end)
        span_s, span = _SPANS[level]
        first, last = -(-start // span) * span, end // span * span
        if first >= last:
            return self._between(principal, bounds, start, end, level + 1)
        return (
            self._between(principal, bounds, start, first, level + 1)
            + self._sum(principal, bounds, span_s, first, last)
            + self._between(principal, bounds, last, end, level + 1)
        )

    def _sum(self, principal: Principal, bounds: Bounds, span_s: int, first: int, last: int) -> int:
        named = {"span_s": span_s, "first": first, "last": last, **_owner(principal, bounds)}
        return int(self._link.value(_sums(bounds.status is not None), named) or 0)

    def _count(self, principal: Principal, bounds: Bounds, start: int, end: int) -> int:
        if start >= end or start == _EARLIEST or end == _LATEST:
            return 0
        named = {"start": start, "end": end, **_owner(principal, bounds)}
        return int(self._link.value(edge(bounds.status is not None), named))

    @staticmethod
    def _named(principal: Principal, span_s: int, retriever_id: str, start_at: int, status: str) -> dict[str, Any]:
        return {
            **scope(principal), "span_s": span_s, "retriever_id": retriever_id, "start_at": start_at, "status": status,
        }  # fmt: skip


def _owner(principal: Principal, bounds: Bounds) -> dict[str, Any]:
    named = {**scope(principal), "retriever_id": bounds.retriever_id}
    return named if bounds.status is None else {**named, "status": bounds.status}


@cache
def _sums(status: bool) -> Select[Any]:
    statement = select(func.sum(_c["count"])).where(
        _mine,
        _c.span_s == bindparam("span_s"),
        _c.retriever_id == bindparam("retriever_id"),
        _c.start_at >= bindparam("first"),
        _c.start_at < bindparam("last"),
    )
    return statement.where(_c.status == bindparam("status")) if status else statement


@cache
def edge(status: bool) -> Select[Any]:
    """Counts executions themselves, within an index."""
    statement = select(func.count()).where(
        _e.organization_id == bindparam("organization_id"),
        _e.namespace_id == bindparam("namespace_id"),
        _e.retriever_id == bindparam("retriever_id"),
        _e.started_at >= bindparam("start"),
        _e.started_at < bindparam("end"),
    )
    return statement.where(_e.status == bindparam("status")) if status else statement
