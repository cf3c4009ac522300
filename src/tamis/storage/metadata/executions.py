"""Execution records: written once, listed by their headers, counted by their counters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select, union_all

from tamis.engine.ports.executions import CountedSpan, ExecutionQuery, ExecutionSelection, SpanWindow
from tamis.errors import AlreadyExistsError
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution, mode_of
from tamis.model.json import JSON
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.execution_blobs import ExecutionBlobs
from tamis.storage.metadata.execution_counts import Bounds, ExecutionCounts
from tamis.storage.metadata.execution_deletes import ExecutionDeletes
from tamis.storage.metadata.execution_inbox import ExecutionInbox
from tamis.storage.metadata.execution_rows import ANONYMOUS, HEADERS, INSERT, row_of
from tamis.storage.metadata.execution_series import ExecutionSeries
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.listing import window
from tamis.storage.metadata.mode_counts import ModeCounts
from tamis.storage.metadata.schema import INTEGER, TEXT, execution_inbox, executions
from tamis.storage.metadata.spans import HOUR

_CHUNK = 500
_FIRST_CHUNK = 8
_DEEP = 2_000
_NO_BLOBS: Mapping[str, bytes] = MappingProxyType({})

_c = executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))

_GET = union_all(
    *(
        select(table.c.header, table.c.inputs, table.c.record).where(
            table.c.organization_id == bindparam("organization_id"),
            table.c.namespace_id == bindparam("namespace_id"),
            table.c.execution_id == bindparam("identifier"),
        )
        for table in (executions, execution_inbox)
    )
)


class SqlExecutions:
    def __init__(self, link: Link, inbox: ExecutionInbox) -> None:
        self._link = link
        self._inbox = inbox
        self._counts = ExecutionCounts(link)
        self._by_mode = ModeCounts(link)
        self._series = ExecutionSeries(link)
        self._blobs = ExecutionBlobs(link)
        self._deletes = ExecutionDeletes(link, self._counts, self._blobs)

    def insert(self, principal: Principal, execution: StoredExecution, blobs: Mapping[str, bytes] = _NO_BLOBS) -> None:
        """Raises: AlreadyExistsError: a record is never written over."""
        self._inbox.settle()
        if self._link.run(INSERT, row_of(principal, execution)) == 0:
            raise AlreadyExistsError(f"the execution {execution.header.execution_id!r} exists already")
        self._inbox.tally([(principal, execution.header, execution.record)])
        if blobs:
            self._blobs.put(principal, execution.header.execution_id, blobs)

    def get(self, principal: Principal, execution_id: str) -> StoredExecution | None:
        row = self._link.row(_GET, {**scope(principal), "identifier": execution_id})
        if row is None:
            return None
        header = HEADERS.decode(row[0])
        # A key to single retrievers sees neither other retrievers' executions nor anonymous ones.
        may = principal.may_retriever(header.retriever_id or ANONYMOUS)
        return StoredExecution(header, row[1], bytes(row[2])) if may else None

    def page(self, principal: Principal, query: ExecutionQuery) -> Page[ExecutionHeader]:
        if not principal.may_retriever(query.retriever_id or ANONYMOUS):
            return Page([], 0, query.limit, query.offset)
        self._inbox.settle()
        if query.filter is not None:
            listing = Listing(filter=query.filter, limit=query.limit, offset=query.offset)
            return window(self._all(principal, query), _view, lambda each: each.execution_id, listing)
        total = self.count(principal, query)
        rows = self._window(principal, query, total) if query.limit > 0 and query.offset < total else []
        return Page([HEADERS.decode(header) for _, _, header in rows], total, query.limit, query.offset)

    def count(self, principal: Principal, query: ExecutionQuery, mode: str | None = None) -> int:
        if not principal.may_retriever(query.retriever_id or ANONYMOUS):
            return 0
        self._inbox.settle()
        if query.filter is not None:
            listing = Listing(filter=query.filter, limit=0)
            every = (one for one in self._all(principal, query) if mode in (None, mode_of(one)))
            return window(every, _view, lambda each: each.execution_id, listing).total
        return self._counts.total(principal, replace(_counted(query), mode=mode))

    def newest(self, principal: Principal, query: ExecutionQuery) -> Iterator[ExecutionHeader]:
        self._inbox.settle()
        if principal.may_retriever(query.retriever_id or ANONYMOUS):
            yield from self._all(principal, replace(query, oldest_first=False), first=_FIRST_CHUNK)

    def owners(
        self, principal: Principal, status: ExecutionStatus | None = None, mode: str | None = None
    ) -> Mapping[str | None, int]:
        self._inbox.settle()
        return self._series.owners(principal, status, mode)

    def series(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None = None
    ) -> Sequence[CountedSpan]:
        self._inbox.settle()
        return self._series.series(principal, owners, window, mode)

    def durations(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None = None
    ) -> Mapping[datetime, Mapping[int, int]]:
        self._inbox.settle()
        return self._series.durations(principal, owners, window, mode)

    def is_whole(self) -> bool:
        return self._by_mode.is_whole()

    def count_older(self, limit: int) -> bool:
        self._inbox.settle()
        return self._by_mode.count_older(limit)

    def texts(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, str]:
        self._inbox.settle()
        return self._series.texts(principal, execution_ids)

    def bodies(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, bytes]:
        self._inbox.settle()
        return self._series.bodies(principal, execution_ids)

    def delete(self, principal: Principal, selection: ExecutionSelection, limit: int) -> int:
        self._inbox.settle()
        return self._deletes.delete(principal, selection, limit)

    def trim(self, principal: Principal, keep: int | None, before: datetime | None, limit: int) -> int:
        self._inbox.settle()
        return self._deletes.trim(principal, keep, None if before is None else to_micros(before), limit)

    def fold_counts(self, principal: Principal, now: datetime) -> int:
        return self._counts.fold(principal, to_micros(now))

    def tenants(self) -> list[Principal]:
        self._inbox.settle()
        return [Principal(organization, namespace) for organization, namespace in self._counts.tenants()]

    def _window(self, principal: Principal, query: ExecutionQuery, total: int) -> list[Any]:
        bounds = {**_bounds(principal, query), "limit": query.limit, "offset": query.offset}
        if query.offset < _DEEP:
            return self._link.rows(_page(*_shape(query), query.oldest_first), bounds)
        turn, passed = self._skip(principal, query, total)
        shape = _shape(query)
        if query.oldest_first:
            bounds["start"], shape = turn, (shape[0], True, shape[2])
        else:
            bounds["end"], shape = turn - 1, (shape[0], shape[1], True)
        bounds["offset"] = query.offset - passed
        return self._link.rows(_page(*shape, query.oldest_first), bounds)

    def _skip(self, principal: Principal, query: ExecutionQuery, total: int) -> tuple[int, int]:
        """The turn of an hour that a deep page may begin to read at, and how many executions lie before it.

        Counters answer how many begin before an hour, so a bisection finds the hour that the page begins in.
        """
        counted = _counted(query)
        low, high = self._ends(principal, query)
        oldest_first, wanted = query.oldest_first, query.offset

        def passed(hour: int) -> int:
            earlier = self._counts.total(principal, replace(counted, end=min(hour * HOUR, high + 1)))
            return earlier if oldest_first else total - earlier

        first, last = low // HOUR, high // HOUR + 1
        while last - first > 1:
            middle = (first + last) // 2
            if (passed(middle) <= wanted) == oldest_first:
                first = middle
            else:
                last = middle
        hour = first if oldest_first else last
        return max(hour * HOUR, low) if oldest_first else min(hour * HOUR, high + 1), passed(hour)

    def _ends(self, principal: Principal, query: ExecutionQuery) -> tuple[int, int]:
        """When the first and the last execution that the query selects began; there is one at least."""
        ends = []
        for oldest_first in (True, False):
            bounds = {**_bounds(principal, query), "limit": 1, "offset": 0}
            ends.append(int(self._link.value(_page(*_shape(query), oldest_first), bounds)))
        return ends[0], ends[1]

    def _all(self, principal: Principal, query: ExecutionQuery, first: int = _CHUNK) -> Iterator[ExecutionHeader]:
        """In the query's order, whatever its window and filter; `first` at once, then more and more."""
        statement = _scan(*_shape(query), query.oldest_first)
        at, after = (-1, "") if query.oldest_first else (2**62, "")
        bounds = {**_bounds(principal, query), "limit": first, "offset": 0}
        while rows := self._link.rows(statement, {**bounds, "at": at, "after": after}):
            yield from (HEADERS.decode(header) for _, _, header in rows)
            at, after, _ = rows[-1]
            bounds["limit"] = min(_CHUNK, 2 * bounds["limit"])


def _counted(query: ExecutionQuery) -> Bounds:
    return Bounds(
        query.retriever_id or ANONYMOUS,
        query.status.value if query.status else None,
        None if query.start is None else to_micros(query.start),
        None if query.end is None else to_micros(query.end) + 1,
    )


def _shape(query: ExecutionQuery) -> tuple[bool, bool, bool]:
    """Which bounds the statement needs."""
    return query.status is not None, query.start is not None, query.end is not None


def _bounds(principal: Principal, query: ExecutionQuery) -> dict[str, Any]:
    bounds = {**scope(principal), "retriever_id": query.retriever_id or ANONYMOUS}
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


def _view(header: ExecutionHeader) -> dict[str, JSON]:
    """As filters see it: the header's fields, and its start also as the contract's `timestamp`."""
    started = header.started_at.isoformat()
    return {
        **asdict(header),
        "collection_ids": list(header.collection_ids),
        "started_at": started,
        "timestamp": started,
    }
