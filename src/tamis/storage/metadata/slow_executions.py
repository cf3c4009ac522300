"""The slowest executions of each retriever and hour.

What is listed of an hour are always its slowest, however many: an execution is left out only where a hundred take
longer, and a delete takes away what it deletes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.execution import ExecutionHeader
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import slow_executions

LISTED = 100
_HOUR = 3_600_000_000

_c = slow_executions.c
_OWNER = ("organization_id", "namespace_id", "retriever_id", "hour")
_mine = and_(*(_c[name] == bindparam(name) for name in _OWNER[:3]))
_of_hour = and_(_mine, _c.hour == bindparam("hour"))
_between = and_(_mine, _c.hour >= bindparam("first"), _c.hour < bindparam("end"))
_LAST = select(_c.duration_us).where(_of_hour).order_by(_c.duration_us.desc()).limit(1).offset(LISTED - 1)
_ADD = insert(slow_executions).on_conflict_do_nothing()
_DROP = delete(slow_executions).where(
    _of_hour, _c.duration_us == bindparam("duration_us"), _c.execution_id == bindparam("execution_id")
)
_SLOWEST = (
    select(_c.duration_us, _c.execution_id)
    .where(_between)
    .order_by(_c.duration_us.desc(), _c.execution_id)
    .limit(bindparam("limit"))
)
_COUNTS = select(_c.hour, func.count()).where(_between).group_by(_c.hour)
_TWICE = _LAST.offset(2 * LISTED - 1)
_CUT = delete(slow_executions).where(_of_hour, _c.duration_us < bindparam("least"))


class SlowExecutions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, kept: Sequence[tuple[Principal, ExecutionHeader, bytes]]) -> None:
        hours: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for principal, header, _ in kept:
            row = _row(principal, header)
            hours[tuple(str(row[name]) for name in _OWNER)].append(row)
        for _, rows in sorted(hours.items()):
            least = self._link.value(_LAST, rows[0])
            slow = rows if least is None else [row for row in rows if row["duration_us"] >= least]
            self._link.run_many(_ADD, slow)
            self._trim({name: rows[0][name] for name in _OWNER})

    def remove(self, gone: Iterable[tuple[Principal, ExecutionHeader, bytes]]) -> None:
        self._link.run_many(_DROP, [_row(principal, header) for principal, header, _ in gone])

    def slowest(self, bounds: Mapping[str, Any], limit: int) -> list[tuple[int, str]]:
        """(duration, id), slowest first. bounds: whose, and from which hour to before which."""
        return [(took, key) for took, key in self._link.rows(_SLOWEST, {**bounds, "limit": limit})]

    def counts(self, bounds: Mapping[str, Any]) -> dict[int, int]:
        """How many are listed of each hour."""
        return {hour: count for hour, count in self._link.rows(_COUNTS, bounds)}

    def _trim(self, hour: Mapping[str, Any]) -> None:
        """Once twice as many are listed as need be, forget what is no longer among the slowest."""
        if self._link.value(_TWICE, hour) is not None:
            self._link.run(_CUT, {**hour, "least": self._link.value(_LAST, hour)})


def _row(principal: Principal, header: ExecutionHeader) -> dict[str, Any]:
    return {
        **scope(principal),
        "retriever_id": header.retriever_id,
        "hour": to_micros(header.started_at) // _HOUR,
        "duration_us": max(0, round(header.duration_ms * 1000)),
        "execution_id": header.execution_id,
    }
