"""What lies in a bucket, how uploads into it go, and what of it batches could not extract."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tamis.engine.ports.analytics import Arrived, Failures
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.batch import TaskStatus
from tamis.model.bucket import Bucket, Upload
from tamis.model.bucket_sync import BucketSync
from tamis.model.durations import step_of
from tamis.model.principal import Principal
from tamis.services.data.buckets import require_bucket
from tamis.services.records.spans import GROUPS, HOUR, Span, between, check_group, group_of, last
from tamis.services.records.timing import Stopwatch, Timing

NEWEST_UPLOADS = 10_000
"""Figures of uploads are of so many of the newest of the time."""
_GIGABYTE = 1e9
_HALF = 0.5
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Health(StrEnum):
    """UNHEALTHY: at least half of what was tried failed."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Stored:
    """What lay in a bucket when a time ended, of what is there today.

    gigabyte_hours: what lay there during the time.  before_bytes: when it began.
    """

    at: datetime
    count: int
    size_bytes: int
    before_bytes: int
    gigabyte_hours: float


@dataclass(frozen=True, slots=True)
class Storage:
    bucket: Bucket
    span: Span
    times: Sequence[Stored]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """timing: from the announcement to the confirmation, of those that were confirmed.  bytes_per_s: of these."""

    at: datetime
    count: int
    failed: int
    size_bytes: int
    timing: Timing

    @property
    def bytes_per_s(self) -> float:
        return self.size_bytes / (self.timing.total_ms / 1000) if self.timing.total_ms else 0.0


@dataclass(frozen=True, slots=True)
class Uploads:
    """is_whole: false where there were more than `NEWEST_UPLOADS`."""

    bucket: Bucket
    span: Span
    times: Sequence[Uploaded]
    total: Uploaded
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Use:
    bucket: Bucket
    span: Span
    times: Sequence[tuple[Stored, int]]
    has_syncs: bool


@dataclass(frozen=True, slots=True)
class BucketHealth:
    bucket: Bucket
    span: Span
    failures: Sequence[Failures]
    syncs: Sequence[BucketSync]
    health: Health


class BucketAnalytics:
    """Every operation raises NotFoundError for a bucket that is not there."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def storage(
        self, principal: Principal, identifier: str, start: datetime | None, end: datetime | None, group_by: str
    ) -> Storage:
        """Raises: ValidationError naming the parameter."""
        span = self._span(start, end, group_by)

        def read(session: Session) -> Storage:
            found = require_bucket(session, principal, identifier)
            return Storage(found, span, _stored(session, principal, found.bucket_id, span, group_by))

        return await self._metadata.read(read)

    async def use(
        self, principal: Principal, identifier: str, start: datetime | None, end: datetime | None, group_by: str
    ) -> Use:
        """With the uploads that were announced. Raises: ValidationError naming the parameter."""
        span = self._span(start, end, group_by)

        def read(session: Session) -> Use:
            found = require_bucket(session, principal, identifier)
            stored = _stored(session, principal, found.bucket_id, span, group_by)
            uploads = session.arrivals.uploads(principal, found.bucket_id, span.start, span.end, NEWEST_UPLOADS)
            counts = Counter(group_of(one.created_at, group_by) for one in uploads)
            times = [(one, counts[group_of(one.at, group_by)]) for one in stored]
            return Use(found, span, times, bool(session.bucket_syncs.list(principal, found.bucket_id)))

        return await self._metadata.read(read)

    async def uploads(self, principal: Principal, identifier: str, hours: int, group_by: str) -> Uploads:
        """Raises: ValidationError (group_by)."""
        check_group(group_by)
        span = last(self._clock.now(), hours)

        def read(session: Session) -> Uploads:
            found = require_bucket(session, principal, identifier)
            uploads = session.arrivals.uploads(principal, found.bucket_id, span.start, span.end, NEWEST_UPLOADS)
            groups: defaultdict[datetime, list[Upload]] = defaultdict(list)
            for one in uploads:
                groups[group_of(one.created_at, group_by)].append(one)
            times = [_uploaded(at, groups[at]) for at in sorted(groups)]
            return Uploads(found, span, times, _uploaded(span.start, uploads), len(uploads) < NEWEST_UPLOADS)

        return await self._metadata.read(read)

    async def health(self, principal: Principal, identifier: str, hours: int) -> BucketHealth:
        """Of the batches that were made in the time, and of the syncs as they are now."""
        span = last(self._clock.now(), hours)

        def read(session: Session) -> BucketHealth:
            found = require_bucket(session, principal, identifier)
            failures = session.arrivals.failures(principal, span.start, bucket_id=found.bucket_id)
            failed = sum(one.count for one in failures)
            tried = session.arrivals.tried(principal, span.start, found.bucket_id)
            syncs = session.bucket_syncs.list(principal, found.bucket_id)
            health = _health(failed, tried)
            if health is Health.HEALTHY and any(one.failures for one in syncs):
                health = Health.DEGRADED
            return BucketHealth(found, span, failures, syncs, health)

        return await self._metadata.read(read)

    def _span(self, start: datetime | None, end: datetime | None, group_by: str) -> Span:
        check_group(group_by)
        return between(self._clock.now(), start, end, group_by)


def _health(failed: int, tried: int) -> Health:
    if not failed:
        return Health.HEALTHY
    return Health.UNHEALTHY if failed >= _HALF * tried else Health.DEGRADED


def _stored(session: Session, principal: Principal, bucket_id: str, span: Span, group_by: str) -> list[Stored]:
    """Of every time in the span, from the first object on."""
    span_s = GROUPS[group_by] * 3600
    came = session.arrivals.objects(principal, bucket_id, _BEGINNING, span.end, span_s)
    count = sum(one.count for one in came if one.at < group_of(span.start, group_by))
    size = sum(one.size_bytes for one in came if one.at < group_of(span.start, group_by))
    return list(_accumulated({one.at: one for one in came}, span, group_by, count, size))


def _accumulated(came: dict[datetime, Arrived], span: Span, group_by: str, count: int, size: int) -> Iterator[Stored]:
    at, step = group_of(span.start, group_by), timedelta(hours=GROUPS[group_by])
    while at < span.end:
        before, arrived = size, came.get(at)
        if arrived is not None:
            count, size = count + arrived.count, size + arrived.size_bytes
        hours = (min(at + step, span.end) - max(at, span.start)) / HOUR
        if count:
            # What came during the time lay there for half of it, as far as is known.
            yield Stored(at, count, size, before, (before + size) / 2 / _GIGABYTE * hours)
        at += step


def _uploaded(at: datetime, uploads: Sequence[Upload]) -> Uploaded:
    watch = Stopwatch()
    size = 0
    for one in uploads:
        if one.completed_at is not None:
            took_us = max(0, (one.completed_at - one.created_at) // timedelta(microseconds=1))
            watch.count, watch.duration_us = watch.count + 1, watch.duration_us + took_us
            watch.steps[step_of(took_us)] += 1
            size += one.file_size_bytes or 0
    failed = sum(one.status == TaskStatus.FAILED for one in uploads)
    return Uploaded(at, len(uploads), failed, size, watch.timing())
