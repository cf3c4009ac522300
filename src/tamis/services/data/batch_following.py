"""A batch's progress as it happens, for readers who would otherwise ask again and again."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.batch import Batch, Task, TaskStatus
from tamis.model.principal import Principal
from tamis.services.data.batch_progress import BatchProgress, told_progress
from tamis.services.data.batches import require_batch

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class BatchStep:
    """How far a batch is. progress: None before its first source was taken up."""

    batch_id: str
    task_id: str | None
    status: TaskStatus
    progress: BatchProgress | None = None
    error: str | None = None


class BatchFollowing:
    """is_ending: whether the server stops; who follows then is let go, and may ask again.

    poll_s: how often to look.  heartbeat_s: how long to say nothing, at most.
    """

    def __init__(
        self,
        metadata: Metadata,
        is_ending: Callable[[], bool] = lambda: False,
        heartbeat_s: float = 15.0,
        poll_s: float = POLL_S,
    ) -> None:
        self._metadata = metadata
        self._is_ending = is_ending
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s

    async def begin(self, principal: Principal, bucket: str, batch_id: str) -> BatchStep:
        """The batch as it is. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: _of_batch(session, principal, bucket, batch_id))

    async def follow(
        self, principal: Principal, bucket: str, begun: BatchStep
    ) -> AsyncGenerator[BatchStep | None, None]:
        """`begun`, then the batch after each change, the last time at its end; None where nothing changed for long.

        It ends early where the batch is deleted.  Cost: a look-up by key each `poll_s`.
        """
        step: BatchStep | None = begun
        told, told_at = None, monotonic()
        while step is not None and not self._is_ending():
            if step != told:
                told, told_at = step, monotonic()
                yield step
                if step.status.is_final:
                    return
            elif monotonic() - told_at >= self._heartbeat_s:
                told_at = monotonic()
                yield None
            await asyncio.sleep(self._poll_s)
            step = await self._metadata.read(partial(_next, principal=principal, bucket=bucket, before=begun))
            begun = step or begun


def _next(session: Session, principal: Principal, bucket: str, before: BatchStep) -> BatchStep | None:
    """By its task, which is the smaller of the two and says all of it; by the batch, where it has none (yet)."""
    task = session.tasks.get(principal, before.task_id) if before.task_id else None
    if task is not None:
        return _step(before.batch_id, task)
    batch = session.batches.get(principal, before.batch_id)
    return None if batch is None else _of_batch(session, principal, bucket, before.batch_id)


def _of_batch(session: Session, principal: Principal, bucket: str, batch_id: str) -> BatchStep:
    _, batch = require_batch(session, principal, bucket, batch_id)
    task = session.tasks.get(principal, batch.task_id) if batch.task_id else None
    return _without_task(batch) if task is None else _step(batch_id, task)


def _without_task(batch: Batch) -> BatchStep:
    return BatchStep(batch.batch_id, batch.task_id, batch.status, error=batch.error)


def _step(batch_id: str, task: Task) -> BatchStep:
    return BatchStep(batch_id, task.task_id, task.status, told_progress(task), task.error)
