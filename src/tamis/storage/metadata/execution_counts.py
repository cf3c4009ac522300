"""How many executions there are, from counters that every insert and delete keeps in its own transaction.

Whole days, hours and minutes are added up; the parts of minutes at a window's ends are counted by index. With a second
of executions to a page of the index, counting parts of hours would read a hundred cold pages.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Select, and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from tamis.model.execution import mode_of
from tamis.model.principal import Principal
from tamis.storage.metadata.counted_execution import CountedExecution
from tamis.storage.metadata.execution_rows import HEADERS
from tamis.storage.metadata.execution_steps import ExecutionSteps
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import INTEGER, execution_counts, executions
from tamis.storage.metadata.spans import ALWAYS_S, DAY, MICROS, MINUTE_S, SPANS, start_of

_Sums: TypeAlias = dict[tuple[Any, ...], list[int]]

SUMS = ("count", "micro_credits", "cacheable", "cache_micros")
_COARSEST = 1
_EARLIEST, _LATEST = -(2**62), 2**62
_SLOTS = 64
_FOLD_ROWS = 200
_GRACE = 2 * DAY

_c = execution_counts.c
_e = executions.c
_KEY = [column.name for column in execution_counts.primary_key]
_WHOSE = _KEY[:-1]
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_sums_of = [func.sum(_c[name]) for name in SUMS]


def _upsert(values: Any) -> Insert:
    new = insert(execution_counts).values(values)
    return new.on_conflict_do_update(
        index_elements=list(execution_counts.primary_key), set_={name: _c[name] + new.excluded[name] for name in SUMS}
    )


def _row(number: int) -> dict[str, Any]:
    """One of the rows that an insert adds: of its span, the rest as in the others."""
    varying = ("span_s", "start_at")
    return {
        column.name: bindparam(f"{column.name}_{number}", type_=INTEGER)
        if column.name in varying
        else bindparam(column.name)
        for column in execution_counts.columns
    }


_PUT = _upsert({column.name: bindparam(column.name) for column in execution_counts.columns})
_ADD = _upsert([_row(number) for number in range(len(SPANS))])
# Of a slot that counted one and took another of its kind out, the count is 0 and the sums are still something.
_DROP_ZERO = delete(execution_counts).where(
    and_(*(_c[name] == bindparam(name) for name in _KEY)), *(_c[name] == 0 for name in SUMS)
)
_DROP_ALL = delete(execution_counts).where(*(_c[name] == bindparam(name) for name in _WHOSE))
_OWNERS = select(_c.retriever_id, func.sum(_c["count"])).where(_mine, _c.span_s == ALWAYS_S).group_by(_c.retriever_id)
_TENANTS = select(_c.organization_id, _c.namespace_id).where(_c.span_s == ALWAYS_S).distinct()
_UNFOLDED = (
    select(*(_c[name] for name in _WHOSE), *_sums_of)
    .where(_mine, _c.span_s == bindparam("span_s"), _c.start_at < bindparam("before"))
    .group_by(*(_c[name] for name in _WHOSE))
    .having((func.count() > 1) | and_(*(one == 0 for one in _sums_of)))
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """start, end: microseconds since 1970; `end` itself is outside. None is no bound."""

    retriever_id: str
    status: str | None = None
    start: int | None = None
    end: int | None = None
    mode: str | None = None

    def named(self, principal: Principal) -> dict[str, Any]:
        """The parameters of what is asked within them."""
        named = {**scope(principal), "retriever_id": self.retriever_id}
        named |= {} if self.status is None else {"status": self.status}
        return named if self.mode is None else {**named, "mode": self.mode}


class ExecutionCounts:
    def __init__(self, link: Link) -> None:
        self._link = link
        # One connection runs one transaction at a time: two that count at once never meet in a row.
        self._slot = 0 if link.backend == "sqlite" else link.driver.info.backend_pid % _SLOTS
        self._steps = ExecutionSteps(link, self._slot)

    def add(self, executions: Sequence[CountedExecution]) -> None:
        """Every span that their starts lie in."""
        for key, sums in sorted(summed(executions, MINUTE_S, 1).items()):
            named = self._named(MINUTE_S, key, sums)
            for number, span_s in enumerate(SPANS):
                named[f"span_s_{number}"] = span_s
                named[f"start_at_{number}"] = start_of(named["start_at"], span_s)
            self._link.run(_ADD, named)
        self._steps.add(executions)

    def remove(self, executions: Sequence[CountedExecution]) -> None:
        """Take those that have been deleted out, span by span; what falls to nothing leaves no row."""
        for span_s in SPANS:
            rows = [self._named(span_s, *one) for one in sorted(summed(executions, span_s, -1).items())]
            self._link.run_many(_PUT, rows)
            self._link.run_many(_DROP_ZERO, rows)
        self._steps.remove(executions)

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
        for span_s in SPANS:
            before = now - _GRACE if span_s else 1
            asked = {**scope(principal), "span_s": span_s, "before": before, "limit": _FOLD_ROWS - folded}
            rows = self._link.rows(_UNFOLDED, asked)
            for row in rows:
                named = dict(zip((*_WHOSE, *SUMS), row, strict=True))
                self._link.run(_DROP_ALL, named)
                if any(named[name] for name in SUMS):
                    self._link.run(_PUT, {**named, "slot": self._slot})
            folded += len(rows)
            folded += self._steps.fold(principal, span_s, before, _FOLD_ROWS - folded)
        return folded

    def _between(self, principal: Principal, bounds: Bounds, start: int, end: int, level: int) -> int:
        """By spans of this level where whole ones fit, and by finer ones at the ends; by index in the end."""
        if start >= end:
            return 0
        if level == len(SPANS):
            return self._count(principal, bounds, start, end)
        span_s = SPANS[level]
        span = span_s * MICROS
        first, last = -(-start // span) * span, end // span * span
        if first >= last:
            return self._between(principal, bounds, start, end, level + 1)
        return (
            self._between(principal, bounds, start, first, level + 1)
            + self._sum(principal, bounds, span_s, first, last)
            + self._between(principal, bounds, last, end, level + 1)
        )

    def _sum(self, principal: Principal, bounds: Bounds, span_s: int, first: int, last: int) -> int:
        named = {"span_s": span_s, "first": first, "last": last, **bounds.named(principal)}
        return int(self._link.value(sums(bounds.status is not None, bounds.mode is not None), named) or 0)

    def _count(self, principal: Principal, bounds: Bounds, start: int, end: int) -> int:
        if start >= end or start == _EARLIEST or end == _LATEST:
            return 0
        named = {"start": start, "end": end, **bounds.named(principal)}
        if bounds.mode is None:
            return int(self._link.value(edge(bounds.status is not None), named))
        headers = self._link.rows(headers_at_edge(bounds.status is not None), named)
        return sum(mode_of(HEADERS.decode(header)) == bounds.mode for (header,) in headers)

    def _named(self, span_s: int, key: tuple[Any, ...], values: Iterable[int]) -> dict[str, Any]:
        named = {"span_s": span_s, **dict(zip(_WHOSE[1:], key, strict=True)), "slot": self._slot}
        return {**named, **dict(zip(SUMS, values, strict=True))}


def summed(executions: Sequence[CountedExecution], span_s: int, sign: int) -> _Sums:
    """`SUMS` by key: the columns of the table's between span and slot."""
    found: _Sums = defaultdict(lambda: [0] * len(SUMS))
    for one in executions:
        tenant = one.principal.organization_id, one.principal.namespace_id
        total = found[*tenant, one.retriever_id, start_of(one.started_at, span_s), one.status, one.mode]
        for place, value in enumerate((1, *one.sums)):
            total[place] += sign * value
    return found


@cache
def sums(status: bool, mode: bool) -> Select[Any]:
    statement = select(func.sum(_c["count"])).where(
        _mine,
        _c.span_s == bindparam("span_s"),
        _c.retriever_id == bindparam("retriever_id"),
        _c.start_at >= bindparam("first"),
        _c.start_at < bindparam("last"),
    )
    statement = statement.where(_c.status == bindparam("status")) if status else statement
    return statement.where(_c.mode == bindparam("mode")) if mode else statement


@cache
def edge(status: bool) -> Select[Any]:
    """Counts executions themselves, within an index."""
    return headers_at_edge(status).with_only_columns(func.count())


@cache
def headers_at_edge(status: bool) -> Select[Any]:
    """A mode stands in the header alone; there are as many of them as begin in a minute."""
    statement = select(_e.header).where(
        _e.organization_id == bindparam("organization_id"),
        _e.namespace_id == bindparam("namespace_id"),
        _e.retriever_id == bindparam("retriever_id"),
        _e.started_at >= bindparam("start"),
        _e.started_at < bindparam("end"),
    )
    return statement.where(_e.status == bindparam("status")) if status else statement
