"""Syncs of buckets: what is kept in step with a storage of somebody else's, and when."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.batch import Task, TaskStatus
from tamis.model.bucket_sync import BucketSync, FileFilters, FileState, SyncedFile, SyncMode
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.access.storage_connections import StorageConnectionService
from tamis.services.data.buckets import require_bucket
from tamis.services.json_values import check_json

MOST_FILES = 100_000
"""Of one run; with more of them nothing is taken for deleted."""
BATCH_OBJECTS = 100
SYNC_TASK = "api_buckets_objects_create"
_MOST_PATTERNS, _LONGEST_PATTERN = 100, 256
_SETTABLE = (TaskStatus.ACTIVE, TaskStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class SyncDraft:
    """connection: id or name."""

    connection: str
    source_path: str
    mode: SyncMode = SyncMode.CONTINUOUS
    filters: FileFilters | None = None
    interval_s: int = 300
    batch_size: int = 50
    submits: bool = True
    keeps_deleted: bool = False
    metadata: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class SyncChange:
    """None leaves what is there."""

    interval_s: int | None = None
    batch_size: int | None = None
    submits: bool | None = None
    description: str | None = None
    metadata: Mapping[str, JSON] | None = None
    is_active: bool | None = None


class BucketSyncService:
    def __init__(
        self, metadata: Metadata, connections: StorageConnectionService, clock: Clock, wake: Callable[[], None]
    ) -> None:
        """wake: tells the worker that a run has begun, or is due."""
        self._metadata = metadata
        self._connections = connections
        self._clock = clock
        self._wake = wake

    async def create(self, principal: Principal, bucket: str, draft: SyncDraft) -> BucketSync:
        """Its first run is due at once.

        Raises: NotFoundError (bucket, connection), ConflictError (connection suspended), ValidationError,
        StorageConnectionError where the path is not there, OutsideRefusedError.
        """
        _check(draft)
        await self._metadata.read(lambda session: require_bucket(session, principal, bucket))
        connection, storage = await self._connections.open(principal, draft.connection)
        path = draft.source_path.strip("/")
        await storage.check(path)

        def create(session: Session) -> BucketSync:
            now = self._clock.now()
            sync = BucketSync(
                new_id("sync"), require_bucket(session, principal, bucket).bucket_id, connection.connection_id, path,
                now, now, draft.mode, draft.filters, draft.interval_s, draft.batch_size, draft.submits,
                draft.keeps_deleted, metadata=draft.metadata or {}, created_by=principal.user_id or "", due_at=now,
            )  # fmt: skip
            session.bucket_syncs.insert(principal, sync)
            return sync

        made = await self._metadata.write(create)
        self._wake()
        return made

    async def get(self, principal: Principal, bucket: str, sync_id: str) -> BucketSync:
        """Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_sync(session, principal, bucket, sync_id))

    async def list(self, principal: Principal, bucket: str) -> Sequence[BucketSync]:
        """Newest first. Raises: NotFoundError (bucket)."""

        def read(session: Session) -> Sequence[BucketSync]:
            return session.bucket_syncs.list(principal, require_bucket(session, principal, bucket).bucket_id)

        return await self._metadata.read(read)

    async def all(self, principal: Principal) -> Sequence[BucketSync]:
        """Of every bucket of the namespace, newest first."""

        def read(session: Session) -> Sequence[BucketSync]:
            buckets = session.buckets.list(principal)
            every = [one for bucket in buckets for one in session.bucket_syncs.list(principal, bucket.bucket_id)]
            return sorted(every, key=lambda one: (one.created_at, one.sync_id), reverse=True)

        return await self._metadata.read(read)

    async def change(self, principal: Principal, bucket: str, sync_id: str, change: SyncChange) -> BucketSync:
        """Raises: NotFoundError, ValidationError."""
        check_json(dict(change.metadata or {}), ["body", "metadata"])

        def alter(sync: BucketSync, now: datetime) -> BucketSync:
            active = sync.is_active if change.is_active is None else change.is_active
            after = replace(
                sync,
                interval_s=change.interval_s or sync.interval_s,
                batch_size=change.batch_size or sync.batch_size,
                submits=sync.submits if change.submits is None else change.submits,
                description=sync.description if change.description is None else change.description or None,
                metadata=sync.metadata if change.metadata is None else change.metadata,
                is_active=active,
                failures=0 if active and not sync.is_active else sync.failures,
            )
            return scheduled(after, now)

        return await self._altered(principal, bucket, sync_id, alter)

    async def pause(self, principal: Principal, bucket: str, sync_id: str) -> BucketSync:
        """No run begins by itself or by being asked for; one under way goes on to its end."""

        def pause(sync: BucketSync, now: datetime) -> BucketSync:
            if sync.is_paused:
                return sync
            return replace(sync, paused_at=now, paused_by=principal.user_id, due_at=None, status=TaskStatus.SUSPENDED)

        return await self._altered(principal, bucket, sync_id, pause)

    async def resume(self, principal: Principal, bucket: str, sync_id: str) -> BucketSync:
        """A continuous one is due at once."""

        def resume(sync: BucketSync, now: datetime) -> BucketSync:
            if not sync.is_paused:
                return sync
            after = replace(sync, paused_at=None, paused_by=None, status=resting(sync))
            return replace(after, due_at=now) if scheduled(after, now).due_at is not None else after

        return await self._altered(principal, bucket, sync_id, resume)

    async def delete(self, principal: Principal, bucket: str, sync_id: str) -> None:
        """The objects that it brought stay; a run under way ends. Raises: NotFoundError."""

        def remove(session: Session) -> None:
            sync = find_sync(session, principal, bucket, sync_id)
            if sync.task_id is not None:
                end_task(session, principal, sync.task_id, TaskStatus.CANCELED, "the sync was deleted", {}, self._clock)
            session.bucket_syncs.delete(principal, sync_id)

        await self._metadata.write(remove)

    async def trigger(self, principal: Principal, bucket: str, sync_id: str) -> BucketSync:
        """Begin a run now. Raises: NotFoundError, ConflictError where one is under way or it is paused."""

        def begin(session: Session) -> BucketSync:
            return begin_run(session, principal, find_sync(session, principal, bucket, sync_id), self._clock.now())

        begun = await self._metadata.write(begin)
        self._wake()
        return begun

    async def files(
        self, principal: Principal, bucket: str, sync_id: str, state: FileState | None, after: str, limit: int
    ) -> Sequence[SyncedFile]:
        """What became of each file, by path, behind `after`. state: None takes all."""

        def read(session: Session) -> Sequence[SyncedFile]:
            find_sync(session, principal, bucket, sync_id)
            if state is None:
                return session.bucket_syncs.following(principal, sync_id, after, limit)
            return session.bucket_syncs.files_in(principal, sync_id, state, after, limit)

        return await self._metadata.read(read)

    async def _altered(
        self, principal: Principal, bucket: str, sync_id: str, alter: Callable[[BucketSync, datetime], BucketSync]
    ) -> BucketSync:
        def write(session: Session) -> BucketSync:
            now = self._clock.now()
            after = replace(alter(find_sync(session, principal, bucket, sync_id), now), updated_at=now)
            session.bucket_syncs.replace(principal, after)
            return after

        altered = await self._metadata.write(write)
        self._wake()
        return altered


def find_sync(session: Session, principal: Principal, bucket: str, sync_id: str) -> BucketSync:
    """Raises: NotFoundError."""
    found = require_bucket(session, principal, bucket)
    sync = session.bucket_syncs.get(principal, sync_id)
    if sync is None or sync.bucket_id != found.bucket_id:
        raise NotFoundError.of("sync", sync_id)
    return sync


def begin_run(session: Session, principal: Principal, sync: BucketSync, now: datetime) -> BucketSync:
    """With its task. Raises: ConflictError where one is under way, or it is paused."""
    if sync.run_id is not None:
        raise ConflictError("a run of this sync is under way", task_id=sync.task_id)
    if sync.is_paused:
        raise ConflictError("this sync is paused; resume it first")
    facts = facts_of(replace(sync, handled=0, run_failed=0, run_size_bytes=0))
    task = Task(new_id("task"), SYNC_TASK, TaskStatus.PENDING, now, now, additional_data=facts)
    session.tasks.insert(principal, task)
    begun = replace(
        sync, run_id=new_id("run"), task_id=task.task_id, begun_at=now, due_at=None, runs=sync.runs + 1, handled=0,
        run_failed=0, run_size_bytes=0, status=TaskStatus.ACTIVE,
    )  # fmt: skip
    session.bucket_syncs.replace(principal, begun)
    return begun


def scheduled(sync: BucketSync, now: datetime) -> BucketSync:
    """With its next run, where it begins by itself: the interval is from the end of one run to the next."""
    waits = sync.mode is SyncMode.CONTINUOUS or sync.runs == 0
    if sync.run_id is not None or sync.is_paused or not sync.is_active or not waits:
        return replace(sync, due_at=None)
    return replace(sync, due_at=(sync.last_synced_at or now) + timedelta(seconds=sync.interval_s))


def resting(sync: BucketSync) -> TaskStatus:
    """Its status between runs."""
    if sync.is_paused:
        return TaskStatus.SUSPENDED
    if sync.failures:
        return TaskStatus.FAILED
    if sync.runs == 0:
        return TaskStatus.PENDING
    return TaskStatus.COMPLETED if sync.mode is SyncMode.INITIAL_ONLY else TaskStatus.ACTIVE


def facts_of(sync: BucketSync) -> dict[str, JSON]:
    """What the task of a run says of it."""
    return {
        "sync_config_id": sync.sync_id,
        "bucket_id": sync.bucket_id,
        "processed_files": sync.handled,
        "failed_files": sync.run_failed,
        "size_bytes": sync.run_size_bytes,
    }


def end_task(
    session: Session, principal: Principal, task_id: str, status: TaskStatus, error: str | None,
    facts: Mapping[str, JSON], clock: Clock,
) -> None:  # fmt: skip
    task = session.tasks.get(principal, task_id)
    if task is not None and not task.status.is_final:
        data = {**task.additional_data, **facts}
        ended = replace(task, status=status, error=error, updated_at=clock.now(), additional_data=data)
        session.tasks.replace(principal, ended)


def _check(draft: SyncDraft) -> None:
    """Raises: ValidationError."""
    check_json(dict(draft.metadata or {}), ["body", "metadata"])
    filters = draft.filters or FileFilters()
    for name in ("include_patterns", "exclude_patterns", "mime_types"):
        patterns: Sequence[str] = getattr(filters, name)
        if len(patterns) > _MOST_PATTERNS:
            raise ValidationError.at(["body", "file_filters", name], f"at most {_MOST_PATTERNS} patterns")
        for place, pattern in enumerate(patterns):
            if not 0 < len(pattern) <= _LONGEST_PATTERN or not _is_glob(pattern):
                message = f"a pattern as *.mp4 or */drafts/*, of 1 to {_LONGEST_PATTERN} characters"
                raise ValidationError.at(["body", "file_filters", name, place], message)
    low, high = filters.min_size_bytes, filters.max_size_bytes
    if low is not None and high is not None and low > high:
        raise ValidationError.at(["body", "file_filters", "max_size_bytes"], f"at least min_size_bytes, {low}")


def _is_glob(pattern: str) -> bool:
    try:
        fnmatch.fnmatchcase("", pattern)
    except ValueError:
        return False
    return pattern.isprintable()
