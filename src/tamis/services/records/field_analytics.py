"""Which fields a namespace's retrievers filter by, how often, and how long the stages that do so take."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.executions.filtered_fields import filtered_fields
from tamis.model.execution import ExecutionHeader
from tamis.model.filters import Operator
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.records.engine_analytics import slow_headers
from tamis.services.records.spans import Span, floor, last
from tamis.services.records.timing import Stopwatch, Timing

_DAY = 24
_Stage = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FieldUse:
    """Runs of stages that filter by a field. stages: how many different ones.  slow, very_slow: runs that took longer
    than `SLOW_MS`, `VERY_SLOW_MS`.  first_at, last_at: whole hours.
    """

    path: str
    operators: frozenset[Operator]
    stages: int
    timing: Timing
    slow: int
    very_slow: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Together:
    """Fields that one stage filters by at once."""

    paths: tuple[str, ...]
    timing: Timing


@dataclass(frozen=True, slots=True)
class FieldUses:
    """Most used first."""

    span: Span
    fields: Sequence[FieldUse]
    together: Sequence[Together]


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """paths: what the retriever, as it is now, filters by."""

    retriever_id: str
    header: ExecutionHeader
    paths: Sequence[str]


@dataclass(frozen=True, slots=True)
class SlowQueries:
    """total: of all that were as slow, shown or not, at an error of the threshold of 2.2%."""

    span: Span
    queries: Sequence[SlowQuery]
    total: int


SLOW_MS, VERY_SLOW_MS = 500.0, 2000.0


@dataclass(slots=True)
class _Gathered:
    operators: set[Operator] = field(default_factory=set)
    stages: set[tuple[str, _Stage]] = field(default_factory=set)
    watch: Stopwatch = field(default_factory=Stopwatch)
    hours: list[datetime] = field(default_factory=list)

    def use(self, path: str) -> FieldUse:
        slow, very_slow = self.watch.slower(SLOW_MS), self.watch.slower(VERY_SLOW_MS)
        return FieldUse(
            path, frozenset(self.operators), len(self.stages), self.watch.timing(), slow, very_slow,
            min(self.hours), max(self.hours),
        )  # fmt: skip


class FieldAnalytics:
    """Of saved retrievers, by what each of their versions filters by.

    An hour in which a retriever was changed counts as of the version that ended it.
    """

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def uses(self, principal: Principal, hours: int) -> FieldUses:
        span = last(self._clock.now(), hours)
        return await self._metadata.read(lambda session: uses(session, principal, span))

    async def slow(self, principal: Principal, days: int, threshold_ms: float, limit: int) -> SlowQueries:
        """Slowest first; at most 100 of one retriever."""
        span = last(self._clock.now(), days * _DAY)

        def read(session: Session) -> SlowQueries:
            retrievers = {one.retriever_id: one for one in session.retrievers.list(principal)}
            found = [header for _, header in slow_headers(session, principal, span, threshold_ms, limit)]
            queries = [
                SlowQuery(header.retriever_id, header, _paths(retrievers.get(header.retriever_id)))
                for header in found
                if header.retriever_id is not None
            ]
            watch = Stopwatch()
            for one in retrievers:
                for tally in session.analytics.executions(principal, one, span.start, span.end, _DAY).values():
                    watch.add(tally)
            return SlowQueries(span, queries, max(len(queries), watch.slower(threshold_ms)))

        return await self._metadata.read(read)


def uses(session: Session, principal: Principal, span: Span) -> FieldUses:
    fields: defaultdict[str, _Gathered] = defaultdict(_Gathered)
    together: defaultdict[tuple[str, ...], Stopwatch] = defaultdict(Stopwatch)
    for retriever in session.retrievers.list(principal):
        for part, filtered in _versions(session, principal, retriever, span):
            _gather(session, principal, retriever.retriever_id, part, filtered, fields, together)
    found = sorted((one.use(path) for path, one in fields.items()), key=lambda use: (-use.timing.count, use.path))
    combined = [Together(paths, watch.timing()) for paths, watch in together.items()]
    return FieldUses(span, found, sorted(combined, key=lambda one: (-one.timing.count, one.paths)))


def _gather(
    session: Session, principal: Principal, retriever_id: str, part: Span,
    filtered: Mapping[_Stage, frozenset[tuple[str, Operator]]],
    fields: defaultdict[str, _Gathered], together: defaultdict[tuple[str, ...], Stopwatch],
) -> None:  # fmt: skip
    if not any(filtered.values()):
        return
    seen = session.analytics.seen(principal, retriever_id, part.start, part.end)
    for stage, tally in session.analytics.stages(principal, retriever_id, part.start, part.end).items():
        conditions = filtered.get(stage, frozenset())
        for path in {path for path, _ in conditions}:
            gathered = fields[path]
            gathered.operators.update(operator for other, operator in conditions if other == path)
            gathered.stages.add((retriever_id, stage))
            gathered.watch.add(tally)
            gathered.hours.extend(seen[stage])
        paths = tuple(sorted({path for path, _ in conditions}))
        if len(paths) > 1:
            together[paths].add(tally)


def _versions(
    session: Session, principal: Principal, retriever: Retriever, span: Span
) -> Iterator[tuple[Span, Mapping[_Stage, frozenset[tuple[str, Operator]]]]]:
    """The parts of the span that each version ran in, with what it filters by; those alike in it are one part."""
    versions = session.retriever_versions.list(principal, retriever.retriever_id)
    since, end, known = span.end, span.end, filtered_fields(retriever.definition)
    for version in versions:
        filtered = filtered_fields(version.definition)
        if filtered != known:  # the newer ones began at `since`
            if since < end:
                yield Span(since, end), known
            end, known = min(since, end), filtered
        since = max(span.start, floor(version.created_at))
        if since <= span.start:
            break
    if span.start < end:
        yield Span(span.start, end), known


def _paths(retriever: Retriever | None) -> list[str]:
    if retriever is None:
        return []
    found = filtered_fields(retriever.definition).values()
    return sorted({path for conditions in found for path, _ in conditions})
