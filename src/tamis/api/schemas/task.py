"""Tasks on the wire."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from tamis.api.schemas.filters import LogicalOperator, SortOption
from tamis.api.schemas.page import PaginationResponse


class TaskStatusEnum(StrEnum):
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    SUSPENDED = "SUSPENDED"


class TaskType(StrEnum):
    API_NAMESPACES_CREATE = "api_namespaces_create"
    API_NAMESPACES_MIGRATIONS_RUN = "api_namespaces_migrations_run"
    API_BUCKETS_OBJECTS_CREATE = "api_buckets_objects_create"
    API_BUCKETS_DELETE = "api_buckets_delete"
    API_BUCKETS_BATCHES_PROCESS = "api_buckets_batches_process"
    API_BUCKETS_BATCHES_SUBMIT = "api_buckets_batches_submit"
    API_BUCKETS_UPLOADS_CREATE = "api_buckets_uploads_create"
    API_BUCKETS_UPLOADS_CONFIRM = "api_buckets_uploads_confirm"
    API_BUCKETS_UPLOADS_BATCH_CONFIRM = "api_buckets_uploads_batch_confirm"
    API_TAXONOMIES_CREATE = "api_taxonomies_create"
    API_TAXONOMIES_EXECUTE = "api_taxonomies_execute"
    API_TAXONOMIES_MATERIALIZE = "api_taxonomies_materialize"
    API_EVALUATIONS_RUN = "api_evaluations_run"
    API_EVALUATIONS_DATASET_CREATE = "api_evaluations_dataset_create"
    ENGINE_FEATURE_EXTRACTOR_RUN = "engine_feature_extractor_run"
    ENGINE_INFERENCE_RUN = "engine_inference_run"
    ENGINE_OBJECT_PROCESSING = "engine_object_processing"
    ENGINE_CLUSTER_BUILD = "engine_cluster_build"
    THUMBNAIL = "thumbnail"
    VIDEO_SEGMENT = "video_segment"
    MATERIALIZE = "materialize"


class ListTasksRequest(BaseModel):
    filters: LogicalOperator | None = None
    search: str | None = None
    sort: SortOption | None = None
    status: TaskStatusEnum | None = None
    task_type: TaskType | None = None


class TaskResponse(BaseModel):
    additional_data: dict[str, Any] | None = None
    error: str | None = None
    inputs: list[str | dict[str, Any]] | None = None
    outputs: list[str | dict[str, Any]] | None = None
    status: TaskStatusEnum
    task_id: str
    task_type: TaskType


class ListTasksResponse(BaseModel):
    pagination: PaginationResponse
    results: list[TaskResponse]
