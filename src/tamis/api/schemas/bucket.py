"""Buckets on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from tamis.api.schemas.fields import BucketSchema
from tamis.api.schemas.page import PaginationResponse
from tamis.api.schemas.task import TaskStatusEnum
from tamis.engine.ports.metadata import ObjectSizes
from tamis.errors import ValidationError
from tamis.model.batch import TaskStatus
from tamis.services.data.buckets import BucketDetails, BucketDraft


class UniqueKeyConfig(BaseModel):
    default_policy: Literal["insert", "update", "upsert"] | None = None
    fields: list[str] = Field(..., min_length=1)


class BucketCreateRequest(BaseModel):
    bucket_name: str
    bucket_schema: BucketSchema
    description: str | None = None
    metadata: dict[str, Any] | None = Field(default_factory=dict)
    unique_key: UniqueKeyConfig | None = None


class BucketUpdateRequest(BaseModel):
    bucket_name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None


class BucketPatchRequest(BucketUpdateRequest):
    pass


class BatchStatistics(BaseModel):
    active: int = 0
    completed: int = 0
    failed: int = 0
    total: int = 0


class StorageStatistics(BaseModel):
    """Sizes of the bucket's objects, each as large as its blobs together; the average is rounded down."""

    avg_size_bytes: int = 0
    max_size_bytes: int = 0
    min_size_bytes: int = 0
    total_size_bytes: int = 0


class BucketResponse(BaseModel):
    batch_stats: BatchStatistics | None = None
    bucket_id: str | None = None
    bucket_name: str
    bucket_schema: BucketSchema | None = None
    created_at: datetime | None = None
    description: str | None = None
    is_locked: bool = False
    last_upload_at: datetime | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    object_count: int
    status: TaskStatusEnum = TaskStatusEnum.ACTIVE
    storage_stats: StorageStatistics | None = None
    total_size_bytes: int
    unique_key: UniqueKeyConfig | None = None
    updated_at: datetime | None = None


class BucketListStats(BaseModel):
    avg_objects_per_bucket: float = 0.0
    avg_size_per_bucket: float = 0.0
    total_objects: int = 0
    total_size_bytes: int = 0


class ListBucketsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[BucketResponse]
    stats: BucketListStats | None = None
    total_count: int


_COMPLETED = (TaskStatus.COMPLETED, TaskStatus.COMPLETED_WITH_ERRORS)
_ACTIVE = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.PROCESSING)


def bucket_draft(body: BucketCreateRequest) -> BucketDraft:
    return BucketDraft(
        name=body.bucket_name,
        schema=body.bucket_schema.model_dump(mode="json", exclude_none=True),
        description=body.description,
        metadata=body.metadata or {},
        unique_key=body.unique_key.model_dump(mode="json") if body.unique_key else None,
    )


def bucket_changes(body: BucketUpdateRequest) -> dict[str, Any]:
    """What is sent, by the model's field names. Raises: ValidationError where the name is taken away."""
    sent = body.model_dump(include=body.model_fields_set)
    if "bucket_name" in sent:
        sent["name"] = sent.pop("bucket_name")
        if sent["name"] is None:
            raise ValidationError.at(["body", "bucket_name"], "a bucket has a name")
    if "metadata" in sent:
        sent["metadata"] = sent["metadata"] or {}
    return sent


def bucket_response(details: BucketDetails) -> BucketResponse:
    bucket = details.bucket
    return BucketResponse(
        batch_stats=_batch_stats(details),
        bucket_id=bucket.bucket_id,
        bucket_name=bucket.name,
        bucket_schema=BucketSchema.model_validate(bucket.schema),
        created_at=bucket.created_at,
        description=bucket.description,
        is_locked=bucket.is_locked,
        last_upload_at=details.last_upload_at,
        metadata=bucket.metadata,
        object_count=details.sizes.count,
        status=TaskStatusEnum(bucket.status),
        storage_stats=_storage_stats(details.sizes),
        total_size_bytes=details.sizes.total_bytes,
        unique_key=UniqueKeyConfig.model_validate(bucket.unique_key) if bucket.unique_key else None,
        updated_at=bucket.updated_at,
    )


def bucket_stats(page: Sequence[BucketDetails]) -> BucketListStats:
    """Over the buckets of one page."""
    count = len(page) or 1
    objects = sum(details.sizes.count for details in page)
    size_bytes = sum(details.sizes.total_bytes for details in page)
    return BucketListStats(
        avg_objects_per_bucket=objects / count,
        avg_size_per_bucket=size_bytes / count,
        total_objects=objects,
        total_size_bytes=size_bytes,
    )


def _batch_stats(details: BucketDetails) -> BatchStatistics:
    counts = details.batches
    return BatchStatistics(
        active=sum(counts.get(status, 0) for status in _ACTIVE),
        completed=sum(counts.get(status, 0) for status in _COMPLETED),
        failed=counts.get(TaskStatus.FAILED, 0),
        total=sum(counts.values()),
    )


def _storage_stats(sizes: ObjectSizes) -> StorageStatistics:
    return StorageStatistics(
        avg_size_bytes=sizes.total_bytes // (sizes.count or 1),
        max_size_bytes=sizes.max_bytes,
        min_size_bytes=sizes.min_bytes,
        total_size_bytes=sizes.total_bytes,
    )
