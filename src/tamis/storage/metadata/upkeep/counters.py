"""Counters of executions, held against the executions themselves, a day of a retriever's at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, and_, delete, func, insert, select
from sqlalchemy.sql.elements import ColumnElement

from tamis.errors import StorageError
from tamis.model.fault import Fault
from tamis.model.principal import Principal
from tamis.storage.metadata.counted_execution import CountedExecution, counted, uncounted
from tamis.storage.metadata.execution_counts import SUMS, summed
from tamis.storage.metadata.execution_rows import readable
from tamis.storage.metadata.execution_steps import Steps, packed_steps, read_steps, steps_of
from tamis.storage.metadata.mode_counts import COUNTS_LEFT
from tamis.storage.metadata.schema import execution_counts, execution_steps, executions
from tamis.storage.metadata.spans import ALWAYS_S, DAY, DAY_S, MICROS, SPANS, start_of

_ROWS = 5_000
_e = executions.c
_OWNER = ("organization_id", "namespace_id", "retriever_id")
_COUNT_KEY = ("span_s", "start_at", "status", "mode")
_STEP_KEY = ("span_s", "start_at", "mode")

_Owner: TypeAlias = tuple[str, str, str]
_Key: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class _Counters:
    """What executions come to, or what counters say, by key. Rows of nothing are no rows.

    counts: the sums.  steps: None where they cannot be read.
    """

    counts: dict[_Key, tuple[int, ...]] = field(default_factory=dict)
    steps: dict[_Key, Steps | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """Of one owner's counters those of a day, or without one those of all time."""

    owner: _Owner
    day: int | None

    def rows(self, table: Table) -> ColumnElement[bool]:
        c = table.c
        mine = and_(*(c[name] == value for name, value in zip(_OWNER, self.owner, strict=True)))
        if self.day is None:
            return and_(mine, c.span_s == ALWAYS_S)
        return and_(mine, c.span_s != ALWAYS_S, c.start_at >= self.day, c.start_at < self.day + DAY)


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    for part, told, right in _differences(connection):
        organization_id, namespace_id, retriever_id = part.owner
        where = f"{organization_id}/{namespace_id}: {retriever_id or 'anonymous executions'}"
        for key in sorted({*told.counts, *right.counts}):
            said, true = told.counts.get(key), right.counts.get(key)
            if said != true:
                problem = f"the counter says {_shown(said)}, there are {_shown(true)} {_kind(key)}"
                yield Fault("execution_count", where, problem, is_derived=True)
        for key in sorted({*told.steps, *right.steps}):
            if told.steps.get(key) != right.steps.get(key):
                problem = f"the counter of durations says something else than those {_kind(key)}"
                yield Fault("execution_count", where, problem, is_derived=True)


def mend(connection: Connection) -> None:
    for part, told, right in _differences(connection):
        owner = {**dict(zip(_OWNER, part.owner, strict=True)), "slot": 0}
        if told.counts != right.counts:
            rows = [_named((*_COUNT_KEY, *SUMS), (*key, *sums)) for key, sums in right.counts.items()]
            _rewrite(connection, part, execution_counts, [{**owner, **row} for row in rows])
        if told.steps != right.steps:
            every = ((key, packed_steps([steps or {}])) for key, steps in right.steps.items())
            rows = [_named((*_STEP_KEY, "steps"), (*key, packed)) for key, packed in every]
            _rewrite(connection, part, execution_steps, [{**owner, **row} for row in rows])


def _named(names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))


def _rewrite(connection: Connection, part: _Part, table: Table, rows: list[dict[str, Any]]) -> None:
    connection.execute(delete(table).where(part.rows(table)))
    if rows:
        connection.execute(insert(table), rows)


def _differences(connection: Connection) -> Iterator[tuple[_Part, _Counters, _Counters]]:
    """(which, what the counters say, what is right), where they are not the same."""
    for owner in _owners(connection):
        always: Counter[_Key] = Counter()
        whole = _Counters()
        seen = set()
        for day, found in groupby(_executions(connection, owner), lambda one: start_of(one.started_at, DAY_S)):
            seen.add(day)
            right = _counted(found)
            for key, values in right.counts.items():
                if key[0] == DAY_S:
                    always.update({(ALWAYS_S, 0, *key[2:], place): value for place, value in enumerate(values)})
            yield from _compared(connection, _Part(owner, day), right)
        for day in _days(connection, owner) - seen:
            yield from _compared(connection, _Part(owner, day), _Counters())
        for kind in {key[:-1] for key in always}:
            whole.counts[kind] = tuple(always[*kind, place] for place in range(len(SUMS)))
        yield from _compared(connection, _Part(owner, None), whole)


def _compared(connection: Connection, part: _Part, right: _Counters) -> Iterator[tuple[_Part, _Counters, _Counters]]:
    told = _told(connection, part)
    if told != right:
        yield part, told, right


def _told(connection: Connection, part: _Part) -> _Counters:
    found = _Counters()
    c, s = execution_counts.c, execution_steps.c
    key = [c[name] for name in _COUNT_KEY]
    sums = [func.sum(c[name]) for name in SUMS]
    for row in connection.execute(select(*key, *sums).where(part.rows(execution_counts)).group_by(*key)):
        values = tuple(map(int, row[len(key) :]))
        if any(values):
            found.counts[tuple(row[: len(key)])] = values
    slots: defaultdict[_Key, list[bytes]] = defaultdict(list)
    for *of, packed in connection.execute(
        select(*(s[name] for name in _STEP_KEY), s.steps).where(part.rows(execution_steps))
    ):
        slots[tuple(of)].append(bytes(packed))
    every = ((of, _together(each)) for of, each in slots.items())
    found.steps = {of: steps for of, steps in every if steps != {}}
    return found


def _together(packed: list[bytes]) -> Steps | None:
    try:
        return read_steps(packed_steps(map(read_steps, packed)))
    except StorageError:
        return None


def _counted(found: Iterable[CountedExecution]) -> _Counters:
    sums: Counter[_Key] = Counter()
    durations: defaultdict[_Key, Counter[int]] = defaultdict(Counter)
    each = iter(found)
    while some := list(islice(each, _ROWS)):
        for span_s in SPANS[1:]:
            for (_, _, _, start_at, status, mode), values in summed(some, span_s, 1).items():
                sums.update({(span_s, start_at, status, mode, place): value for place, value in enumerate(values)})
            for (whose, start_at), counts in steps_of(some, span_s).items():
                durations[span_s, start_at, whose.mode].update(counts)
    kinds = {key[:-1] for key in sums}
    return _Counters(
        {kind: tuple(sums[*kind, place] for place in range(len(SUMS))) for kind in kinds},
        {kind: dict(steps) for kind, steps in durations.items()},
    )


def _executions(connection: Connection, owner: _Owner) -> Iterator[CountedExecution]:
    """The oldest first, each as it is to be counted: by its mode, unless that is left to do for the server."""
    left = connection.execute(COUNTS_LEFT.read).first()
    principal = Principal(owner[0], owner[1])
    mine = and_(*(_e[name] == value for name, value in zip(_OWNER, owner, strict=True)))
    rows = select(_e.execution_id, _e.status, _e.started_at, _e.header).where(mine).order_by(_e.started_at)
    for execution_id, status, at, body in connection.execute(rows, execution_options={"yield_per": _ROWS}):
        header = readable(body)
        if header is None:
            yield CountedExecution(principal, owner[2], status, at)
        elif left is not None and at < left[0] and (*owner[:2], execution_id) > tuple(left[1:]):
            yield uncounted(principal, header)
        else:
            yield counted(principal, header)


def _owners(connection: Connection) -> list[_Owner]:
    every = [
        connection.execute(select(*(table.c[name] for name in _OWNER)).distinct())
        for table in (executions, execution_counts, execution_steps)
    ]
    return sorted({(row[0], row[1], row[2]) for rows in every for row in rows})


def _days(connection: Connection, owner: _Owner) -> set[int]:
    """Those that counters tell of."""
    found = set()
    for table in (execution_counts, execution_steps):
        c = table.c
        mine = and_(*(c[name] == value for name, value in zip(_OWNER, owner, strict=True)))
        starts = select(c.start_at - c.start_at % DAY).where(mine, c.span_s != ALWAYS_S).distinct()
        found |= {int(day) for (day,) in connection.execute(starts)}
    return found


def _kind(key: _Key) -> str:
    span_s, start_at, *kind = key
    when = (
        f"in the {span_s} s from {datetime.fromtimestamp(start_at / MICROS, UTC):%Y-%m-%dT%H:%M:%SZ}"
        if span_s
        else "in all"
    )
    return f"{' '.join(kind)} {when}"


def _shown(values: tuple[int, ...] | None) -> str:
    count, *sums = values or (0,)
    named: Mapping[str, int] = dict(zip(SUMS[1:], sums, strict=False))
    more = ", ".join(f"{name} {value}" for name, value in named.items() if value)
    return f"{count} ({more})" if more else str(count)
