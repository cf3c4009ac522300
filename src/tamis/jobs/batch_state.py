"""The states that a batch goes through while it runs, each step one transaction. Plain functions over a session."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from tamis.engine.ports.metadata import Session
from tamis.model.batch import Batch, ItemStatus, TaskStatus, Tier
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.data.applications import follow_batch
from tamis.services.data.batch_progress import facts_of, progress_of, taken_up

_PAGE = 1000


def is_over(session: Session, principal: Principal, batch: Batch) -> bool:
    """Whether the batch has been cancelled or deleted meanwhile; asks the task, which is the smaller of the two."""
    task = session.tasks.get(principal, batch.task_id or "")
    return task is None or task.status.is_final


def begin_tier(
    session: Session, principal: Principal, batch_id: str, number: int, is_taken_up: bool = False
) -> Batch | None:
    """The batch, now working on this tier; None where it is over.  is_taken_up: its rate counts from here."""
    batch = session.batches.get(principal, batch_id)
    if batch is None or batch.status.is_final:
        return None
    now = datetime.now(UTC)
    tier = batch.tiers[number]
    tier = replace(tier, status=TaskStatus.PROCESSING, started_at=tier.started_at or now, completed_at=None)
    batch = replace(_with_tier(batch, tier), status=TaskStatus.PROCESSING, current_tier=number, updated_at=now)
    session.batches.replace(principal, batch)
    facts = progress(session, principal, batch, is_taken_up)
    _set_task(session, principal, batch.task_id, TaskStatus.PROCESSING, facts)
    _set_task(session, principal, tier.task_id, TaskStatus.PROCESSING, {})
    return batch


def end_tier(session: Session, principal: Principal, batch_id: str, number: int) -> bool:
    """Close the tier with what its items came to. False where the batch is over."""
    batch = session.batches.get(principal, batch_id)
    if batch is None or batch.status.is_final:
        return False
    counts = session.batches.count_items(principal, batch_id)
    done, failed = counts.get((number, ItemStatus.DONE), 0), counts.get((number, ItemStatus.FAILED), 0)
    status = _verdict(done, failed)
    now = datetime.now(UTC)
    tier = replace(batch.tiers[number], status=status, completed_at=now)
    session.batches.replace(principal, replace(_with_tier(batch, tier), updated_at=now))
    facts: dict[str, JSON] = {"sources_done": done, "sources_failed": failed}
    _set_task(session, principal, tier.task_id, status, facts)
    if batch.tells_objects_of(tier) and len(tier.collection_ids) > 1:
        _mark_objects(session, principal, batch)
    return True


def finish(session: Session, principal: Principal, batch_id: str) -> bool:
    """Close the batch. False where sources wait again (a retry came in between), or it is over."""
    batch = session.batches.get(principal, batch_id)
    if batch is None or batch.status.is_final:
        return False
    totals = _totals(session.batches.count_items(principal, batch_id))
    if totals[ItemStatus.WAITING]:
        return False
    summary, reason = failures(session, principal, batch_id)
    status = _verdict(totals[ItemStatus.DONE], totals[ItemStatus.FAILED])
    error = None
    if totals[ItemStatus.FAILED]:
        error = f"{_counted(totals[ItemStatus.FAILED])} failed, the first because: {reason}"
    batch = replace(batch, status=status, error=error, error_summary=summary or None, updated_at=datetime.now(UTC))
    session.batches.replace(principal, batch)
    _set_task(session, principal, batch.task_id, status, progress(session, principal, batch), error)
    follow_batch(session, principal, batch, batch.updated_at)
    return True


def _counted(failed: int) -> str:
    return "1 source" if failed == 1 else f"{failed} sources"


def give_up(session: Session, principal: Principal, batch_id: str, reason: str) -> None:
    """Fail the batch for a fault that is no source's: the server itself could not go on.

    What still waited has failed for a reason that a retry may cure.
    """
    batch = session.batches.get(principal, batch_id)
    if batch is None or batch.status.is_final:
        return
    now = datetime.now(UTC)
    for tier in batch.tiers:
        if not tier.status.is_final:
            _fail_waiting(session, principal, batch, tier, reason)
            batch = _with_tier(batch, replace(tier, status=TaskStatus.FAILED, completed_at=now))
            _set_task(session, principal, tier.task_id, TaskStatus.FAILED, {}, reason)
    summary, _ = failures(session, principal, batch_id)
    session.batches.replace(
        principal, replace(batch, status=TaskStatus.FAILED, error=reason, error_summary=summary or None, updated_at=now)
    )
    _set_task(session, principal, batch.task_id, TaskStatus.FAILED, progress(session, principal, batch), reason)


def _fail_waiting(session: Session, principal: Principal, batch: Batch, tier: Tier, reason: str) -> None:
    while waiting := session.batches.waiting_items(principal, batch.batch_id, tier.number, _PAGE):
        left = [replace(item, status=ItemStatus.FAILED, error=reason, error_type="dependency") for item in waiting]
        session.batches.update_items(principal, left)
        if batch.tells_objects_of(tier):
            ids = [item.source_id for item in waiting]
            session.objects.set_status(principal, ids, TaskStatus.FAILED, reason)


def progress(session: Session, principal: Principal, batch: Batch, is_taken_up: bool = False) -> dict[str, JSON]:
    """How far a batch is, for its task."""
    task = None if is_taken_up else session.tasks.get(principal, batch.task_id or "")
    now = datetime.now(UTC)
    found = progress_of(session, principal, batch, task, now)
    return {
        "batch_id": batch.batch_id,
        "bucket_id": batch.bucket_id,
        "current_tier": batch.current_tier,
        "total_tiers": len(batch.tiers),
        **facts_of(found),
        **(taken_up(found, now) if is_taken_up else {}),
    }


def note_progress(session: Session, principal: Principal, batch: Batch) -> None:
    _set_task(session, principal, batch.task_id, TaskStatus.PROCESSING, progress(session, principal, batch))


def failures(session: Session, principal: Principal, batch_id: str) -> tuple[dict[str, int], str | None]:
    """(failed sources by ErrorCategory, the first one's reason)."""
    summary: Counter[str] = Counter()
    reason = None
    offset = 0
    while True:
        page = session.batches.items(principal, batch_id, ItemStatus.FAILED, None, None, _PAGE, offset)
        summary.update(item.error_type or "runtime" for item in page.items)
        reason = reason or next((item.error for item in page.items), None)
        offset += len(page.items)
        if not page.has_next:
            return dict(summary), reason


def _verdict(done: int, failed: int) -> TaskStatus:
    if not failed:
        return TaskStatus.COMPLETED
    return TaskStatus.COMPLETED_WITH_ERRORS if done else TaskStatus.FAILED


def _totals(counts: Mapping[tuple[int, ItemStatus], int]) -> Counter[ItemStatus]:
    totals: Counter[ItemStatus] = Counter()
    for (_, status), count in counts.items():
        totals[status] += count
    return totals


def _with_tier(batch: Batch, tier: Tier) -> Batch:
    return replace(batch, tiers=tuple(tier if other.number == tier.number else other for other in batch.tiers))


def _set_task(
    session: Session,
    principal: Principal,
    task_id: str | None,
    status: TaskStatus,
    facts: Mapping[str, JSON],
    error: str | None = None,
) -> None:
    task = session.tasks.get(principal, task_id) if task_id else None
    # A cancelled task stays cancelled, whatever was still under way.
    if task is not None and task.status is not TaskStatus.CANCELED:
        data = {**task.additional_data, **facts}
        session.tasks.replace(
            principal,
            replace(task, status=status, error=error, additional_data=data, updated_at=datetime.now(UTC)),
        )


def _mark_objects(session: Session, principal: Principal, batch: Batch) -> None:
    """Where several collections take an object, it is complete once all have it, and failed if one could not."""
    session.objects.set_status(principal, batch.object_ids, TaskStatus.COMPLETED)
    offset = 0
    while True:
        page = session.batches.items(principal, batch.batch_id, ItemStatus.FAILED, 0, None, _PAGE, offset)
        for item in page.items:
            session.objects.set_status(principal, [item.source_id], TaskStatus.FAILED, item.error)
        offset += len(page.items)
        if not page.has_next:
            return
