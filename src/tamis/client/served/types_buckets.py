# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `buckets` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse
    from tamis.client.served.types_tasks import TaskStatusEnum


class BatchStatistics(TypedDict):
    active: NotRequired[int]
    completed: NotRequired[int]
    failed: NotRequired[int]
    total: NotRequired[int]


class BucketCreateRequest(TypedDict):
    bucket_name: str
    bucket_schema: BucketSchemaInput
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    unique_key: NotRequired[UniqueKeyConfig | None]


class BucketListStats(TypedDict):
    avg_objects_per_bucket: NotRequired[float]
    avg_size_per_bucket: NotRequired[float]
    total_objects: NotRequired[int]
    total_size_bytes: NotRequired[int]


class BucketPatchRequest(TypedDict):
    bucket_name: NotRequired[str | None]
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class BucketResponse(TypedDict):
    batch_stats: NotRequired[BatchStatistics | None]
    bucket_id: NotRequired[str | None]
    bucket_name: str
    bucket_schema: NotRequired[BucketSchemaOutput | None]
    created_at: NotRequired[str | None]
    description: NotRequired[str | None]
    is_locked: NotRequired[bool]
    last_upload_at: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any]]
    object_count: int
    status: NotRequired[TaskStatusEnum]
    storage_stats: NotRequired[StorageStatistics | None]
    total_size_bytes: int
    unique_key: NotRequired[UniqueKeyConfig | None]
    updated_at: NotRequired[str | None]


BucketSchemaInput: TypeAlias = dict[str, Any]

BucketSchemaOutput: TypeAlias = dict[str, Any]


class BucketUpdateRequest(TypedDict):
    bucket_name: NotRequired[str | None]
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class ListBucketsRequest(TypedDict):
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


class ListBucketsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[BucketResponse]
    stats: NotRequired[BucketListStats | None]
    total_count: int


class StorageStatistics(TypedDict):
    avg_size_bytes: NotRequired[int]
    max_size_bytes: NotRequired[int]
    min_size_bytes: NotRequired[int]
    total_size_bytes: NotRequired[int]


class UniqueKeyConfig(TypedDict):
    default_policy: NotRequired[Literal["insert", "update", "upsert"] | None]
    fields: list[str]
