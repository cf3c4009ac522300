"""Counters of executions, held against the executions themselves."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import Connection, delete, func, insert, select

from tamis.model.fault import Fault
from tamis.storage.metadata.execution_counts import ALWAYS_S, DAY_S, HOUR_S, MINUTE_S
from tamis.storage.metadata.schema import execution_counts, executions

_c, _e = execution_counts.c, executions.c
_SPANS_S = (ALWAYS_S, DAY_S, HOUR_S, MINUTE_S)
_MICROS = 1_000_000
_Span: TypeAlias = tuple[int, str, str, str, int, str]
"""(span_s, organization, namespace, retriever, start_at, status)"""


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    told, counted = _told(connection), _counted(connection)
    for key in sorted({*told, *counted}):
        if told[key] != counted[key]:
            span_s, organization_id, namespace_id, retriever_id, start_at, status = key
            of = retriever_id or "anonymous executions"
            when = (
                f"in the {span_s} s from {datetime.fromtimestamp(start_at / _MICROS, UTC):%Y-%m-%dT%H:%M:%SZ}"
                if span_s
                else "in all"
            )
            problem = f"the counter says {told[key]}, there are {counted[key]} {status} {when}"
            yield Fault("execution_count", f"{organization_id}/{namespace_id}: {of}", problem, is_derived=True)


def mend(connection: Connection) -> None:
    if _told(connection) == (counted := _counted(connection)):
        return
    connection.execute(delete(execution_counts))
    rows = [
        {"span_s": span_s, "organization_id": organization_id, "namespace_id": namespace_id,
         "retriever_id": retriever_id, "start_at": start_at, "status": status, "slot": 0, "count": count}
        for (span_s, organization_id, namespace_id, retriever_id, start_at, status), count in counted.items()
    ]  # fmt: skip
    if rows:
        connection.execute(insert(execution_counts), rows)


def _told(connection: Connection) -> Counter[_Span]:
    key = (_c.span_s, _c.organization_id, _c.namespace_id, _c.retriever_id, _c.start_at, _c.status)
    rows = connection.execute(select(*key, func.sum(_c["count"])).group_by(*key))
    return +Counter({tuple(row)[:6]: int(row[6]) for row in rows})


def _counted(connection: Connection) -> Counter[_Span]:
    """By minute in the database, by the coarser spans here."""
    minute = MINUTE_S * _MICROS
    start = (_e.started_at - _e.started_at % minute).label("minute")
    key = (_e.organization_id, _e.namespace_id, _e.retriever_id, start, _e.status)
    counted: Counter[_Span] = Counter()
    for organization_id, namespace_id, retriever_id, at, status, count in connection.execute(
        select(*key, func.count()).group_by(*key)
    ):
        for span_s in _SPANS_S:
            start_at = at - at % (span_s * _MICROS) if span_s else 0
            counted[span_s, organization_id, namespace_id, retriever_id, start_at, status] += count
    return counted
