# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `batches` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationMetadata
    from tamis.client.served.types_tasks import TaskStatusEnum


class AddObjectsToBatchRequest(TypedDict):
    object_ids: list[str]


class BatchErrorDetail(TypedDict):
    affected_count: NotRequired[int]
    affected_document_ids: NotRequired[list[str]]
    component: NotRequired[str | None]
    error_type: ErrorCategory
    message: str
    metadata: NotRequired[dict[str, Any]]
    recovery_suggestion: NotRequired[str | None]
    stage: NotRequired[str | None]
    timestamp: str
    traceback: NotRequired[str | None]


class BatchEvent(TypedDict):
    batch_id: str
    error: NotRequired[str | None]
    event_type: Literal["batch_progress", "batch_end"]
    progress: NotRequired[BatchProgressModel | None]
    status: TaskStatusEnum
    task_id: NotRequired[str | None]


class BatchModel(TypedDict):
    batch_id: str
    bucket_id: str
    collection_ids: NotRequired[list[str] | None]
    created_at: str
    current_tier: NotRequired[int | None]
    dag_tiers: NotRequired[list[list[str]] | None]
    error: NotRequired[str | None]
    error_summary: NotRequired[dict[str, int] | None]
    internal_metadata: NotRequired[dict[str, Any] | None]
    loaded_object_ids: NotRequired[list[str] | None]
    manifest_key: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any]]
    object_ids: NotRequired[list[str]]
    progress: NotRequired[BatchProgressModel | None]
    status: NotRequired[TaskStatusEnum]
    task_id: NotRequired[str | None]
    tier_tasks: NotRequired[list[TierTaskInfo]]
    total_tiers: NotRequired[int]
    type: NotRequired[BatchType]
    updated_at: str


class BatchProgressModel(TypedDict):
    percentage: float
    seconds_left: NotRequired[float | None]
    sources_done: int
    sources_failed: int
    sources_left: int
    sources_per_s: NotRequired[float | None]
    sources_total: int


BatchType: TypeAlias = Literal["BUCKET", "COLLECTION"]


class CreateBatchRequest(TypedDict):
    batch_name: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    object_ids: list[str]


ErrorCategory: TypeAlias = Literal["dependency", "authentication", "validation", "runtime", "network", "resource"]


class ListBatchesRequest(TypedDict):
    limit: NotRequired[int]
    offset: NotRequired[int]
    status: NotRequired[TaskStatusEnum | None]


class ListBatchesResponse(TypedDict):
    batches: list[BatchModel]
    pagination: PaginationMetadata
    results: list[BatchModel]
    total_count: int


class PatchBatchRequest(TypedDict):
    metadata: NotRequired[dict[str, Any] | None]


class RetryBatchRequest(TypedDict):
    max_retry_count: NotRequired[int]
    retry_mode: NotRequired[Literal["transient_only", "all"]]
    tier_nums: NotRequired[list[int] | None]


class SubmitBatchRequest(TypedDict):
    include_processing_history: NotRequired[bool]


class TierTaskInfo(TypedDict):
    collection_ids: list[str]
    completed_at: NotRequired[str | None]
    error_summary: NotRequired[dict[str, int] | None]
    errors: NotRequired[list[BatchErrorDetail]]
    parent_task_id: NotRequired[str | None]
    performance: NotRequired[dict[str, Any] | None]
    ray_job_id: NotRequired[str | None]
    source_collection_ids: NotRequired[list[str] | None]
    source_type: str
    started_at: NotRequired[str | None]
    status: NotRequired[TaskStatusEnum]
    task_id: NotRequired[str | None]
    tier_num: int
