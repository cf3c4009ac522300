"""What became of a batch, tier by tier and collection by collection, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.batch import Batch, ItemStatus, Task, TaskStatus
from tamis.model.principal import Principal
from tamis.services.data.batch_progress import BatchProgress, progress_of


@dataclass(frozen=True, slots=True)
class TierProgress:
    done: int = 0
    failed: int = 0
    waiting: int = 0
    canceled: int = 0

    @property
    def total(self) -> int:
        return self.done + self.failed + self.waiting + self.canceled


@dataclass(frozen=True, slots=True)
class Finding:
    """severity: `info`, `warning` or `error`."""

    kind: str
    severity: str
    message: str
    advice: str | None = None
    value: float | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """names: of the collections that are there, by id.  documents: that were made, by collection.

    tiers: progress by number."""

    batch: Batch
    task: Task | None
    progress: BatchProgress
    tiers: Mapping[int, TierProgress]
    names: Mapping[str, str]
    documents: Mapping[str, int]
    errors: Mapping[str, int]
    now: datetime

    @property
    def started_at(self) -> datetime | None:
        return min((tier.started_at for tier in self.batch.tiers if tier.started_at), default=None)

    @property
    def completed_at(self) -> datetime | None:
        return self.batch.updated_at if self.batch.status.is_final else None

    @property
    def duration_s(self) -> float | None:
        """Until now where it is under way."""
        if self.started_at is None:
            return None
        return ((self.completed_at or self.now) - self.started_at).total_seconds()

    @property
    def estimated_at(self) -> datetime | None:
        """At the rate that it goes; None once it has ended, or where the rate is not known."""
        left_s = self.progress.left_s
        return None if self.completed_at or not left_s else self.now + timedelta(seconds=left_s)

    def findings(self) -> list[Finding]:
        return [*_failures(self), *_slowest_tier(self), *_state(self)]

    def actions(self) -> list[str]:
        """What a person may do now."""
        return [one.advice for one in self.findings() if one.advice is not None]


class BatchDiagnostics:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def diagnose(self, principal: Principal, batch_id: str) -> Diagnosis:
        """Raises: NotFoundError."""
        now = self._clock.now()

        def read(session: Session) -> Diagnosis:
            batch = session.batches.get(principal, batch_id)
            if batch is None or session.buckets.get(principal, batch.bucket_id) is None:
                raise NotFoundError.of("batch", batch_id)
            task = session.tasks.get(principal, batch.task_id) if batch.task_id else None
            progress = progress_of(session, principal, batch, task, now)
            tiers = _tiers(session.batches.count_items(principal, batch_id))
            names = {one.collection_id: one.name for one in session.collections.list(principal)}
            documents = session.batches.count_documents(principal, batch_id)
            return Diagnosis(batch, task, progress, tiers, names, documents, batch.error_summary or {}, now)

        return await self._metadata.read(read)


def _tiers(counts: Mapping[tuple[int, ItemStatus], int]) -> dict[int, TierProgress]:
    numbers = sorted({number for number, _ in counts})
    order = (ItemStatus.DONE, ItemStatus.FAILED, ItemStatus.WAITING, ItemStatus.CANCELED)
    return {number: TierProgress(*(counts.get((number, status), 0) for status in order)) for number in numbers}


def _failures(found: Diagnosis) -> Iterator[Finding]:
    progress = found.progress
    if progress.failed:
        share = progress.failed / progress.total
        yield Finding(
            "failures", "error" if share >= 0.5 else "warning",
            f"{progress.failed} of {progress.total} sources failed",
            "read why in the batch's failed documents, and retry the batch", round(share, 4),
        )  # fmt: skip


def _slowest_tier(found: Diagnosis) -> Iterator[Finding]:
    took = {
        tier.number: (tier.completed_at - tier.started_at).total_seconds()
        for tier in found.batch.tiers
        if tier.started_at and tier.completed_at
    }
    if len(took) > 1:
        number = max(took, key=lambda one: took[one])
        share = took[number] / sum(took.values()) if sum(took.values()) else 0.0
        message = f"tier {number} took {share:.0%} of the time of all tiers"
        yield Finding("slowest_tier", "info", message, None, round(took[number], 3), f"tier {number}")


def _state(found: Diagnosis) -> Iterator[Finding]:
    status, progress = found.batch.status, found.progress
    if status is TaskStatus.DRAFT:
        yield Finding("draft", "info", "the batch was not submitted yet", "submit the batch")
    elif not status.is_final and progress.per_s is not None:
        message = f"{progress.per_s:g} sources a second, {progress.left} left"
        yield Finding("rate", "info", message, None, progress.per_s)
    elif not status.is_final and progress.left:
        yield Finding("waiting", "info", f"{progress.left} sources wait, none was finished yet")


def durations(found: Diagnosis) -> Sequence[float | None]:
    """Of each tier, in seconds; until now where it is under way, None where it has not begun."""
    return [
        None if tier.started_at is None else ((tier.completed_at or found.now) - tier.started_at).total_seconds()
        for tier in found.batch.tiers
    ]
