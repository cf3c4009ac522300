"""Execution records: written once, listed by their headers."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.ports.metadata import ExecutionQuery, Listing
from tamis.errors import AlreadyExistsError
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.listing import window
from tamis.storage.metadata.schema import INTEGER, TEXT, executions

_CODEC = Codec(ExecutionHeader)
_CHUNK = 500
_ANONYMOUS = ""

_c = executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))

_INSERT = insert(executions).on_conflict_do_nothing()
_GET = select(_c.header, _c.inputs, _c.record).where(_mine, _c.execution_id == bindparam("identifier"))


class SqlExecutions:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, execution: StoredExecution) -> None:
        """Raises: AlreadyExistsError: a record is never written over."""
        header = execution.header
        values = {
            **scope(principal),
            "execution_id": header.execution_id,
            "retriever_id": header.retriever_id or _ANONYMOUS,
            "status": header.status.value,
            "started_at": to_micros(header.started_at),
            "header": _CODEC.encode(header),
            "inputs": execution.inputs,
            "record": execution.record,
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the execution {header.execution_id!r} exists already")

    def get(self, principal: Principal, execution_id: str) -> StoredExecution | None:
        row = self._link.row(_GET, {**scope(principal), "identifier": execution_id})
        return None if row is None else StoredExecution(_CODEC.decode(row[0]), row[1], bytes(row[2]))

    def page(self, principal: Principal, query: ExecutionQuery) -> Page[ExecutionHeader]:
        if query.filter is not None:
            listing = Listing(filter=query.filter, limit=query.limit, offset=query.offset)
            return window(self._all(principal, query), _view, lambda each: each.execution_id, listing)
        bounds = {**_bounds(principal, query), "limit": query.limit, "offset": query.offset}
        rows = self._link.rows(_page(*_shape(query), query.oldest_first), bounds) if query.limit > 0 else []
        total = self.count(principal, query)
        return Page([_CODEC.decode(header) for _, _, header in rows], total, query.limit, query.offset)

    def count(self, principal: Principal, query: ExecutionQuery) -> int:
        if query.filter is not None:
            listing = Listing(filter=query.filter, limit=0)
            return window(self._all(principal, query), _view, lambda each: each.execution_id, listing).total
        return int(self._link.value(_count(*_shape(query)), _bounds(principal, query)))

    def _all(self, principal: Principal, query: ExecutionQuery) -> Iterator[ExecutionHeader]:
        """In the query's order, whatever its window and filter."""
        statement = _scan(*_shape(query), query.oldest_first)
        at, after = (-1, "") if query.oldest_first else (2**62, "")
        bounds = {**_bounds(principal, query), "limit": _CHUNK, "offset": 0}
        while rows := self._link.rows(statement, {**bounds, "at": at, "after": after}):
            yield from (_CODEC.decode(header) for _, _, header in rows)
            at, after, _ = rows[-1]


def _shape(query: ExecutionQuery) -> tuple[bool, bool, bool]:
    """Which bounds the statement needs."""
    return query.status is not None, query.start is not None, query.end is not None


def _bounds(principal: Principal, query: ExecutionQuery) -> dict[str, Any]:
    bounds = {**scope(principal), "retriever_id": query.retriever_id or _ANONYMOUS}
    if query.status is not None:
        bounds["status"] = query.status.value
    if query.start is not None:
        bounds["start"] = to_micros(query.start)
    if query.end is not None:
        bounds["end"] = to_micros(query.end)
    return bounds


def _within(statement: Select[Any], status: bool, start: bool, end: bool) -> Select[Any]:
    statement = statement.where(_mine, _c.retriever_id == bindparam("retriever_id"))
    if status:
        statement = statement.where(_c.status == bindparam("status"))
    if start:
        statement = statement.where(_c.started_at >= bindparam("start"))
    if end:
        statement = statement.where(_c.started_at <= bindparam("end"))
    return statement


@cache
def _page(status: bool, start: bool, end: bool, oldest_first: bool) -> Select[Any]:
    order = [_c.started_at, _c.execution_id] if oldest_first else [_c.started_at.desc(), _c.execution_id.desc()]
    statement = _within(select(_c.started_at, _c.execution_id, _c.header), status, start, end)
    return statement.order_by(*order).limit(bindparam("limit")).offset(bindparam("offset"))


@cache
def _scan(status: bool, start: bool, end: bool, oldest_first: bool) -> Select[Any]:
    at, after = bindparam("at", type_=INTEGER), bindparam("after", type_=TEXT)
    if oldest_first:
        beyond = or_(_c.started_at > at, and_(_c.started_at == at, _c.execution_id > after))
        return _page(status, start, end, oldest_first).where(_c.started_at >= at, beyond)
    beyond = or_(_c.started_at < at, and_(_c.started_at == at, _c.execution_id < after))
    return _page(status, start, end, oldest_first).where(_c.started_at <= at, beyond)


@cache
def _count(status: bool, start: bool, end: bool) -> Select[Any]:
    return _within(select(func.count()).select_from(executions), status, start, end)


def _view(header: ExecutionHeader) -> dict[str, JSON]:
    """As filters see it: the header's fields, and its start also as the contract's `timestamp`."""
    started = header.started_at.isoformat()
    return {
        **asdict(header),
        "collection_ids": list(header.collection_ids),
        "started_at": started,
        "timestamp": started,
    }
