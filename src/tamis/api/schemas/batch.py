"""Batches and tasks on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, Field

from tamis.api.paging import Limit, Offset
from tamis.api.schemas.page import PaginationMetadata
from tamis.api.schemas.task import TaskResponse, TaskStatusEnum, TaskType
from tamis.model.batch import Batch, BatchItem, Task, Tier
from tamis.model.page import Page
from tamis.services.data.batch_following import BatchStep
from tamis.services.data.batch_progress import BatchProgress
from tamis.services.data.batches import BatchDetails, ErrorGroup


class BatchType(StrEnum):
    BUCKET = "BUCKET"
    COLLECTION = "COLLECTION"


class ErrorCategory(StrEnum):
    DEPENDENCY = "dependency"
    AUTHENTICATION = "authentication"
    VALIDATION = "validation"
    RUNTIME = "runtime"
    NETWORK = "network"
    RESOURCE = "resource"


class BatchErrorDetail(BaseModel):
    affected_count: int = Field(1, ge=1)
    affected_document_ids: list[str] = Field(default_factory=list)
    component: str | None = None
    error_type: ErrorCategory
    message: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    recovery_suggestion: str | None = None
    stage: str | None = None
    timestamp: datetime
    traceback: str | None = None


class TierTaskInfo(BaseModel):
    collection_ids: list[str] = Field(..., min_length=1)
    completed_at: datetime | None = None
    error_summary: dict[str, int] | None = None
    errors: list[BatchErrorDetail] = Field(default_factory=list)
    parent_task_id: str | None = None
    performance: dict[str, Any] | None = None
    ray_job_id: str | None = None
    source_collection_ids: list[str] | None = None
    source_type: str
    started_at: datetime | None = None
    status: TaskStatusEnum = TaskStatusEnum.PENDING
    task_id: str | None = None
    tier_num: int = Field(..., ge=0)


class BatchProgressModel(BaseModel):
    """Of a submitted batch, in sources: an object for each collection that takes it."""

    percentage: float = Field(..., ge=0, le=100)
    seconds_left: float | None = Field(None, description="At the rate so far; null while it is not known.")
    sources_done: int
    sources_failed: int
    sources_left: int
    sources_per_s: float | None = Field(None, description="Since the batch was last taken up.")
    sources_total: int


class BatchModel(BaseModel):
    batch_id: str
    bucket_id: str
    collection_ids: list[str] | None = None
    created_at: datetime
    current_tier: int | None = Field(None, ge=0)
    dag_tiers: list[list[str]] | None = None
    error: str | None = None
    error_summary: dict[str, int] | None = None
    internal_metadata: dict[str, Any] | None = None
    loaded_object_ids: list[str] | None = None
    manifest_key: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    object_ids: list[str] = Field(default_factory=list)
    progress: BatchProgressModel | None = None
    status: TaskStatusEnum = TaskStatusEnum.DRAFT
    task_id: str | None = None
    tier_tasks: list[TierTaskInfo] = Field(default_factory=list)
    total_tiers: int = Field(1, ge=1)
    type: BatchType = BatchType.BUCKET
    updated_at: datetime


class CreateBatchRequest(BaseModel):
    batch_name: str | None = None
    metadata: dict[str, Any] | None = None
    object_ids: list[str] = Field(..., min_length=1)


class AddObjectsToBatchRequest(BaseModel):
    object_ids: list[str] = Field(..., min_length=1)


class SubmitBatchRequest(BaseModel):
    include_processing_history: bool = True


class PatchBatchRequest(BaseModel):
    metadata: dict[str, Any] | None = None


class ListBatchesRequest(BaseModel):
    limit: Limit = 100
    offset: Offset = 0
    status: TaskStatusEnum | None = None


class ListBatchesResponse(BaseModel):
    """results and pagination: as later clients read a list."""

    batches: list[BatchModel]
    pagination: PaginationMetadata
    results: list[BatchModel]
    total_count: int


class RetryBatchRequest(BaseModel):
    max_retry_count: int = Field(3, ge=1, le=10)
    retry_mode: Literal["transient_only", "all"] = "transient_only"
    tier_nums: list[int] | None = None


class BatchEvent(BaseModel):
    """One step of a batch. progress: null before its first source was taken up."""

    batch_id: str
    error: str | None = None
    event_type: Literal["batch_progress", "batch_end"]
    progress: BatchProgressModel | None = None
    status: TaskStatusEnum
    task_id: str | None = None


def batch_event(step: BatchStep) -> BatchEvent:
    return BatchEvent(
        batch_id=step.batch_id,
        error=step.error,
        event_type="batch_end" if step.status.is_final else "batch_progress",
        progress=_progress(step.progress),
        status=TaskStatusEnum(step.status.value),
        task_id=step.task_id,
    )


def batch_model(details: BatchDetails) -> BatchModel:
    batch = details.batch
    of_bucket = not batch.tiers or batch.tiers[0].source_type == "bucket"
    return BatchModel(
        batch_id=batch.batch_id,
        bucket_id=batch.bucket_id,
        collection_ids=list(batch.collection_ids) or None,
        created_at=batch.created_at,
        current_tier=batch.current_tier,
        dag_tiers=[list(tier.collection_ids) for tier in batch.tiers] or None,
        error=batch.error,
        error_summary=_summary([group for groups in details.errors.values() for group in groups])
        or batch.error_summary,
        metadata=batch.metadata,
        object_ids=list(batch.object_ids),
        progress=_progress(details.progress),
        status=TaskStatusEnum(batch.status.value),
        task_id=batch.task_id,
        tier_tasks=[_tier(tier, batch, details.errors.get(tier.number, ())) for tier in batch.tiers],
        total_tiers=max(1, len(batch.tiers)),
        type=BatchType.BUCKET if of_bucket else BatchType.COLLECTION,
        updated_at=batch.updated_at,
    )


def _progress(found: BatchProgress | None) -> BatchProgressModel | None:
    if found is None:
        return None
    return BatchProgressModel(
        percentage=round(100 * found.share, 2),
        seconds_left=found.left_s,
        sources_done=found.done,
        sources_failed=found.failed,
        sources_left=found.left,
        sources_per_s=found.per_s,
        sources_total=found.total,
    )


def _tier(tier: Tier, batch: Batch, errors: tuple[ErrorGroup, ...]) -> TierTaskInfo:
    return TierTaskInfo(
        collection_ids=list(tier.collection_ids),
        completed_at=tier.completed_at,
        error_summary=_summary(errors),
        errors=[_error(group, tier, batch) for group in errors],
        parent_task_id=batch.task_id,
        performance=_performance(tier),
        source_collection_ids=list(tier.source_collection_ids) or None,
        source_type=tier.source_type,
        started_at=tier.started_at,
        status=TaskStatusEnum(tier.status.value),
        task_id=tier.task_id,
        tier_num=tier.number,
    )


def _performance(tier: Tier) -> dict[str, Any] | None:
    if tier.started_at is None or tier.completed_at is None:
        return None
    return {"duration_ms": round((tier.completed_at - tier.started_at).total_seconds() * 1000)}


def _summary(groups: list[ErrorGroup] | tuple[ErrorGroup, ...]) -> dict[str, int] | None:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group.error_type] = counts.get(group.error_type, 0) + group.count
    return counts or None


def _error(group: ErrorGroup, tier: Tier, batch: Batch) -> BatchErrorDetail:
    return BatchErrorDetail(
        affected_count=group.count,
        affected_document_ids=list(group.source_ids),
        component=group.collection_id,
        error_type=ErrorCategory(group.error_type),
        message=group.message,
        stage=f"tier {tier.number}",
        timestamp=tier.completed_at or batch.updated_at,
    )


def failed_model(batch_id: str, page: Page[BatchItem]) -> dict[str, Any]:
    """The contract leaves this answer open."""
    failed = [
        {
            "document_id": item.source_id,
            "source_id": item.source_id,
            "collection_id": item.collection_id,
            "tier_num": item.tier,
            "error_type": item.error_type,
            "error": item.error,
            "retry_count": max(0, item.attempts - 1),
        }
        for item in page.items
    ]
    return {
        "batch_id": batch_id,
        "failed_documents": failed,
        "total": page.total,
        "limit": page.limit,
        "offset": page.offset,
        "has_next": page.has_next,
    }


def task_model(task: Task) -> TaskResponse:
    return TaskResponse(
        additional_data=dict(task.additional_data),
        error=task.error,
        inputs=[each if isinstance(each, dict) else str(each) for each in task.inputs] or None,
        outputs=[each if isinstance(each, dict) else str(each) for each in task.outputs] or None,
        status=TaskStatusEnum(task.status.value),
        task_id=task.task_id,
        task_type=TaskType(task.type),
    )
