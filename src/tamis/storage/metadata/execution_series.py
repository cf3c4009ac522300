"""Executions over time: counts by span from the counters, and who has any."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select

from tamis.engine.ports.executions import CountedSpan
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import from_micros
from tamis.storage.metadata.execution_counts import ALWAYS_S
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import execution_counts, executions

_c = execution_counts.c
_e = executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_TEXTS = select(_e.execution_id, _e.inputs).where(
    _e.organization_id == bindparam("organization_id"),
    _e.namespace_id == bindparam("namespace_id"),
    one_of(_e.execution_id, "ids"),
)
_BODIES = _TEXTS.with_only_columns(_e.execution_id, _e.record)
_SERIES = (
    select(_c.start_at, _c.status, func.sum(_c["count"]))
    .where(
        _mine,
        _c.span_s == bindparam("span_s"),
        one_of(_c.retriever_id, "owners"),
        _c.start_at >= bindparam("start"),
        _c.start_at < bindparam("end"),
    )
    .group_by(_c.start_at, _c.status)
    .order_by(_c.start_at, _c.status)
)


class ExecutionSeries:
    def __init__(self, link: Link) -> None:
        self._link = link

    def owners(self, principal: Principal, status: ExecutionStatus | None) -> Mapping[str | None, int]:
        named = {**scope(principal), **({"status": status.value} if status else {})}
        rows = self._link.rows(_owners(status is not None), named)
        return {owner or None: int(count) for owner, count in rows if count > 0 and principal.may_retriever(owner)}

    def series(
        self, principal: Principal, owners: Sequence[str | None], start: int, end: int, span_s: int
    ) -> list[CountedSpan]:
        seen = [owner or "" for owner in owners if principal.may_retriever(owner or "")]
        named = {"span_s": span_s, "start": start, "end": end, "owners": self._link.array(seen)}
        rows = self._link.rows(_SERIES, {**scope(principal), **named})
        return [
            CountedSpan(from_micros(at), ExecutionStatus(status), int(count)) for at, status, count in rows if count
        ]

    def texts(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, str]:
        rows = self._link.rows(_TEXTS, {**scope(principal), "ids": self._link.array(execution_ids)})
        return {execution_id: inputs for execution_id, inputs in rows}

    def bodies(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, bytes]:
        rows = self._link.rows(_BODIES, {**scope(principal), "ids": self._link.array(execution_ids)})
        return {execution_id: bytes(record) for execution_id, record in rows}


@cache
def _owners(status: bool) -> Select[Any]:
    statement = select(_c.retriever_id, func.sum(_c["count"])).where(_mine, _c.span_s == ALWAYS_S)
    statement = statement.where(_c.status == bindparam("status")) if status else statement
    return statement.group_by(_c.retriever_id)
