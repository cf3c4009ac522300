"""How buckets, collections and clusters do, on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.analytics import TimeRange
from tamis.api.schemas.engine_analytics import time_range
from tamis.engine.ports.analytics import Failures
from tamis.model.bucket_sync import BucketSync
from tamis.model.collection import Collection
from tamis.services.records.bucket_analytics import BucketHealth, Storage, Stored, Uploaded, Uploads, Use
from tamis.services.records.collection_analytics import (
    CollectionFailures,
    CollectionSeries,
    ExtractorOutcomes,
    Overview,
)
from tamis.services.records.spans import Span

_BITS = 8
_MEGA = 1e6


class ErrorBreakdown(BaseModel):
    """first_seen, last_seen: when the first and the last batch of them was made."""

    error_type: str
    count: int
    percentage: float
    first_seen: datetime
    last_seen: datetime


class SyncHealthMetric(BaseModel):
    """failure_rate: of the files that it tried, over all runs."""

    sync_config_id: str
    consecutive_failures: int
    failure_rate: float
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None


class BucketHealthResponse(BaseModel):
    """overall_health: healthy; degraded where something failed; unhealthy where half of what was tried did.

    stuck_syncs: those that were stopped after failing time after time.
    """

    bucket_id: str
    time_range: TimeRange
    overall_health: str
    total_errors: int
    error_breakdown: list[ErrorBreakdown]
    sync_health: list[SyncHealthMetric]
    stuck_syncs: list[str]


class StorageMetric(BaseModel):
    """What lay there at the end of the time, of the objects that are there today."""

    time_bucket: datetime
    total_size_bytes: int
    object_count: int
    avg_size_bytes: int
    growth_rate_percent: float | None = Field(None, description="Over the time before; null where nothing was there.")


class BucketStorageResponse(BaseModel):
    bucket_id: str
    time_range: TimeRange
    metrics: list[StorageMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class UploadPerformanceMetric(BaseModel):
    """Latencies are from the announcement of an upload to its confirmation. Megabits a second."""

    time_bucket: datetime
    upload_count: int
    avg_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    avg_throughput_mbps: float
    error_rate: float


class UploadPerformanceResponse(BaseModel):
    bucket_id: str
    time_range: TimeRange
    metrics: list[UploadPerformanceMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class CostBreakdown(BaseModel):
    storage_percent: float
    upload_percent: float
    sync_percent: float
    other_percent: float


class UsageMetric(BaseModel):
    time_bucket: datetime
    storage_gb_hours: float
    upload_operations: int
    sync_operations: int | None = Field(None, description="Null where the bucket has syncs: not counted by time.")
    total_credits: int
    estimated_cost_usd: float


class BucketUsageResponse(BaseModel):
    """Storage and uploads cost nothing here, so credits, costs and their shares are 0."""

    bucket_id: str
    time_range: TimeRange
    metrics: list[UsageMetric]
    cost_breakdown: CostBreakdown
    total_credits: int
    total_cost_usd: float


class ExtractorMetrics(BaseModel):
    """success_count holds also what was reused: sources that no extractor had to be asked for."""

    extractor_name: str
    version: str
    execution_count: int
    success_count: int
    failure_count: int
    success_rate: float
    avg_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float


class ExtractorPerformanceResponse(BaseModel):
    collection_id: str
    time_range: TimeRange
    extractors: list[ExtractorMetrics]
    summary: dict[str, Any] = Field(default_factory=dict)


class ErrorMetrics(BaseModel):
    error_type: str
    count: int
    percentage: float
    recent_message: str


class CollectionFailureAnalysisResponse(BaseModel):
    collection_id: str
    time_range: TimeRange
    error_distribution: list[ErrorMetrics]
    total_errors: int


class GrowthMetric(BaseModel):
    """documents_added: of the documents that are there today, those first made in the time."""

    time_bucket: datetime
    documents_added: int
    success_rate: float
    avg_latency_ms: float


class GrowthMetricsResponse(BaseModel):
    collection_id: str
    time_range: TimeRange
    metrics: list[GrowthMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class LatencyMetric(BaseModel):
    """document_count: sources that the extractor was asked for."""

    time_bucket: datetime
    document_count: int
    avg_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float


class LatencyResponse(BaseModel):
    """slowest_documents: always empty, for what single documents took is not kept."""

    collection_id: str
    time_range: TimeRange
    metrics: list[LatencyMetric]
    slowest_documents: list[dict[str, Any]] = Field(default_factory=list)


class CollectionOverviewResponse(BaseModel):
    """avg_processing_time_ms, success_rate: of sources, over the last 30 days.

    last_indexed: when the newest document was made.  success_rate: 1 where nothing was tried.
    """

    collection_id: str
    collection_name: str
    total_documents: int
    documents_last_24h: int
    documents_last_7d: int
    avg_processing_time_ms: float
    success_rate: float
    active_taxonomies: int
    active_clusters: int
    last_indexed: datetime | None = None


def show_health(found: BucketHealth) -> BucketHealthResponse:
    total = _total(found.failures)
    return BucketHealthResponse(
        bucket_id=found.bucket.bucket_id,
        time_range=time_range(found.span),
        overall_health=found.health.value,
        total_errors=total,
        error_breakdown=[
            ErrorBreakdown(
                error_type=one.error_type, count=one.count, percentage=one.count / total * 100,
                first_seen=one.first_at, last_seen=one.last_at,
            )
            for one in found.failures
        ],
        sync_health=[_sync(one) for one in found.syncs],
        stuck_syncs=[one.sync_id for one in found.syncs if one.failures and not one.is_active],
    )  # fmt: skip


def _sync(one: BucketSync) -> SyncHealthMetric:
    tried = one.counts.synced + one.counts.failed
    return SyncHealthMetric(
        sync_config_id=one.sync_id,
        consecutive_failures=one.failures,
        failure_rate=one.counts.failed / tried if tried else 0.0,
        last_success_at=one.last_synced_at,
    )


def show_storage(found: Storage) -> BucketStorageResponse:
    last = found.times[-1] if found.times else None
    return BucketStorageResponse(
        bucket_id=found.bucket.bucket_id,
        time_range=time_range(found.span),
        metrics=[_stored(one) for one in found.times],
        summary={
            "object_count": last.count if last else 0,
            "total_size_bytes": last.size_bytes if last else 0,
            "added_bytes": last.size_bytes - found.times[0].before_bytes if last else 0,
        },
    )


def _stored(one: Stored) -> StorageMetric:
    grown = one.size_bytes - one.before_bytes
    return StorageMetric(
        time_bucket=one.at,
        total_size_bytes=one.size_bytes,
        object_count=one.count,
        avg_size_bytes=one.size_bytes // one.count,
        growth_rate_percent=grown / one.before_bytes * 100 if one.before_bytes else None,
    )


def show_uploads(found: Uploads) -> UploadPerformanceResponse:
    total = found.total
    return UploadPerformanceResponse(
        bucket_id=found.bucket.bucket_id,
        time_range=time_range(found.span),
        metrics=[UploadPerformanceMetric(time_bucket=one.at, **_uploaded(one)) for one in found.times],
        summary={**_uploaded(total), "total_size_bytes": total.size_bytes, "is_complete": found.is_whole},
    )


def _uploaded(one: Uploaded) -> dict[str, Any]:
    return {
        "upload_count": one.count,
        "avg_latency_ms": one.timing.avg_ms,
        "p95_latency_ms": one.timing.p95_ms,
        "p99_latency_ms": one.timing.p99_ms,
        "avg_throughput_mbps": one.bytes_per_s * _BITS / _MEGA,
        "error_rate": one.failed / one.count if one.count else 0.0,
    }


def show_use(found: Use) -> BucketUsageResponse:
    return BucketUsageResponse(
        bucket_id=found.bucket.bucket_id,
        time_range=time_range(found.span),
        metrics=[
            UsageMetric(
                time_bucket=one.at, storage_gb_hours=one.gigabyte_hours, upload_operations=uploads,
                sync_operations=None if found.has_syncs else 0, total_credits=0, estimated_cost_usd=0.0,
            )
            for one, uploads in found.times
        ],
        cost_breakdown=CostBreakdown(storage_percent=0, upload_percent=0, sync_percent=0, other_percent=0),
        total_credits=0,
        total_cost_usd=0.0,
    )  # fmt: skip


def show_extractors(collection: Collection, span: Span, found: list[ExtractorOutcomes]) -> ExtractorPerformanceResponse:
    return ExtractorPerformanceResponse(
        collection_id=collection.collection_id,
        time_range=time_range(span),
        extractors=[_extractor(one) for one in found],
        summary={
            "execution_count": sum(one.outcomes.count for one in found),
            "reused_count": sum(one.outcomes.reused for one in found),
            "documents": sum(one.outcomes.documents for one in found),
        },
    )


def _extractor(one: ExtractorOutcomes) -> ExtractorMetrics:
    outcomes = one.outcomes
    return ExtractorMetrics(
        extractor_name=one.name,
        version=one.version,
        execution_count=outcomes.count,
        success_count=outcomes.completed + outcomes.reused,
        failure_count=outcomes.failed,
        success_rate=outcomes.success_rate,
        avg_latency_ms=outcomes.timing.avg_ms,
        p95_latency_ms=outcomes.timing.p95_ms,
        p99_latency_ms=outcomes.timing.p99_ms,
    )


def show_collection_failures(found: CollectionFailures) -> CollectionFailureAnalysisResponse:
    total = _total(found.failures)
    return CollectionFailureAnalysisResponse(
        collection_id=found.collection.collection_id,
        time_range=time_range(found.span),
        error_distribution=[
            ErrorMetrics(
                error_type=one.error_type, count=one.count, percentage=one.count / total * 100,
                recent_message=one.message,
            )
            for one in found.failures
        ],
        total_errors=total,
    )  # fmt: skip


def show_growth(found: CollectionSeries) -> GrowthMetricsResponse:
    return GrowthMetricsResponse(
        collection_id=found.collection.collection_id,
        time_range=time_range(found.span),
        metrics=[
            GrowthMetric(
                time_bucket=at, documents_added=documents, success_rate=outcomes.success_rate,
                avg_latency_ms=outcomes.timing.avg_ms,
            )
            for at, documents, outcomes in found.groups
        ],
        summary={
            "documents_added": sum(documents for _, documents, _ in found.groups),
            "success_rate": found.total.success_rate,
            "sources_failed": found.total.failed,
        },
    )  # fmt: skip


def show_latency(found: CollectionSeries) -> LatencyResponse:
    return LatencyResponse(
        collection_id=found.collection.collection_id,
        time_range=time_range(found.span),
        metrics=[
            LatencyMetric(
                time_bucket=at, document_count=outcomes.timing.count, avg_latency_ms=outcomes.timing.avg_ms,
                p95_latency_ms=outcomes.timing.p95_ms, p99_latency_ms=outcomes.timing.p99_ms,
            )
            for at, _, outcomes in found.groups
            if outcomes.timing.count
        ],
    )  # fmt: skip


def show_overview(found: Overview) -> CollectionOverviewResponse:
    return CollectionOverviewResponse(
        collection_id=found.collection.collection_id,
        collection_name=found.collection.name,
        total_documents=found.documents,
        documents_last_24h=found.of_last_day,
        documents_last_7d=found.of_last_week,
        avg_processing_time_ms=found.outcomes.timing.avg_ms,
        success_rate=found.outcomes.success_rate,
        active_taxonomies=len(found.collection.taxonomy_applications),
        active_clusters=found.clusters,
        last_indexed=found.newest_at,
    )


def _total(failures: Sequence[Failures]) -> int:
    return sum(one.count for one in failures)
