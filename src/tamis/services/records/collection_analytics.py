"""How a collection grows, how its extractor does, what fails."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tamis.engine.ports.analytics import Failures
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.collection import Collection
from tamis.model.figures import ExtractionFigures
from tamis.model.page import Listing
from tamis.model.principal import Principal
from tamis.services.data.collections import require_collection
from tamis.services.records.spans import GROUPS, Span, between, check_group, group_of, hour_of, last
from tamis.services.records.timing import Timing, timed

OVERVIEW_HOURS = 720
"""What the rate and the mean time of an overview are of: the last 30 days."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of sources: reused, those that no extractor had to be asked for. timing: of the others."""

    completed: int
    failed: int
    reused: int
    documents: int
    timing: Timing

    @property
    def count(self) -> int:
        return self.completed + self.failed + self.reused

    @property
    def success_rate(self) -> float:
        """1 where nothing was tried."""
        return 1 - self.failed / self.count if self.count else 1.0


@dataclass(frozen=True, slots=True)
class CollectionSeries:
    """groups: (when it began, documents that came, what became of sources), those in which something happened."""

    collection: Collection
    span: Span
    groups: Sequence[tuple[datetime, int, Outcomes]]
    total: Outcomes


@dataclass(frozen=True, slots=True)
class ExtractorOutcomes:
    """Of one extractor in one version."""

    name: str
    version: str
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class CollectionFailures:
    collection: Collection
    span: Span
    failures: Sequence[Failures]


@dataclass(frozen=True, slots=True)
class Overview:
    """newest_at: when the newest document was made."""

    collection: Collection
    documents: int
    of_last_day: int
    of_last_week: int
    newest_at: datetime | None
    outcomes: Outcomes
    clusters: int


class CollectionAnalytics:
    """Every operation raises NotFoundError for a collection that is not there."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def series(
        self, principal: Principal, identifier: str, start: datetime | None, end: datetime | None, group_by: str
    ) -> CollectionSeries:
        """Raises: ValidationError naming the parameter."""
        check_group(group_by)
        span = between(self._clock.now(), start, end, group_by)
        return await self._series(principal, identifier, span, group_by)

    async def latest(self, principal: Principal, identifier: str, hours: int, group_by: str) -> CollectionSeries:
        """Raises: ValidationError (group_by)."""
        check_group(group_by)
        return await self._series(principal, identifier, last(self._clock.now(), hours), group_by)

    async def extractors(
        self, principal: Principal, identifier: str, hours: int
    ) -> tuple[Collection, Span, Sequence[ExtractorOutcomes]]:
        span = last(self._clock.now(), hours)

        def read(session: Session) -> tuple[Collection, Span, Sequence[ExtractorOutcomes]]:
            found = require_collection(session, principal, identifier)
            figures = session.extractions.between(principal, span.start, span.end, found.collection_id)
            return found, span, by_extractor(figures)

        return await self._metadata.read(read)

    async def all_extractors(self, principal: Principal, name: str | None, hours: int) -> Sequence[ExtractorOutcomes]:
        """Over all collections of the namespace. name: of one extractor; one that never ran has no figures."""
        span = last(self._clock.now(), hours)
        figures = await self._metadata.read(
            lambda session: session.extractions.between(principal, span.start, span.end)
        )
        return [one for one in by_extractor(figures) if name in (None, one.name, f"{one.name}_{one.version}")]

    async def failures(self, principal: Principal, identifier: str, hours: int) -> CollectionFailures:
        span = last(self._clock.now(), hours)

        def read(session: Session) -> CollectionFailures:
            found = require_collection(session, principal, identifier)
            failures = session.arrivals.failures(principal, span.start, collection_id=found.collection_id)
            return CollectionFailures(found, span, failures)

        return await self._metadata.read(read)

    async def overview(self, principal: Principal, identifier: str) -> Overview:
        now = self._clock.now()
        span = last(now, OVERVIEW_HOURS)

        def read(session: Session) -> Overview:
            found = require_collection(session, principal, identifier)
            owner = found.collection_id
            figures = session.extractions.between(principal, span.start, span.end, owner)
            clusters = [one for one in session.clusters.list(principal) if owner in one.collection_ids]
            day, week = (session.documents.count_since(principal, owner, now - timedelta(days=days)) for days in (1, 7))
            return Overview(
                found, session.documents.count(principal, owner), day, week,
                _newest(session, principal, owner), outcomes_of(figures), len(clusters),
            )  # fmt: skip

        return await self._metadata.read(read)

    async def _series(self, principal: Principal, identifier: str, span: Span, group_by: str) -> CollectionSeries:
        def read(session: Session) -> CollectionSeries:
            found = require_collection(session, principal, identifier)
            owner, span_s = found.collection_id, GROUPS[group_by] * 3600
            came = session.arrivals.documents(principal, owner, span.start, span.end, span_s)
            figures = session.extractions.between(principal, span.start, span.end, owner)
            groups = _grouped({one.at: one.count for one in came}, figures, group_by)
            return CollectionSeries(found, span, groups, outcomes_of(figures))

        return await self._metadata.read(read)


def outcomes_of(figures: Sequence[ExtractionFigures]) -> Outcomes:
    counts: defaultdict[str, int] = defaultdict(int)
    for one in figures:
        counts[one.outcome] += one.sources
    documents = sum(one.documents for one in figures)
    return Outcomes(counts["completed"], counts["failed"], counts["reused"], documents, timed(figures))


def by_extractor(figures: Sequence[ExtractionFigures]) -> list[ExtractorOutcomes]:
    found: defaultdict[tuple[str, str], list[ExtractionFigures]] = defaultdict(list)
    for one in figures:
        found[one.extractor_name, one.extractor_version].append(one)
    return [ExtractorOutcomes(*key, outcomes_of(found[key])) for key in sorted(found)]


def _grouped(
    came: Mapping[datetime, int], figures: Sequence[ExtractionFigures], group_by: str
) -> list[tuple[datetime, int, Outcomes]]:
    groups: defaultdict[datetime, list[ExtractionFigures]] = defaultdict(list)
    for one in figures:
        groups[group_of(hour_of(one.hour), group_by)].append(one)
    return [(at, came.get(at, 0), outcomes_of(groups[at])) for at in sorted({*came, *groups})]


def _newest(session: Session, principal: Principal, collection_id: str) -> datetime | None:
    page = session.documents.page(principal, collection_id, Listing(limit=1))
    return page.items[0].created_at if page.items else None
