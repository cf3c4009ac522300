"""The records of executions in the system of record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.filters import Filter
from tamis.model.page import Page
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class ExecutionQuery:
    """retriever_id: None lists the anonymous ones. Times bound the start, both ends included."""

    retriever_id: str | None = None
    status: ExecutionStatus | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 10
    offset: int = 0
    oldest_first: bool = False
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """Executions of this status that began within a span of time. at: its beginning, UTC.

    cacheable: those that a cache could have answered some of.  cache_hits: the sum of their cache hit rates.
    """

    at: datetime
    status: ExecutionStatus
    count: int
    credits: float
    cacheable: int
    cache_hits: float


@dataclass(frozen=True, slots=True)
class SpanWindow:
    """The spans that begin from `start` on and before `end`. span_s: 60, 3600 or 86400."""

    start: datetime
    end: datetime
    span_s: int


@dataclass(frozen=True, slots=True)
class ExecutionSelection:
    """Which executions to delete: those that every condition given holds for.

    retriever_id: None means the anonymous ones.  Times bound the start, both ends included.
    but_not: executions that stay although the conditions hold for them.
    """

    retriever_id: str | None = None
    execution_ids: tuple[str, ...] | None = None
    inputs_hash: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    but_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to be kept. blobs: as `Executions.insert` takes them.

    beside: executions that are under way in the same process: where they are many, a store may wait some milliseconds
    for their records, to commit them together.
    """

    principal: Principal
    execution: StoredExecution
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    beside: int = 0


class Executions(Protocol):
    def insert(self, principal: Principal, execution: StoredExecution, blobs: Mapping[str, bytes] = ...) -> None:
        """blobs: the values that its record refers to, by SHA-1; each is kept as long as a record refers to it."""
        ...

    def delete(self, principal: Principal, selection: ExecutionSelection, limit: int) -> int:
        """Of those selected at most `limit`, with all that belongs to them; how many there were."""
        ...

    def trim(self, principal: Principal, keep: int | None, before: datetime | None, limit: int) -> int:
        """Delete the namespace's oldest, at most `limit`: those beyond the newest `keep`, those begun before `before`.

        Of every retriever and the anonymous ones together; returns how many.
        """
        ...

    def tenants(self) -> Sequence[Principal]:
        """Every tenant's namespaces that have executions, or had some when they were deleted."""
        ...

    def fold_counts(self, principal: Principal, now: datetime) -> int:
        """Bring what writers counted side by side together, some rows at a time; 0 where nothing was left to fold."""
        ...

    def get(self, principal: Principal, execution_id: str) -> StoredExecution | None: ...
    def page(self, principal: Principal, query: ExecutionQuery) -> Page[ExecutionHeader]: ...
    def count(self, principal: Principal, query: ExecutionQuery, mode: str | None = None) -> int:
        """mode: one of MODES; None is any."""
        ...

    def newest(self, principal: Principal, query: ExecutionQuery) -> Iterator[ExecutionHeader]:
        """Newest first, by the index, read as far as it is asked for; the query's window and filter do not count."""
        ...

    def owners(
        self, principal: Principal, status: ExecutionStatus | None = None, mode: str | None = None
    ) -> Mapping[str | None, int]:
        """How many executions each retriever has, by its id; None are the anonymous. Those without any are left out.

        mode: one of MODES; None is any.
        """
        ...

    def series(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None = None
    ) -> Sequence[CountedSpan]:
        """By the counters. mode: one of MODES; None is any."""
        ...

    def durations(
        self, principal: Principal, owners: Sequence[str | None], window: SpanWindow, mode: str | None = None
    ) -> Mapping[datetime, Mapping[int, int]]:
        """How many took how long, by step (see `durations`), by the beginning of their span; by the counters."""
        ...

    def is_whole(self) -> bool:
        """False while executions from before counters had modes are still to be counted by theirs."""
        ...

    def count_older(self, limit: int) -> bool:
        """Count some of them, of every tenant: at most `limit` looked at. False once there are none left."""
        ...

    def texts(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, str]:
        """Their inputs, as JSON text, by id."""
        ...

    def bodies(self, principal: Principal, execution_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Their encoded records, by id."""
        ...
