"""Batches: objects that are sent through the collections of their bucket together, as one durable job."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, TooManyRequestsError, ValidationError
from tamis.model.batch import Batch, BatchItem, ItemStatus, Task, TaskStatus, Tier
from tamis.model.bucket import Bucket
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.data.batch_progress import BatchProgress, progress_of
from tamis.services.data.batch_tiers import tiers_from_bucket
from tamis.services.json_values import check_json

BATCH_TASK, TIER_TASK = "api_buckets_batches_process", "engine_feature_extractor_run"
TRANSIENT = frozenset({"dependency", "network", "resource"})
"""ErrorCategory values that another attempt may cure."""
_PAGE = 1000
_EXAMPLES = 20
_QUEUE_RETRY_S = 60


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Sources of one tier that failed alike. source_ids: the first of them."""

    error_type: str
    message: str
    count: int
    collection_id: str
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchDetails:
    """errors: by tier number.  progress: where one batch was asked for, and it has been submitted."""

    batch: Batch
    errors: Mapping[int, tuple[ErrorGroup, ...]] = field(default_factory=dict)
    progress: BatchProgress | None = None


class BatchService:
    def __init__(self, metadata: Metadata, wake: Callable[[], None] = lambda: None, most_queued: int = 1000) -> None:
        """wake: tells the extraction worker that there is work.  most_queued: of one organisation, not ended yet."""
        self._metadata = metadata
        self._wake = wake
        self._most_queued = most_queued

    async def create(
        self,
        principal: Principal,
        bucket: str,
        object_ids: Sequence[str],
        metadata: dict[str, JSON] | None = None,
    ) -> BatchDetails:
        """A draft of these objects, each once. Raises: NotFoundError, ValidationError naming an unknown object."""
        check_json(metadata, ["body", "metadata"])

        def create(session: Session) -> BatchDetails:
            found = require_bucket(session, principal, bucket)
            now = datetime.now(UTC)
            batch = Batch(
                batch_id=new_id("btch"),
                bucket_id=found.bucket_id,
                object_ids=_checked(session, principal, found, object_ids),
                created_at=now,
                updated_at=now,
                metadata=metadata or {},
            )
            session.batches.insert(principal, batch)
            return BatchDetails(batch)

        return await self._metadata.write(create)

    async def add_objects(
        self, principal: Principal, bucket: str, batch_id: str, object_ids: Sequence[str]
    ) -> BatchDetails:
        """Raises: NotFoundError, ValidationError, ConflictError once the batch is submitted."""

        def add(session: Session) -> BatchDetails:
            found, batch = require_batch(session, principal, bucket, batch_id)
            if batch.status is not TaskStatus.DRAFT:
                raise ConflictError(f"this batch is {batch.status}; only a DRAFT takes more objects")
            added = _checked(session, principal, found, object_ids)
            return _store(session, principal, batch, object_ids=tuple(dict.fromkeys((*batch.object_ids, *added))))

        return await self._metadata.write(add)

    async def submit(self, principal: Principal, bucket: str, batch_id: str, keeps_history: bool = True) -> Task:
        """Start a draft; a batch that was submitted before answers its task and is left as it is.

        keeps_history: write into each document that this batch made it.
        Raises: NotFoundError, ConflictError where no collection takes the bucket's objects, TooManyRequestsError.
        """

        def submit(session: Session) -> Task:
            found, batch = require_batch(session, principal, bucket, batch_id)
            if batch.status is not TaskStatus.DRAFT:
                return require_task(session, principal, batch)
            check_queue(session, principal, self._most_queued)
            tiers = tiers_from_bucket(session.collections.list(principal), found.bucket_id)
            kept = replace(batch, keeps_history=keeps_history)
            return start(session, principal, kept, tiers, batch.object_ids)

        task = await self._metadata.write(submit)
        self._wake()
        return task

    async def get(self, principal: Principal, bucket: str, batch_id: str) -> BatchDetails:
        def read(session: Session) -> BatchDetails:
            _, batch = require_batch(session, principal, bucket, batch_id)
            return BatchDetails(batch, _errors(session, principal, batch), _progress(session, principal, batch))

        return await self._metadata.read(read)

    async def list(
        self, principal: Principal, bucket: str, status: TaskStatus | None, limit: int, offset: int
    ) -> Page[BatchDetails]:
        def read(session: Session) -> Page[BatchDetails]:
            found = require_bucket(session, principal, bucket)
            page = session.batches.page(principal, found.bucket_id, status, limit, offset)
            return Page([BatchDetails(batch) for batch in page.items], page.total, limit, offset)

        return await self._metadata.read(read)

    async def patch(
        self, principal: Principal, bucket: str, batch_id: str, metadata: dict[str, JSON] | None
    ) -> BatchDetails:
        check_json(metadata, ["body", "metadata"])

        def patch(session: Session) -> BatchDetails:
            _, batch = require_batch(session, principal, bucket, batch_id)
            return _store(session, principal, batch, metadata=batch.metadata if metadata is None else metadata)

        return await self._metadata.write(patch)

    async def delete(self, principal: Principal, bucket: str, batch_id: str) -> None:
        """The batch and its items; what it made stays. Raises: NotFoundError, ConflictError while it runs."""

        def delete(session: Session) -> None:
            _, batch = require_batch(session, principal, bucket, batch_id)
            if batch.status is not TaskStatus.DRAFT and not batch.status.is_final:
                raise ConflictError("this batch is running; cancel it first", status=str(batch.status))
            session.batches.delete(principal, batch.batch_id)

        await self._metadata.write(delete)

    async def cancel(self, principal: Principal, bucket: str, batch_id: str) -> Task:
        """Stop between two calls of the extractor. Raises: NotFoundError, ConflictError where it is over already."""

        def cancel(session: Session) -> Task:
            _, batch = require_batch(session, principal, bucket, batch_id)
            return cancel_batch(session, principal, batch)

        return await self._metadata.write(cancel)

    async def retry(
        self, principal: Principal, bucket: str, batch_id: str, everything: bool, tiers: Sequence[int] | None, most: int
    ) -> tuple[Batch, int]:
        """Put failed sources back to wait: transient failures, or all. Returns the batch and how many wait now.

        most: sources that were retried so many times are left.  Raises: NotFoundError, ConflictError while it runs.
        """

        def retry(session: Session) -> tuple[Batch, int]:
            _, batch = require_batch(session, principal, bucket, batch_id)
            if not batch.status.is_final or batch.status is TaskStatus.CANCELED:
                raise ConflictError(f"this batch is {batch.status}; only one that ran to its end can be retried")
            again = [
                replace(item, status=ItemStatus.WAITING, error=None, error_type=None)
                for item in _failed(session, principal, batch_id)
                if (everything or item.error_type in TRANSIENT)
                and (not tiers or item.tier in tiers)
                and item.attempts <= most
            ]
            if not again:
                return batch, 0
            session.batches.update_items(principal, again)
            return _reopen(session, principal, batch), len(again)

        batch, count = await self._metadata.write(retry)
        self._wake()
        return batch, count

    async def failed(
        self,
        principal: Principal,
        bucket: str,
        batch_id: str,
        tier: int | None,
        collection: str | None,
        limit: int,
        offset: int,
    ) -> Page[BatchItem]:
        def read(session: Session) -> Page[BatchItem]:
            _, batch = require_batch(session, principal, bucket, batch_id)
            found = session.collections.get(principal, collection) if collection else None
            collection_id = found.collection_id if found else collection
            return session.batches.items(
                principal, batch.batch_id, ItemStatus.FAILED, tier, collection_id, limit, offset
            )

        return await self._metadata.read(read)


def require_bucket(session: Session, principal: Principal, identifier: str) -> Bucket:
    bucket = session.buckets.get(principal, identifier)
    if bucket is None:
        raise NotFoundError.of("bucket", identifier)
    return bucket


def require_batch(session: Session, principal: Principal, bucket: str, batch_id: str) -> tuple[Bucket, Batch]:
    found = require_bucket(session, principal, bucket)
    batch = session.batches.get(principal, batch_id)
    if batch is None or batch.bucket_id != found.bucket_id:
        raise NotFoundError.of("batch", batch_id)
    return found, batch


def require_task(session: Session, principal: Principal, batch: Batch) -> Task:
    task = session.tasks.get(principal, batch.task_id or "")
    if task is None:
        raise NotFoundError.of("task", batch.task_id or "")
    return task


def start(
    session: Session, principal: Principal, batch: Batch, tiers: Sequence[Tier], source_ids: Sequence[str]
) -> Task:
    """Make a stored draft a job: its tasks, and an item for each source in each collection of the first tier."""
    now = datetime.now(UTC)
    task_id = new_id("task")
    facts: dict[str, JSON] = {"batch_id": batch.batch_id, "bucket_id": batch.bucket_id, "total_tiers": len(tiers)}
    task = Task(task_id, BATCH_TASK, TaskStatus.PENDING, now, now, additional_data=facts)
    session.tasks.insert(principal, task)
    for tier in tiers:
        tier_facts: dict[str, JSON] = {**facts, "tier_num": tier.number, "parent_task_id": task_id}
        tier_task = Task(tier.task_id or new_id("task"), TIER_TASK, TaskStatus.PENDING, now, now, None,
                         tier.collection_ids, (), tier_facts)  # fmt: skip
        session.tasks.insert(principal, tier_task)
    _store(
        session,
        principal,
        batch,
        status=TaskStatus.PENDING,
        tiers=tuple(tiers),
        collection_ids=tuple(collection_id for tier in tiers for collection_id in tier.collection_ids),
        current_tier=0,
        task_id=task_id,
    )
    first = tiers[0]
    session.batches.add_items(
        principal,
        [
            BatchItem(batch.batch_id, collection_id, source_id, first.number)
            for collection_id in first.collection_ids
            for source_id in source_ids
        ],
    )
    if batch.tells_objects_of(first):
        session.objects.set_status(principal, source_ids, TaskStatus.PENDING)
    return task


def cancel_batch(session: Session, principal: Principal, batch: Batch) -> Task:
    """Raises: ConflictError where there is nothing to stop."""
    if batch.status is TaskStatus.DRAFT or batch.status.is_final:
        raise ConflictError(f"this batch is {batch.status}; there is nothing to cancel", status=str(batch.status))
    _cancel_items(session, principal, batch)
    tiers = tuple(tier if tier.status.is_final else replace(tier, status=TaskStatus.CANCELED) for tier in batch.tiers)
    _store(session, principal, batch, status=TaskStatus.CANCELED, tiers=tiers)
    for tier in tiers:
        if tier.status is TaskStatus.CANCELED:
            _set_task(session, principal, tier.task_id, TaskStatus.CANCELED)
    _set_task(session, principal, batch.task_id, TaskStatus.CANCELED)
    return require_task(session, principal, batch)


def _cancel_items(session: Session, principal: Principal, batch: Batch) -> None:
    for tier in batch.tiers:
        while waiting := session.batches.waiting_items(principal, batch.batch_id, tier.number, _PAGE):
            session.batches.update_items(principal, [replace(item, status=ItemStatus.CANCELED) for item in waiting])
            if batch.tells_objects_of(tier):
                session.objects.set_status(principal, [item.source_id for item in waiting], TaskStatus.CANCELED)


def _reopen(session: Session, principal: Principal, batch: Batch) -> Batch:
    if batch.task_id and session.tasks.get(principal, batch.task_id) is None:
        # Its task was forgotten by a kill after the end; a running batch has one.
        now = datetime.now(UTC)
        session.tasks.insert(principal, Task(batch.task_id, BATCH_TASK, TaskStatus.PENDING, now, now))
    for task_id in (batch.task_id, *(tier.task_id for tier in batch.tiers)):
        _set_task(session, principal, task_id, TaskStatus.PENDING)
    tiers = tuple(replace(tier, status=TaskStatus.PENDING, completed_at=None) for tier in batch.tiers)
    return _store(
        session, principal, batch, status=TaskStatus.PENDING, tiers=tiers, error=None, error_summary=None
    ).batch


def _set_task(session: Session, principal: Principal, task_id: str | None, status: TaskStatus) -> None:
    task = session.tasks.get(principal, task_id or "")
    if task is not None:
        session.tasks.replace(principal, replace(task, status=status, error=None, updated_at=datetime.now(UTC)))


def _checked(session: Session, principal: Principal, bucket: Bucket, object_ids: Sequence[str]) -> tuple[str, ...]:
    if not object_ids:
        raise ValidationError.at(["body", "object_ids"], "at least one object")
    found = session.objects.get_many(principal, object_ids)
    for position, object_id in enumerate(object_ids):
        if object_id not in found or found[object_id].bucket_id != bucket.bucket_id:
            raise ValidationError.at(
                ["body", "object_ids", position], f"object {object_id!r} was not found in this bucket"
            )
    return tuple(dict.fromkeys(object_ids))


def _store(session: Session, principal: Principal, batch: Batch, **changes: Any) -> BatchDetails:
    batch = replace(batch, updated_at=datetime.now(UTC), **changes)
    session.batches.replace(principal, batch)
    return BatchDetails(batch)


def _progress(session: Session, principal: Principal, batch: Batch) -> BatchProgress | None:
    if batch.task_id is None:
        return None
    return progress_of(session, principal, batch, session.tasks.get(principal, batch.task_id), datetime.now(UTC))


def _failed(session: Session, principal: Principal, batch_id: str) -> Iterator[BatchItem]:
    offset = 0
    while True:
        page = session.batches.items(principal, batch_id, ItemStatus.FAILED, None, None, _PAGE, offset)
        yield from page.items
        offset += len(page.items)
        if not page.has_next:
            return


def _errors(session: Session, principal: Principal, batch: Batch) -> dict[int, tuple[ErrorGroup, ...]]:
    """What failed, alike failures told once: by tier, the most frequent first."""
    groups: dict[tuple[int, str, str, str], list[str]] = {}
    for item in _failed(session, principal, batch.batch_id) if batch.tiers else ():
        key = (item.tier, item.error_type or "runtime", item.error or "", item.collection_id)
        groups.setdefault(key, []).append(item.source_id)
    by_tier: dict[int, list[ErrorGroup]] = {}
    for (tier, error_type, message, collection_id), ids in groups.items():
        group = ErrorGroup(error_type, message, len(ids), collection_id, tuple(ids[:_EXAMPLES]))
        by_tier.setdefault(tier, []).append(group)
    return {
        tier: tuple(sorted(found, key=lambda group: (-group.count, group.message))) for tier, found in by_tier.items()
    }


def check_queue(session: Session, principal: Principal, most: int) -> None:
    """Raises: TooManyRequestsError."""
    queued = sum(owner.organization_id == principal.organization_id for owner, _ in session.batches.unfinished())
    if queued >= most:
        raise TooManyRequestsError(
            f"this organization has {queued} batches that have not ended, of at most {most}; submit it when some have",
            retry_after_s=_QUEUE_RETRY_S,
            limit=most,
            subject="organization",
            api_name="batches",
            retry_after=_QUEUE_RETRY_S,
        )
