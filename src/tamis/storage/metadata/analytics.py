"""Figures of executions read back: sums over hours, in the database."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, select
from sqlalchemy.sql.elements import ColumnElement

from tamis.model.execution import ExecutionHeader
from tamis.model.figures import WHOLE, Figures, Tally
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import from_micros, to_micros
from tamis.storage.metadata.execution_figures import FIGURES_LEFT, HOUR, KEY, SUMS, ExecutionFigures
from tamis.storage.metadata.execution_rows import HEADERS
from tamis.storage.metadata.left_to_count import LeftToCount
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import INTEGER, execution_figures, executions
from tamis.storage.metadata.slow_executions import LISTED, SlowExecutions

_FOLD_ROWS = 200

_c = execution_figures.c
_e = executions.c
_mine = and_(*(_c[name] == bindparam(name) for name in ("organization_id", "namespace_id", "retriever_id")))
_between = and_(_mine, _c.place == bindparam("place"), _c.hour >= bindparam("first"), _c.hour < bindparam("end"))
_sums = [func.sum(_c[name]) for name in SUMS]
_count = func.sum(_c.executions)
# The first of January 1970 is a Thursday: three days behind the Monday that its week begins with.
_SINCE_MONDAY = 72
_time = (_c.hour + _SINCE_MONDAY) // bindparam("hours", type_=INTEGER)


def _grouped(*columns: ColumnElement[Any], sums: Sequence[ColumnElement[Any]]) -> Select[Any]:
    return select(*columns, *sums).where(_between).group_by(*columns).having(_count != 0)


_BY_TIME = _grouped(_time, _c.outcome, _c.cached, sums=_sums)
_STEPS_BY_TIME = _grouped(_time, _c.step, sums=[_count])
_BY_STAGE = _grouped(_c.stage_name, _c.stage_id, _c.outcome, _c.cached, sums=_sums)
_STEPS_BY_STAGE = _grouped(_c.stage_name, _c.stage_id, _c.step, sums=[_count])
_HOURS = _grouped(_c.hour, sums=[_count])
_SEEN = (
    select(_c.stage_name, _c.stage_id, func.min(_c.hour), func.max(_c.hour))
    .where(_mine, _c.place > WHOLE, _c.hour >= bindparam("first"), _c.hour < bindparam("end"), _c.executions > 0)
    .group_by(_c.stage_name, _c.stage_id)
)
_LAST_PLACE = select(func.max(_c.place)).where(_mine)
_HEADERS = select(_e.header).where(
    _e.organization_id == bindparam("organization_id"),
    _e.namespace_id == bindparam("namespace_id"),
    one_of(_e.execution_id, "ids"),
)
_OF_HOUR = select(_e.header).where(
    _e.organization_id == bindparam("organization_id"),
    _e.namespace_id == bindparam("namespace_id"),
    _e.retriever_id == bindparam("retriever_id"),
    _e.started_at >= bindparam("start"),
    _e.started_at < bindparam("before"),
)
_WHOSE = KEY[:-1]
_UNFOLDED = (
    select(*(_c[name] for name in _WHOSE), *_sums)
    .where(_c.hour < bindparam("before"))
    .group_by(*(_c[name] for name in _WHOSE))
    .having((func.count() > 1) | (func.sum(_c.executions) == 0))
    .limit(_FOLD_ROWS)
)
_DROP = delete(execution_figures).where(*(_c[name] == bindparam(name) for name in _WHOSE))
_PUT = execution_figures.insert()


class _Gathered:
    def __init__(self) -> None:
        self.figures: list[Figures] = []
        self.steps: Counter[int] = Counter()

    def tally(self) -> Tally:
        return Tally(self.figures, self.steps)


class SqlAnalytics:
    def __init__(self, link: Link, settle: Callable[[], None]) -> None:
        """settle: called before figures are read, so that nothing waits to be counted."""
        self._link = link
        self._settle = settle
        self._figures = ExecutionFigures(link)
        self._left = LeftToCount(link, FIGURES_LEFT)
        self._slow = SlowExecutions(link)

    def executions(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime, hours: int = 1
    ) -> Mapping[datetime, Tally]:
        self._settle()
        asked = {**_bounds(principal, retriever_id, start, end), "place": WHOLE, "hours": hours}
        groups: defaultdict[int, _Gathered] = defaultdict(_Gathered)
        for time, *row in self._link.rows(_BY_TIME, asked):
            groups[time].figures.append(_figures(WHOLE, row))
        for time, step, count in self._link.rows(_STEPS_BY_TIME, asked):
            groups[time].steps[step] += int(count)
        return {from_micros((time * hours - _SINCE_MONDAY) * HOUR): groups[time].tally() for time in sorted(groups)}

    def stages(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime
    ) -> Mapping[tuple[str, str], Tally]:
        self._settle()
        bounds = _bounds(principal, retriever_id, start, end)
        stages: defaultdict[tuple[str, str], _Gathered] = defaultdict(_Gathered)
        for place in range(WHOLE + 1, (self._link.value(_LAST_PLACE, bounds) or WHOLE) + 1):
            for name, stage_id, *row in self._link.rows(_BY_STAGE, {**bounds, "place": place}):
                stages[name, stage_id].figures.append(_figures(place, row))
            for name, stage_id, step, count in self._link.rows(_STEPS_BY_STAGE, {**bounds, "place": place}):
                stages[name, stage_id].steps[step] += int(count)
        return {key: gathered.tally() for key, gathered in stages.items()}

    def seen(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime
    ) -> Mapping[tuple[str, str], tuple[datetime, datetime]]:
        self._settle()
        rows = self._link.rows(_SEEN, _bounds(principal, retriever_id, start, end))
        return {(name, one): (from_micros(first * HOUR), from_micros(last * HOUR)) for name, one, first, last in rows}

    def slowest(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime, limit: int
    ) -> Sequence[ExecutionHeader]:
        self._settle()
        bounds = _bounds(principal, retriever_id, start, end)
        ids = [execution_id for _, execution_id in self._slow.slowest(bounds, limit)]
        found = self._link.rows(_HEADERS, {**scope(principal), "ids": self._link.array(ids)})
        headers = {one.execution_id: one for one in (HEADERS.decode(header) for (header,) in found)}
        for hour in self._short(bounds, limit):
            headers.update((one.execution_id, one) for one in self._of_hour(bounds, hour, limit))
        return heapq.nsmallest(limit, headers.values(), key=lambda one: (-one.duration_ms, one.execution_id))

    def is_whole(self) -> bool:
        return self._left.is_whole()

    def count_older(self, limit: int) -> bool:
        self._settle()
        return self._figures.count_older(limit)

    def fold(self, before: datetime) -> int:
        if self._link.backend == "sqlite":  # one writer, one slot
            return 0
        rows = self._link.rows(_UNFOLDED, {"before": to_micros(before) // HOUR})
        for row in rows:
            named = dict(zip((*_WHOSE, *SUMS), (*row[: len(_WHOSE)], *map(int, row[len(_WHOSE) :])), strict=True))
            self._link.run(_DROP, named)
            if named["executions"]:
                self._link.run(_PUT, {**named, "slot": 0})
        return len(rows)

    def _short(self, bounds: dict[str, Any], limit: int) -> list[int]:
        """Hours of which so many were deleted that what is still listed may not be all that is asked for."""
        listed = self._slow.counts(bounds)
        hours = self._link.rows(_HOURS, {**bounds, "place": WHOLE})
        return [hour for hour, count in hours if listed.get(hour, 0) < min(limit, LISTED, int(count))]

    def _of_hour(self, bounds: dict[str, Any], hour: int, limit: int) -> list[ExecutionHeader]:
        rows = self._link.rows(_OF_HOUR, {**bounds, "start": hour * HOUR, "before": (hour + 1) * HOUR})
        headers = (HEADERS.decode(header) for (header,) in rows)
        return heapq.nlargest(limit, headers, key=lambda one: one.duration_ms)


def _bounds(principal: Principal, retriever_id: str, start: datetime, end: datetime) -> dict[str, Any]:
    first, last = (to_micros(at) // HOUR for at in (start, end))
    # Retriever "" would be the anonymous executions, of which there are no figures.
    return {**scope(principal), "retriever_id": retriever_id, "first": first, "end": last}


def _figures(place: int, row: Sequence[Any]) -> Figures:
    outcome, cached, *sums = row
    was_cached = None if cached < 0 else cached == 1
    return Figures(place, outcome, was_cached, *map(int, sums))
