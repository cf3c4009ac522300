"""Where the time of a whole namespace goes: its retrievers' stages and its collections' extractors together."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import StorageError, ValidationError
from tamis.executions.figures import stage_figures
from tamis.model.execution import ExecutionHeader, StageFigures
from tamis.model.principal import Principal
from tamis.services.records.spans import GROUPS, Span, between, check_group, group_of, hour_of, last
from tamis.services.records.timing import Stopwatch, Timing

GROUPS_OF_ENGINE: Mapping[str, int] = {**GROUPS, "month": 720}
SLOWEST_OF_ONE = 100
_DAY = 24


@dataclass(frozen=True, slots=True)
class Part:
    """A stage of a retriever, or the extraction of a collection: then its extractor's id.

    component: the retriever's or the collection's name.  share: of the time of all parts, 0 to 1.
    """

    stage_name: str
    component: str
    timing: Timing
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class EngineSeries:
    """Executions of retrievers, and sources that an extractor was asked for."""

    span: Span
    groups: Sequence[tuple[datetime, Timing]]
    total: Timing


@dataclass(frozen=True, slots=True)
class Parts:
    """Those that took most of the time first."""

    span: Span
    parts: Sequence[Part]
    total_ms: float


@dataclass(frozen=True, slots=True)
class SlowOperation:
    """An execution. slowest: the stage that took the longest, where its record can be read."""

    retriever: str
    header: ExecutionHeader
    slowest: StageFigures | None


class EngineAnalytics:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    def span(self, hours: int | None, start: datetime | None, end: datetime | None, group_by: str = "hour") -> Span:
        """The last hours, or from a start to an end; the last day where nothing is said. Raises: ValidationError."""
        if group_by == "minute":
            message = "figures are kept by the hour: one of hour, day, week, month"
            raise ValidationError.at(["query", "group_by"], message)
        check_group(group_by, GROUPS_OF_ENGINE)
        if hours is not None and (start is not None or end is not None):
            raise ValidationError.at(["query", "hours"], "either 'hours' or 'start_date' and 'end_date', not both")
        now = self._clock.now()
        if hours is not None or (start is None and end is None):
            return last(now, _DAY if hours is None else hours)
        return between(now, start, end, group_by)

    async def series(self, principal: Principal, span: Span, group_by: str) -> EngineSeries:
        """Those groups in which something ran."""

        def read(session: Session) -> EngineSeries:
            groups: defaultdict[datetime, Stopwatch] = defaultdict(Stopwatch)
            total = Stopwatch()
            step = _DAY if group_by == "month" else GROUPS[group_by]
            for retriever in session.retrievers.list(principal):
                found = session.analytics.executions(principal, retriever.retriever_id, span.start, span.end, step)
                for at, tally in found.items():
                    groups[group_of(at, group_by)].add(tally)
                    total.add(tally)
            for figures in session.extractions.between(principal, span.start, span.end):
                groups[group_of(hour_of(figures.hour), group_by)].add_extraction(figures)
                total.add_extraction(figures)
            told = [(at, groups[at].timing()) for at in sorted(groups) if groups[at].count]
            return EngineSeries(span, told, total.timing())

        return await self._metadata.read(read)

    async def stages(self, principal: Principal, span: Span) -> Parts:
        """Every stage of every retriever, and what each collection's extractor took."""

        def read(session: Session) -> Parts:
            return _ordered(span, [*_stages(session, principal, span), *_extractors(session, principal, span)])

        return await self._metadata.read(read)

    async def extractors(self, principal: Principal, span: Span) -> Parts:
        return await self._metadata.read(lambda session: _ordered(span, list(_extractors(session, principal, span))))

    async def slowest(
        self, principal: Principal, hours: int, threshold_ms: float, limit: int
    ) -> tuple[Span, Sequence[SlowOperation]]:
        """Executions that took at least so long, slowest first; at most 100 of one retriever."""
        span = last(self._clock.now(), hours)

        def read(session: Session) -> Sequence[SlowOperation]:
            found = slow_headers(session, principal, span, threshold_ms, limit)
            return [SlowOperation(name, header, _slowest(session, principal, header)) for name, header in found]

        return span, await self._metadata.read(read)


def slow_headers(
    session: Session, principal: Principal, span: Span, threshold_ms: float, limit: int
) -> list[tuple[str, ExecutionHeader]]:
    """(name of the retriever, execution), slowest first; at most 100 of one retriever."""
    of_each = min(limit, SLOWEST_OF_ONE)
    found = [
        (retriever.name, header)
        for retriever in session.retrievers.list(principal)
        for header in session.analytics.slowest(principal, retriever.retriever_id, span.start, span.end, of_each)
        if header.duration_ms >= threshold_ms
    ]
    return heapq.nsmallest(limit, found, key=lambda one: (-one[1].duration_ms, one[1].execution_id))


def _slowest(session: Session, principal: Principal, header: ExecutionHeader) -> StageFigures | None:
    stored = session.executions.get(principal, header.execution_id)
    if stored is None:
        return None
    try:
        return max(stage_figures(stored), key=lambda one: one.duration_ms, default=None)
    except StorageError:  # a damaged record is still one that was slow
        return None


def _stages(session: Session, principal: Principal, span: Span) -> Iterator[Part]:
    for retriever in session.retrievers.list(principal):
        found = session.analytics.stages(principal, retriever.retriever_id, span.start, span.end)
        for (name, _), tally in found.items():
            watch = Stopwatch()
            watch.add(tally)
            yield Part(name, retriever.name, watch.timing())


def _extractors(session: Session, principal: Principal, span: Span) -> Iterator[Part]:
    names = {one.collection_id: one.name for one in session.collections.list(principal)}
    watches: defaultdict[tuple[str, str], Stopwatch] = defaultdict(Stopwatch)
    for figures in session.extractions.between(principal, span.start, span.end):
        extractor = f"{figures.extractor_name}_{figures.extractor_version}"
        watches[extractor, figures.collection_id].add_extraction(figures)
    for (extractor, collection_id), watch in watches.items():
        if watch.count:
            yield Part(extractor, names.get(collection_id, collection_id), watch.timing())


def _ordered(span: Span, parts: Sequence[Part]) -> Parts:
    total_ms = sum(one.timing.total_ms for one in parts)
    told = [
        Part(one.stage_name, one.component, one.timing, one.timing.total_ms / total_ms if total_ms else 0.0)
        for one in sorted(parts, key=lambda one: (-one.timing.total_ms, one.stage_name, one.component))
    ]
    return Parts(span, told, total_ms)
