"""Executions of a namespace at a glance: found by what lists are asked for, summed up and followed over time.

However many there are: sums and percentiles come from counters, and lists read the index from the newest on and stop
after a while.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice

from tamis.engine.ports.executions import CountedSpan, ExecutionQuery, SpanWindow
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.durations import percentile
from tamis.model.execution import ExecutionHeader, ExecutionStatus, mode_of
from tamis.model.principal import Principal
from tamis.services.runs.inflight import InFlight

MOST_LOOKED_AT = 5_000
_TEXTS_AT_ONCE = 50
_SPANS_S = (60, 3_600, 86_400)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    ANY = "any"
    ANONYMOUS = "anonymous"
    SAVED = "saved"
    PUBLIC = "public"


_OF_ALL = (Kind.ANY, Kind.ANONYMOUS)
"""What an owner's executions are of one by one, so that no mode need be known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which executions. kind, retriever_id: whose.  Times bound the start: `end` itself is outside.

    text: found in their inputs, whatever the case.  credits, duration_ms: at least.
    """

    kind: Kind = Kind.ANY
    retriever_id: str | None = None
    status: ExecutionStatus | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""
    credits: float = 0.0
    duration_ms: float = 0.0

    @property
    def is_counted(self) -> bool:
        """Whether counters alone say how many there are."""
        return not (self.text or self.credits or self.duration_ms)

    @property
    def mode(self) -> str | None:
        """What counters call the kind; None is any."""
        return None if self.kind is Kind.ANY else self.kind.value


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last execution that a page showed."""

    at: datetime
    execution_id: str

    @property
    def text(self) -> str:
        """As an address carries it."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}_{self.execution_id}"

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises: ValueError where it is no cursor's text."""
        micros, _, execution_id = text.partition("_")
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 17 and execution_id):
            raise ValueError(f"not a cursor: {text!r}")
        return cls(_EPOCH + timedelta(microseconds=int(micros)), execution_id)


@dataclass(frozen=True, slots=True)
class Found:
    """items: newest first.  more: where to go on; None at the end.  total: None where only looking would tell.

    stopped: whether it stopped looking after `MOST_LOOKED_AT`, before the page was full.  names: of retrievers, by id.
    """

    items: Sequence[ExecutionHeader]
    more: Cursor | None
    total: int | None
    stopped: bool
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bar:
    """Executions that began within `start` and `end`, all of them.

    counts: by status.  Percentiles are within `durations.ERROR`, None where there are no executions; cache_hit_rate:
    the mean of those that a cache could have answered some of, None where there are none.
    """

    start: datetime
    end: datetime
    counts: Mapping[ExecutionStatus, int] = field(default_factory=dict)
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    credits: float = 0.0
    cache_hit_rate: float | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        return self.counts.get(ExecutionStatus.FAILED, 0)


@dataclass(frozen=True, slots=True)
class Bars:
    """is_whole: false while executions from before counters had modes are still to be counted by theirs."""

    bars: Sequence[Bar]
    is_whole: bool


class ExecutionOverviews:
    def __init__(self, metadata: Metadata, in_flight: InFlight) -> None:
        self._metadata = metadata
        self._in_flight = in_flight

    async def find(self, principal: Principal, wanted: Wanted, limit: int, after: Cursor | None = None) -> Found:
        """One page, and on the first those that run now. Cost: at most `MOST_LOOKED_AT` headers, whatever is stored."""
        running = [] if after else [one for one in self._in_flight.every(principal) if _matches(one, wanted)]
        found = await self._metadata.read(lambda session: _find(session, principal, wanted, limit, after))
        known = {one.execution_id for one in running}
        stored = [one for one in found.items if one.execution_id not in known]
        total = None if found.total is None else found.total + len(running)
        return Found([*running, *stored], found.more, total, found.stopped, found.names)

    async def retrievers(self, principal: Principal) -> Mapping[str, str]:
        """Names of the saved retrievers by id."""
        every = await self._metadata.read(lambda session: session.retrievers.list(principal))
        return {one.retriever_id: one.name for one in every}

    async def over_time(self, principal: Principal, wanted: Wanted, bars: int, bar_s: int, now: datetime) -> Bars:
        """The newest `bars` spans of `bar_s` seconds, a multiple of a minute, the oldest first.

        Of `wanted` whose they are, and nothing else.
        """
        last = int(now.timestamp()) // bar_s * bar_s
        begins = [datetime.fromtimestamp(last - (bars - 1 - n) * bar_s, UTC) for n in range(bars)]
        return await self._metadata.read(lambda session: _over_time(session, principal, wanted, begins, bar_s))


def _find(session: Session, principal: Principal, wanted: Wanted, limit: int, after: Cursor | None) -> Found:
    owners = owners_of(session, principal, wanted)
    items: list[ExecutionHeader] = []
    looked_at, last = 0, None
    for chunk in _chunks(newest(session, principal, wanted, owners, after)):
        texts = session.executions.texts(principal, [one.execution_id for one in chunk]) if wanted.text else {}
        for header in chunk:
            looked_at, last = looked_at + 1, Cursor(header.started_at, header.execution_id)
            if _matches(header, wanted, texts):
                items.append(header)
            if len(items) == limit:
                return Found(
                    items, last, _total(session, principal, wanted, owners), False, _names(session, principal, items)
                )
        if looked_at >= MOST_LOOKED_AT:
            return Found(items, last, None, True, _names(session, principal, items))
    return Found(items, None, _total(session, principal, wanted, owners), False, _names(session, principal, items))


def owners_of(session: Session, principal: Principal, wanted: Wanted) -> list[str | None]:
    """Whose executions are looked at: those that have any."""
    mode = None if wanted.kind in _OF_ALL or not session.executions.is_whole() else wanted.mode
    counted = session.executions.owners(principal, wanted.status, mode)
    if wanted.retriever_id is not None:
        is_there = wanted.retriever_id in counted and wanted.kind is not Kind.ANONYMOUS
        return [wanted.retriever_id] if is_there else []
    if wanted.kind is Kind.ANONYMOUS:
        return [None] if None in counted else []
    return [one for one in counted if one is not None or wanted.kind is Kind.ANY]


def newest(
    session: Session, principal: Principal, wanted: Wanted, owners: Sequence[str | None], after: Cursor | None
) -> Iterator[ExecutionHeader]:
    """Of all the owners together, newest first."""
    end = None if wanted.end is None else wanted.end - timedelta(microseconds=1)
    if after is not None:
        end = after.at if end is None else min(end, after.at)
    query = ExecutionQuery(status=wanted.status, start=wanted.start, end=end)
    each = [
        session.executions.newest(principal, _of(query, owner)) for owner in owners
    ]  # fmt: skip
    merged = heapq.merge(*each, key=_turn, reverse=True)
    return (one for one in merged if after is None or _turn(one) < (after.at, after.execution_id))


def _of(query: ExecutionQuery, owner: str | None) -> ExecutionQuery:
    return ExecutionQuery(owner, query.status, query.start, query.end)


def _turn(header: ExecutionHeader) -> tuple[datetime, str]:
    return header.started_at, header.execution_id


def _chunks(headers: Iterator[ExecutionHeader]) -> Iterator[list[ExecutionHeader]]:
    while chunk := list(islice(headers, _TEXTS_AT_ONCE)):
        yield chunk


def _matches(header: ExecutionHeader, wanted: Wanted, texts: Mapping[str, str] | None = None) -> bool:
    inputs = header.query_summary if texts is None else texts.get(header.execution_id)
    return (
        _is_whose(header, wanted)
        and wanted.status in (None, header.status)
        and (wanted.start is None or wanted.start <= header.started_at)
        and (wanted.end is None or header.started_at < wanted.end)
        and header.credits_used >= wanted.credits
        and header.duration_ms >= wanted.duration_ms
        and wanted.text.casefold() in (inputs or "").casefold()
    )


def _is_whose(header: ExecutionHeader, wanted: Wanted) -> bool:
    return wanted.retriever_id in (None, header.retriever_id) and wanted.mode in (None, mode_of(header))


def _total(session: Session, principal: Principal, wanted: Wanted, owners: Sequence[str | None]) -> int | None:
    if not wanted.is_counted or not (wanted.kind in _OF_ALL or session.executions.is_whole()):
        return None
    end = None if wanted.end is None else wanted.end - timedelta(microseconds=1)
    query = ExecutionQuery(status=wanted.status, start=wanted.start, end=end)
    mode = None if wanted.kind in _OF_ALL else wanted.mode
    return sum(session.executions.count(principal, _of(query, owner), mode) for owner in owners)


def _names(session: Session, principal: Principal, items: Sequence[ExecutionHeader]) -> Mapping[str, str]:
    found = {one.retriever_id: session.retrievers.get(principal, one.retriever_id) for one in items if one.retriever_id}
    return {retriever_id: one.name for retriever_id, one in found.items() if one is not None}


def _over_time(session: Session, principal: Principal, wanted: Wanted, begins: Sequence[datetime], bar_s: int) -> Bars:
    length = timedelta(seconds=bar_s)
    owners = owners_of(session, principal, replace(wanted, status=None))
    window = SpanWindow(begins[0], begins[-1] + length, max(one for one in _SPANS_S if bar_s % one == 0))
    counted: list[list[CountedSpan]] = [[] for _ in begins]
    for one in session.executions.series(principal, owners, window, wanted.mode):
        counted[int((one.at - begins[0]) / length)].append(one)
    steps: list[Counter[int]] = [Counter() for _ in begins]
    for at, counts in session.executions.durations(principal, owners, window, wanted.mode).items():
        steps[int((at - begins[0]) / length)].update(counts)
    bars = [_bar(*each, length) for each in zip(begins, counted, steps, strict=True)]
    return Bars(bars, session.executions.is_whole())


def _bar(start: datetime, spans: Sequence[CountedSpan], steps: Mapping[int, int], length: timedelta) -> Bar:
    counts: Counter[ExecutionStatus] = Counter()
    for one in spans:
        counts[one.status] += one.count
    p50, p95, p99 = (percentile(steps, share) / 1000 if steps else None for share in (0.5, 0.95, 0.99))
    cacheable = sum(one.cacheable for one in spans)
    rate = sum(one.cache_hits for one in spans) / cacheable if cacheable else None
    return Bar(start, start + length, counts, p50, p95, p99, sum(one.credits for one in spans), rate)
