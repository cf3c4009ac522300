"""What keeps a bucket as a folder of somebody else's storage is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.batch import TaskStatus
from tamis.model.json import JSON


class SyncMode(StrEnum):
    """INITIAL_ONLY: one run, and then only when it is asked for."""

    INITIAL_ONLY = "initial_only"
    CONTINUOUS = "continuous"


@dataclass(frozen=True, slots=True)
class FileFilters:
    """A file must pass all of them. Patterns are globs, of a path or, without a slash, of a name.

    size: bytes, both bounds in.  mime_types: by the file's name; `image/*` is every image.
    """

    include_patterns: tuple[str, ...] = ()
    exclude_patterns: tuple[str, ...] = ()
    mime_types: tuple[str, ...] = ()
    min_size_bytes: int | None = None
    max_size_bytes: int | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """Of files, over all runs; discovered: those that passed the filters, as the newest run found them."""

    discovered: int = 0
    synced: int = 0
    failed: int = 0
    deleted: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class BucketSync:
    """source_path: within the connection.  interval_s: between runs of a continuous one.

    run_id, task_id: of the run that is under way.  runs: begun so far.  failures: runs in a row that failed.
    handled, run_failed, run_size_bytes: files and bytes of the run that is under way, or was the last.
    due_at: when the next begins by itself; None, not by itself.
    keeps_deleted: whether objects stay whose files have gone.  submits: whether batches are made and submitted.
    batch_ids, task_ids: of the newest batches.
    """

    sync_id: str
    bucket_id: str
    connection_id: str
    source_path: str
    created_at: datetime
    updated_at: datetime
    mode: SyncMode = SyncMode.CONTINUOUS
    filters: FileFilters | None = None
    interval_s: int = 300
    batch_size: int = 50
    submits: bool = True
    keeps_deleted: bool = False
    description: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    created_by: str = ""
    status: TaskStatus = TaskStatus.PENDING
    is_active: bool = True
    paused_at: datetime | None = None
    paused_by: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    begun_at: datetime | None = None
    due_at: datetime | None = None
    last_synced_at: datetime | None = None
    last_run_id: str | None = None
    last_error: str | None = None
    failures: int = 0
    runs: int = 0
    counts: SyncCounts = SyncCounts()
    handled: int = 0
    run_failed: int = 0
    run_size_bytes: int = 0
    batches: int = 0
    batch_ids: tuple[str, ...] = ()
    task_ids: tuple[str, ...] = ()

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


class FileState(StrEnum):
    """WAITING: in the bucket, and in no batch yet."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SyncedFile:
    """What became of a file. fingerprint: of what was read, or could not be.

    object_id: also of a failed one, where an earlier state of it is in the bucket.  attempts: in a row that failed.
    """

    path: str
    fingerprint: str
    state: FileState
    size_bytes: int = 0
    object_id: str | None = None
    attempts: int = 0
    error: str | None = None
