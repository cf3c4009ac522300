"""Executions over time: what they come to by span, from the counters, and who has any."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select

from tamis.engine.ports.executions import CountedSpan, SpanWindow
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import from_micros, to_micros
from tamis.storage.metadata.execution_counts import SUMS
from tamis.storage.metadata.execution_steps import Steps, added, read_steps
from tamis.storage.metadata.execution_steps import between as steps_between
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import execution_counts, executions
from tamis.storage.metadata.spans import ALWAYS_S

_MILLION = 1_000_000
_c = execution_counts.c
_e = executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_TEXTS = select(_e.execution_id, _e.inputs).where(
    _e.organization_id == bindparam("organization_id"),
    _e.namespace_id == bindparam("namespace_id"),
    one_of(_e.execution_id, "ids"),
)
_BODIES = _TEXTS.with_only_columns(_e.execution_id, _e.record)


class ExecutionSeries:
    def __init__(self, link: Link) -> None:
        self._link = link

    def owners(
        self, principal: Principal, status: ExecutionStatus | None, mode: str | None
    ) -> Mapping[str | None, int]:
        named = {**scope(principal), **({"status": status.value} if status else {}), **({"mode": mode} if mode else {})}
        rows = self._link.rows(_owners(status is not None, mode is not None), named)
        return {owner or None: int(count) for owner, count in rows if count > 0 and principal.may_retriever(owner)}

    def series(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None
    ) -> list[CountedSpan]:
        named = self._asked(principal, owners, window, mode)
        return [
            CountedSpan(
                from_micros(at), ExecutionStatus(status), int(count), int(micro_credits) / _MILLION, int(cacheable),
                int(cache_micros) / _MILLION,
            )
            for at, status, count, micro_credits, cacheable, cache_micros in self._link.rows(
                series(mode is not None), named
            )
            if count
        ]  # fmt: skip

    def durations(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None
    ) -> Mapping[datetime, Mapping[int, int]]:
        named = self._asked(principal, owners, window, mode)
        found: defaultdict[int, list[Steps]] = defaultdict(list)
        for at, packed in self._link.rows(steps_between(mode is not None), named):
            found[at].append(read_steps(packed))
        return {from_micros(at): added(found[at]) for at in sorted(found)}

    def _asked(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None
    ) -> dict[str, Any]:
        seen = [owner or "" for owner in owners if principal.may_retriever(owner or "")]
        named = {"start": to_micros(window.start), "end": to_micros(window.end), "owners": self._link.array(seen)}
        named |= {} if mode is None else {"mode": mode}
        return {**scope(principal), "span_s": window.span_s, **named}

    def texts(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, str]:
        rows = self._link.rows(_TEXTS, {**scope(principal), "ids": self._link.array(execution_ids)})
        return {execution_id: inputs for execution_id, inputs in rows}

    def bodies(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, bytes]:
        rows = self._link.rows(_BODIES, {**scope(principal), "ids": self._link.array(execution_ids)})
        return {execution_id: bytes(record) for execution_id, record in rows}


@cache
def series(mode: bool) -> Select[Any]:
    statement = select(_c.start_at, _c.status, *(func.sum(_c[name]) for name in SUMS)).where(
        _mine,
        _c.span_s == bindparam("span_s"),
        one_of(_c.retriever_id, "owners"),
        _c.start_at >= bindparam("start"),
        _c.start_at < bindparam("end"),
    )
    statement = statement.where(_c.mode == bindparam("mode")) if mode else statement
    return statement.group_by(_c.start_at, _c.status).order_by(_c.start_at, _c.status)


@cache
def _owners(status: bool, mode: bool) -> Select[Any]:
    statement = select(_c.retriever_id, func.sum(_c["count"])).where(_mine, _c.span_s == ALWAYS_S)
    statement = statement.where(_c.status == bindparam("status")) if status else statement
    statement = statement.where(_c.mode == bindparam("mode")) if mode else statement
    return statement.group_by(_c.retriever_id)
