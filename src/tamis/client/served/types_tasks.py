# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `tasks` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse


class ListTasksRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    search: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]
    status: NotRequired[TaskStatusEnum | None]
    task_type: NotRequired[TaskType | None]


class ListTasksResponse(TypedDict):
    pagination: PaginationResponse
    results: list[TaskResponse]


class TaskResponse(TypedDict):
    additional_data: NotRequired[dict[str, Any] | None]
    error: NotRequired[str | None]
    inputs: NotRequired[list[str | dict[str, Any]] | None]
    outputs: NotRequired[list[str | dict[str, Any]] | None]
    status: TaskStatusEnum
    task_id: str
    task_type: TaskType


TaskStatusEnum: TypeAlias = Literal[
    "PENDING",
    "IN_PROGRESS",
    "PROCESSING",
    "COMPLETED",
    "COMPLETED_WITH_ERRORS",
    "FAILED",
    "CANCELED",
    "UNKNOWN",
    "SKIPPED",
    "DRAFT",
    "ACTIVE",
    "ARCHIVED",
    "SUSPENDED",
]

TaskType: TypeAlias = Literal[
    "api_namespaces_create",
    "api_namespaces_migrations_run",
    "api_buckets_objects_create",
    "api_buckets_delete",
    "api_buckets_batches_process",
    "api_buckets_batches_submit",
    "api_buckets_uploads_create",
    "api_buckets_uploads_confirm",
    "api_buckets_uploads_batch_confirm",
    "api_taxonomies_create",
    "api_taxonomies_execute",
    "api_taxonomies_materialize",
    "api_evaluations_run",
    "api_evaluations_dataset_create",
    "engine_feature_extractor_run",
    "engine_inference_run",
    "engine_object_processing",
    "engine_cluster_build",
    "thumbnail",
    "video_segment",
    "materialize",
]
