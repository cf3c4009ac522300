"""Syncs of buckets on the wire."""

from datetime import UTC, datetime
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from tamis.api.schemas.page import PaginationResponse
from tamis.errors import ValidationError
from tamis.model import bucket_sync
from tamis.model.batch import TaskStatus
from tamis.model.bucket_sync import BucketSync, FileState, SyncedFile, SyncMode
from tamis.model.principal import Principal
from tamis.services.data.bucket_syncs import BATCH_OBJECTS, MOST_FILES, SyncChange, SyncDraft

_SETTABLE = {TaskStatus.ACTIVE: True, TaskStatus.SUSPENDED: False}


class FileFilters(BaseModel):
    """A file must pass all of them. A pattern without a slash is of the name, else of the path below `source_path`."""

    model_config = ConfigDict(extra="forbid")

    exclude_patterns: list[str] | None = None
    include_patterns: list[str] | None = None
    max_size_bytes: int | None = Field(None, ge=0)
    mime_types: list[str] | None = None
    min_size_bytes: int | None = Field(None, ge=0)
    modified_after: datetime | None = None
    modified_before: datetime | None = None


class SyncCreateRequest(BaseModel):
    """source_path: what is copied, as `bucket/prefix`. keep_deleted: objects stay whose files have gone.

    skip_batch_submission: objects are made and not processed.
    """

    batch_size: int = Field(50, ge=1, le=100)
    connection_id: str
    file_filters: dict[str, Any] | None = None
    keep_deleted: bool = False
    metadata: dict[str, Any] | None = None
    polling_interval_seconds: int = Field(300, ge=30, le=900)
    skip_batch_submission: bool = False
    source_path: str = Field(..., max_length=1024)
    sync_mode: SyncMode = SyncMode.CONTINUOUS


class SyncUpdateRequest(BaseModel):
    """What is left out stays."""

    batch_size: int | None = Field(None, ge=1, le=100)
    description: str | None = Field(None, max_length=500)
    is_active: bool | None = None
    metadata: dict[str, Any] | None = None
    polling_interval_seconds: int | None = Field(None, ge=30, le=900)
    skip_batch_submission: bool | None = None
    status: TaskStatus | None = None


class ListSyncConfigurationsRequest(BaseModel):
    connection_id: str | None = None
    is_active: bool | None = None
    status: TaskStatus | None = None

    def fits(self, sync: BucketSync) -> bool:
        return (
            self.connection_id in (None, sync.connection_id)
            and self.is_active in (None, sync.is_active)
            and self.status in (None, sync.status)
        )


class SyncConfigurationModel(BaseModel):
    """total_files_discovered: that the newest whole run found. The other totals are of all runs.

    batch_ids, task_ids: the newest. current_sync_run_id: of the run under way, else of the last.
    """

    batch_chunk_size: int = Field(100, ge=1, le=1000)
    batch_ids: list[str] = Field(default_factory=list)
    batch_size: int = Field(50, ge=1, le=100)
    batches_created: int = Field(0, ge=0)
    bucket_id: str
    connection_id: str
    consecutive_failures: int = Field(0, ge=0)
    create_object_on_confirm: bool = True
    created_at: datetime
    created_by_user_id: str
    current_sync_run_id: str | None = None
    current_task_id: str | None = None
    description: str | None = None
    file_filters: FileFilters | None = None
    internal_id: str
    is_active: bool = True
    keep_deleted: bool = False
    last_error: str | None = Field(None, max_length=1000)
    last_sync_at: datetime | None = None
    lock_expires_at: datetime | None = None
    locked_at: datetime | None = None
    locked_by_worker_id: str | None = None
    max_batch_chunk_size: int = Field(1000, ge=1, le=1000)
    max_objects_per_run: int = Field(100_000, ge=1)
    metadata: dict[str, Any] = Field(default_factory=dict)
    namespace_id: str
    next_sync_at: datetime | None = None
    pause_reason: str | None = None
    paused: bool = False
    paused_at: datetime | None = None
    paused_by_user_id: str | None = None
    polling_interval_seconds: int = Field(300, ge=30, le=900)
    resume_checkpoint_frequency: int = Field(1000, ge=100, le=10_000)
    resume_cursor: str | None = None
    resume_enabled: bool = True
    resume_last_primary_key: str | None = None
    resume_objects_processed: int = Field(0, ge=0)
    skip_batch_submission: bool = False
    skip_duplicates: bool = True
    source_path: str
    status: TaskStatus = TaskStatus.PENDING
    sync_config_id: str
    sync_mode: SyncMode = SyncMode.CONTINUOUS
    sync_run_counter: int = Field(0, ge=0)
    task_ids: list[str] = Field(default_factory=list)
    total_bytes_synced: int = Field(0, ge=0)
    total_files_deleted: int = Field(0, ge=0)
    total_files_discovered: int = Field(0, ge=0)
    total_files_failed: int = Field(0, ge=0)
    total_files_synced: int = Field(0, ge=0)
    updated_at: datetime


class SyncListResponse(BaseModel):
    pagination: PaginationResponse
    results: list[SyncConfigurationModel]
    total: int


class SyncTriggerResponse(BaseModel):
    """task_id: of the task that tells how far the run is."""

    status: TaskStatus
    sync_config_id: str
    sync_job_id: str
    task_id: str


class SyncDeleteResponse(BaseModel):
    message: str
    sync_config_id: str


class SyncedFileModel(BaseModel):
    """state: `waiting` for a batch, `done`, or `failed` with the reason in `error`."""

    attempts: int
    error: str | None = None
    object_id: str | None = None
    path: str
    size_bytes: int
    state: FileState


class SyncedFilesResponse(BaseModel):
    """next_after: what `after` takes for the next ones; null where these were the last."""

    files: list[SyncedFileModel]
    next_after: str | None = None


def read_sync(body: SyncCreateRequest) -> SyncDraft:
    """Raises: ValidationError naming the filter."""
    return SyncDraft(
        body.connection_id, body.source_path, body.sync_mode, _read_filters(body.file_filters),
        body.polling_interval_seconds, body.batch_size, not body.skip_batch_submission, body.keep_deleted,
        body.metadata,
    )  # fmt: skip


def read_sync_change(body: SyncUpdateRequest) -> SyncChange:
    """Raises: ValidationError."""
    active = body.is_active
    if body.status is not None:
        if body.status not in _SETTABLE:
            raise ValidationError.at(["body", "status"], "ACTIVE or SUSPENDED; the others are what its runs came to")
        if active not in (None, _SETTABLE[body.status]):
            raise ValidationError.at(["body", "is_active"], "true is ACTIVE and false is SUSPENDED")
        active = _SETTABLE[body.status]
    submits = None if body.skip_batch_submission is None else not body.skip_batch_submission
    return SyncChange(body.polling_interval_seconds, body.batch_size, submits, body.description, body.metadata, active)


def show_sync(sync: BucketSync, principal: Principal) -> SyncConfigurationModel:
    counts = sync.counts
    return SyncConfigurationModel(
        batch_chunk_size=BATCH_OBJECTS,
        batch_ids=list(sync.batch_ids),
        batch_size=sync.batch_size,
        batches_created=sync.batches,
        bucket_id=sync.bucket_id,
        connection_id=sync.connection_id,
        consecutive_failures=sync.failures,
        created_at=sync.created_at,
        created_by_user_id=sync.created_by,
        current_sync_run_id=sync.run_id or sync.last_run_id,
        current_task_id=sync.task_id,
        description=sync.description,
        file_filters=_show_filters(sync.filters),
        internal_id=principal.organization_id,
        is_active=sync.is_active,
        keep_deleted=sync.keeps_deleted,
        last_error=sync.last_error,
        last_sync_at=sync.last_synced_at,
        max_objects_per_run=MOST_FILES,
        metadata=dict(sync.metadata),
        namespace_id=principal.namespace_id,
        next_sync_at=sync.due_at,
        paused=sync.is_paused,
        paused_at=sync.paused_at,
        paused_by_user_id=sync.paused_by,
        polling_interval_seconds=sync.interval_s,
        resume_objects_processed=sync.handled,
        skip_batch_submission=not sync.submits,
        # Each file has an object of its own; one whose content has not changed is not read again.
        skip_duplicates=False,
        source_path=sync.source_path,
        status=sync.status,
        sync_config_id=sync.sync_id,
        sync_mode=sync.mode,
        sync_run_counter=sync.runs,
        task_ids=list(sync.task_ids),
        total_bytes_synced=counts.size_bytes,
        total_files_deleted=counts.deleted,
        total_files_discovered=counts.discovered,
        total_files_failed=counts.failed,
        total_files_synced=counts.synced,
        updated_at=sync.updated_at,
    )


def show_synced_file(file: SyncedFile) -> SyncedFileModel:
    return SyncedFileModel(
        attempts=file.attempts,
        error=file.error,
        object_id=file.object_id,
        path=file.path,
        size_bytes=file.size_bytes,
        state=file.state,
    )


def _read_filters(raw: dict[str, Any] | None) -> bucket_sync.FileFilters | None:
    if raw is None:
        return None
    try:
        filters = FileFilters.model_validate(raw)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        known = f"; it takes {', '.join(FileFilters.model_fields)}" if "extra" in first["type"] else ""
        raise ValidationError.at(["body", "file_filters", *first["loc"]], f"{first['msg']}{known}") from None
    return bucket_sync.FileFilters(
        include_patterns=tuple(filters.include_patterns or ()),
        exclude_patterns=tuple(filters.exclude_patterns or ()),
        mime_types=tuple(filters.mime_types or ()),
        min_size_bytes=filters.min_size_bytes,
        max_size_bytes=filters.max_size_bytes,
        modified_after=_aware(filters.modified_after),
        modified_before=_aware(filters.modified_before),
    )


def _aware(moment: datetime | None) -> datetime | None:
    """A moment that names no zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _show_filters(filters: bucket_sync.FileFilters | None) -> FileFilters | None:
    if filters is None:
        return None
    return FileFilters(
        include_patterns=list(filters.include_patterns) or None,
        exclude_patterns=list(filters.exclude_patterns) or None,
        mime_types=list(filters.mime_types) or None,
        min_size_bytes=filters.min_size_bytes,
        max_size_bytes=filters.max_size_bytes,
        modified_after=filters.modified_after,
        modified_before=filters.modified_before,
    )
