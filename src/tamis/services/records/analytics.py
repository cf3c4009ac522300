"""How retrievers do: counts, times and percentiles from the figures, single executions from their records."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import StorageError
from tamis.executions.figures import stage_figures
from tamis.model.durations import percentile
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StageFigures, StoredExecution
from tamis.model.figures import Tally
from tamis.model.principal import Principal
from tamis.services.records.signals import Signal, signals
from tamis.services.records.spans import GROUPS, HOUR, Span, between, check_group, last
from tamis.services.runs.retrievers import find_retriever


@dataclass(frozen=True, slots=True)
class Sum:
    """Of executions, or of runs of a stage. Times in milliseconds; percentiles within `durations.ERROR`.

    failed: ended without an answer.  hits, misses: answered by caches wherever one could, or not wherever.
    """

    count: int = 0
    failed: int = 0
    hits: int = 0
    misses: int = 0
    avg_ms: float = 0.0
    hit_ms: float = 0.0
    miss_ms: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    avg_received: float = 0.0
    avg_returned: float = 0.0
    credits: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """None where no cache could have answered."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(frozen=True, slots=True)
class Series:
    """What executions of a retriever add up to. is_whole: false while older ones are still being counted."""

    retriever_id: str
    span: Span
    groups: Sequence[tuple[datetime, Sum]]
    total: Sum
    is_whole: bool


@dataclass(frozen=True, slots=True)
class RetrieverSum:
    retriever_id: str
    name: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class StageSum:
    stage_name: str
    stage_id: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class StageSums:
    """stages: in the order of the pipeline.  avg_ms: what all stages of one execution took."""

    retriever_id: str
    span: Span
    stages: Sequence[StageSum]
    avg_ms: float
    is_whole: bool


@dataclass(frozen=True, slots=True)
class SlowExecution:
    """inputs: as JSON text, empty where the namespace's policy leaves them out."""

    header: ExecutionHeader
    inputs: str
    stages: Sequence[StageFigures]


class AnalyticsService:
    """Every operation raises NotFoundError for a retriever that is not there, or not this caller's to see."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def performance(
        self, principal: Principal, retriever: str, start: datetime | None, end: datetime | None, group_by: str
    ) -> Series:
        """By hour, day or week, those in which something ran. Without a start: a day, a month or half a year.

        Raises: ValidationError naming the parameter.
        """
        check_group(group_by)
        span = between(self._clock.now(), start, end, group_by)
        return await self._series(principal, retriever, span, GROUPS[group_by])

    async def caching(self, principal: Principal, retriever: str, hours: int) -> Series:
        """By hour."""
        return await self._series(principal, retriever, last(self._clock.now(), hours), 1)

    async def stages(self, principal: Principal, retriever: str, hours: int) -> StageSums:
        span = last(self._clock.now(), hours)

        def read(session: Session) -> StageSums:
            owner = find_retriever(session, principal, retriever).retriever_id
            stages = session.analytics.stages(principal, owner, span.start, span.end)
            whole = summed(session.analytics.executions(principal, owner, span.start, span.end).values())
            took_us = sum(one.duration_us for tally in stages.values() for one in tally.figures)
            return StageSums(
                owner, span, _ordered(stages), _mean_ms(took_us, whole.count), session.analytics.is_whole()
            )

        return await self._metadata.read(read)

    async def busiest(self, principal: Principal, hours: int, limit: int) -> Sequence[RetrieverSum]:
        """Of the namespace, those that ran most first; what did not run is left out."""
        span = last(self._clock.now(), hours)

        def read(session: Session) -> Sequence[RetrieverSum]:
            found = [
                RetrieverSum(one.retriever_id, one.name, summed(tallies.values()))
                for one in session.retrievers.list(principal)
                if (tallies := session.analytics.executions(principal, one.retriever_id, span.start, span.end))
            ]
            return heapq.nsmallest(limit, found, key=lambda one: (-one.sum.count, one.name, one.retriever_id))

        return await self._metadata.read(read)

    async def slowest(self, principal: Principal, retriever: str, hours: int, limit: int) -> Sequence[SlowExecution]:
        """Slowest first."""
        span = last(self._clock.now(), hours)

        def read(session: Session) -> Sequence[SlowExecution]:
            owner = find_retriever(session, principal, retriever).retriever_id
            headers = session.analytics.slowest(principal, owner, span.start, span.end, limit)
            found = [session.executions.get(principal, one.execution_id) for one in headers]
            return [_slow(one) for one in found if one is not None]

        return await self._metadata.read(read)

    async def signals(
        self, principal: Principal, retriever: str, hours: int, kind: str | None, limit: int
    ) -> Sequence[Signal]:
        """Newest first, from the newest records. Raises: ValidationError (kind)."""
        start = self._clock.now() - hours * HOUR

        def read(session: Session) -> Sequence[Signal]:
            owner = find_retriever(session, principal, retriever).retriever_id
            return signals(session, principal, owner, start, kind, limit)

        return await self._metadata.read(read)

    async def _series(self, principal: Principal, retriever: str, span: Span, hours: int) -> Series:
        def read(session: Session) -> Series:
            owner = find_retriever(session, principal, retriever).retriever_id
            found = session.analytics.executions(principal, owner, span.start, span.end, hours)
            groups = [(at, summed([tally])) for at, tally in found.items()]
            return Series(owner, span, groups, summed(found.values()), session.analytics.is_whole())

        return await self._metadata.read(read)


def summed(tallies: Iterable[Tally]) -> Sum:
    """Exact but for the percentiles."""
    gathered = list(tallies)
    every = [one for tally in gathered for one in tally.figures]
    steps: Counter[int] = Counter()
    for tally in gathered:
        steps.update(tally.steps)
    count = sum(one.count for one in every)
    hits, misses = ([one for one in every if one.was_cached is cached] for cached in (True, False))
    p50, p95, p99 = (percentile(steps, share) / 1000 for share in (0.5, 0.95, 0.99))
    return Sum(
        count=count,
        failed=sum(one.count for one in every if one.outcome == ExecutionStatus.FAILED),
        hits=sum(one.count for one in hits),
        misses=sum(one.count for one in misses),
        avg_ms=_mean_ms(sum(one.duration_us for one in every), count),
        hit_ms=_mean_ms(sum(one.duration_us for one in hits), sum(one.count for one in hits)),
        miss_ms=_mean_ms(sum(one.duration_us for one in misses), sum(one.count for one in misses)),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        avg_received=sum(one.received for one in every) / max(count, 1),
        avg_returned=sum(one.returned for one in every) / max(count, 1),
        credits=sum(one.micro_credits for one in every) / 1e6,
    )


def _ordered(stages: Mapping[tuple[str, str], Tally]) -> list[StageSum]:
    """By the first place that each stood at; versions of the retriever may have it at several."""
    order = sorted(stages, key=lambda key: (min(one.place for one in stages[key].figures), key))
    return [StageSum(*key, summed([stages[key]])) for key in order]


def _slow(stored: StoredExecution) -> SlowExecution:
    try:
        stages = stage_figures(stored)
    except StorageError:  # a damaged record is still one that was slow
        stages = ()
    return SlowExecution(stored.header, stored.inputs, stages)


def _mean_ms(duration_us: int, count: int) -> float:
    return duration_us / count / 1000 if count else 0.0
