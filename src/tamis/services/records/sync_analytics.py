"""How runs of a bucket's syncs went: each run is a task, which says how far it came and stays when the run is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.batch import Task, TaskStatus
from tamis.model.bucket import Bucket
from tamis.model.principal import Principal
from tamis.services.data.bucket_syncs import SYNC_TASK, find_sync
from tamis.services.data.buckets import require_bucket
from tamis.services.records.spans import Span, last

NEWEST_RUNS = 10_000
"""Figures are of so many of the namespace's newest runs."""
_PAGE = 500
_GOOD = (TaskStatus.COMPLETED, TaskStatus.COMPLETED_WITH_ERRORS)
_GONE = "deleted"


@dataclass(frozen=True, slots=True)
class SyncRun:
    """run_id: its task's.  discovered: files that passed the filters; None until all are listed.

    size_bytes: of what was read.  duration_s: so far, where it is under way.
    """

    run_id: str
    sync_id: str
    provider: str
    begun_at: datetime
    duration_s: float
    status: TaskStatus
    synced: int
    failed: int
    discovered: int | None
    size_bytes: int

    @property
    def is_good(self) -> bool:
        return self.status in _GOOD

    @property
    def is_over(self) -> bool:
        return self.status.is_final


@dataclass(frozen=True, slots=True)
class SyncRuns:
    """runs: newest first.  is_whole: false where there were more than `NEWEST_RUNS`."""

    bucket: Bucket
    span: Span
    syncs: Sequence[tuple[str, str]]
    """(id, provider) of the bucket's syncs, newest first."""
    runs: Sequence[SyncRun]
    is_whole: bool


class SyncAnalytics:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def runs(self, principal: Principal, bucket: str, hours: int, sync_id: str | None = None) -> SyncRuns:
        """Of the syncs that are there; sync_id: of this one alone. Raises: NotFoundError (bucket, sync)."""
        now = self._clock.now()
        span = last(now, hours)

        def read(session: Session) -> SyncRuns:
            found = require_bucket(session, principal, bucket)
            syncs = session.bucket_syncs.list(principal, found.bucket_id)
            if sync_id is not None:
                syncs = [find_sync(session, principal, found.bucket_id, sync_id)]
            providers = {one.sync_id: _provider(session, principal, one.connection_id) for one in syncs}
            tasks = list(_tasks(session, principal, span))
            of = [(task, str(task.additional_data.get("sync_config_id"))) for task in tasks]
            runs = [_run(task, key, providers[key], now) for task, key in of if key in providers]
            return SyncRuns(found, span, list(providers.items()), runs, len(tasks) < NEWEST_RUNS)

        return await self._metadata.read(read)


def _tasks(session: Session, principal: Principal, span: Span) -> Iterator[Task]:
    for offset in range(0, NEWEST_RUNS, _PAGE):
        page = session.tasks.page(principal, _PAGE, offset, kind=SYNC_TASK).items
        yield from (task for task in page if task.created_at >= span.start)
        if len(page) < _PAGE or page[-1].created_at < span.start:
            return


def _provider(session: Session, principal: Principal, connection_id: str) -> str:
    connection = session.storage_connections.get(principal, connection_id)
    return _GONE if connection is None else connection.provider.value


def _run(task: Task, sync_id: str, provider: str, now: datetime) -> SyncRun:
    took = (task.updated_at if task.status.is_final else now) - task.created_at
    handled, failed = _count(task, "processed_files") or 0, _count(task, "failed_files") or 0
    return SyncRun(
        run_id=task.task_id,
        sync_id=sync_id,
        provider=provider,
        begun_at=task.created_at,
        duration_s=max(0.0, took.total_seconds()),
        status=task.status,
        synced=handled - failed,
        failed=failed,
        discovered=_count(task, "discovered_files"),
        size_bytes=_count(task, "size_bytes") or 0,
    )


def _count(task: Task, name: str) -> int | None:
    value = task.additional_data.get(name)
    return value if isinstance(value, int) else None
