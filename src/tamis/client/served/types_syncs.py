# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `syncs` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse, TaskStatus


class FileFilters(TypedDict):
    exclude_patterns: NotRequired[list[str] | None]
    include_patterns: NotRequired[list[str] | None]
    max_size_bytes: NotRequired[int | None]
    mime_types: NotRequired[list[str] | None]
    min_size_bytes: NotRequired[int | None]
    modified_after: NotRequired[str | None]
    modified_before: NotRequired[str | None]


FileState: TypeAlias = Literal["waiting", "done", "failed"]


class ListSyncConfigurationsRequest(TypedDict):
    connection_id: NotRequired[str | None]
    is_active: NotRequired[bool | None]
    status: NotRequired[TaskStatus | None]


class SyncConfigurationModel(TypedDict):
    batch_chunk_size: NotRequired[int]
    batch_ids: NotRequired[list[str]]
    batch_size: NotRequired[int]
    batches_created: NotRequired[int]
    bucket_id: str
    connection_id: str
    consecutive_failures: NotRequired[int]
    create_object_on_confirm: NotRequired[bool]
    created_at: str
    created_by_user_id: str
    current_sync_run_id: NotRequired[str | None]
    current_task_id: NotRequired[str | None]
    description: NotRequired[str | None]
    file_filters: NotRequired[FileFilters | None]
    internal_id: str
    is_active: NotRequired[bool]
    keep_deleted: NotRequired[bool]
    last_error: NotRequired[str | None]
    last_sync_at: NotRequired[str | None]
    lock_expires_at: NotRequired[str | None]
    locked_at: NotRequired[str | None]
    locked_by_worker_id: NotRequired[str | None]
    max_batch_chunk_size: NotRequired[int]
    max_objects_per_run: NotRequired[int]
    metadata: NotRequired[dict[str, Any]]
    namespace_id: str
    next_sync_at: NotRequired[str | None]
    pause_reason: NotRequired[str | None]
    paused: NotRequired[bool]
    paused_at: NotRequired[str | None]
    paused_by_user_id: NotRequired[str | None]
    polling_interval_seconds: NotRequired[int]
    resume_checkpoint_frequency: NotRequired[int]
    resume_cursor: NotRequired[str | None]
    resume_enabled: NotRequired[bool]
    resume_last_primary_key: NotRequired[str | None]
    resume_objects_processed: NotRequired[int]
    skip_batch_submission: NotRequired[bool]
    skip_duplicates: NotRequired[bool]
    source_path: str
    status: NotRequired[TaskStatus]
    sync_config_id: str
    sync_mode: NotRequired[SyncMode]
    sync_run_counter: NotRequired[int]
    task_ids: NotRequired[list[str]]
    total_bytes_synced: NotRequired[int]
    total_files_deleted: NotRequired[int]
    total_files_discovered: NotRequired[int]
    total_files_failed: NotRequired[int]
    total_files_synced: NotRequired[int]
    updated_at: str


class SyncCreateRequest(TypedDict):
    batch_size: NotRequired[int]
    connection_id: str
    file_filters: NotRequired[dict[str, Any] | None]
    keep_deleted: NotRequired[bool]
    metadata: NotRequired[dict[str, Any] | None]
    polling_interval_seconds: NotRequired[int]
    skip_batch_submission: NotRequired[bool]
    source_path: str
    sync_mode: NotRequired[SyncMode]


class SyncDeleteResponse(TypedDict):
    message: str
    sync_config_id: str


class SyncListResponse(TypedDict):
    pagination: PaginationResponse
    results: list[SyncConfigurationModel]
    total: int


SyncMode: TypeAlias = Literal["initial_only", "continuous"]


class SyncTriggerResponse(TypedDict):
    status: TaskStatus
    sync_config_id: str
    sync_job_id: str
    task_id: str


class SyncUpdateRequest(TypedDict):
    batch_size: NotRequired[int | None]
    description: NotRequired[str | None]
    is_active: NotRequired[bool | None]
    metadata: NotRequired[dict[str, Any] | None]
    polling_interval_seconds: NotRequired[int | None]
    skip_batch_submission: NotRequired[bool | None]
    status: NotRequired[TaskStatus | None]


class SyncedFileModel(TypedDict):
    attempts: int
    error: NotRequired[str | None]
    object_id: NotRequired[str | None]
    path: str
    size_bytes: int
    state: FileState


class SyncedFilesResponse(TypedDict):
    files: list[SyncedFileModel]
    next_after: NotRequired[str | None]
