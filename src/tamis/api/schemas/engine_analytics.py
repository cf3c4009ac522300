"""Where the time of a namespace goes, on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.analytics import TimeRange
from tamis.services.records.batch_diagnostics import Diagnosis, TierProgress, durations
from tamis.services.records.collection_analytics import ExtractorOutcomes
from tamis.services.records.engine_analytics import EngineSeries, Part, Parts, SlowOperation
from tamis.services.records.inference_analytics import ModelSum
from tamis.services.records.spans import Span
from tamis.services.records.timing import Timing


class PerformanceMetric(BaseModel):
    """Executions of retrievers and sources that an extractor was asked for, of the time from `time_bucket` on."""

    time_bucket: datetime
    execution_count: int
    avg_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    max_latency_ms: float


class PerformanceSummary(BaseModel):
    total_executions: int = 0
    total_time_seconds: float = 0.0
    avg_latency_ms: float = 0.0
    p50_latency_ms: float = 0.0
    p95_latency_ms: float = 0.0
    p99_latency_ms: float = 0.0
    max_latency_ms: float = 0.0


class EnginePerformanceResponse(BaseModel):
    time_range: TimeRange
    metrics: list[PerformanceMetric]
    summary: PerformanceSummary | None = None


class StagePerformance(BaseModel):
    """component: the retriever's name, or the collection's that an extractor works for."""

    stage_name: str
    component: str
    execution_count: int
    avg_latency_ms: float
    p95_latency_ms: float
    max_latency_ms: float
    total_time_ms: float
    pct_of_total: float


class EngineStageBreakdownResponse(BaseModel):
    time_range: TimeRange
    stages: list[StagePerformance]
    total_time_ms: float


class ExtractorPerformance(BaseModel):
    """stage_name: the collection's name."""

    extractor_name: str
    stage_name: str
    execution_count: int
    avg_latency_ms: float
    p95_latency_ms: float
    max_latency_ms: float


class ExtractorBreakdownResponse(BaseModel):
    time_range: TimeRange
    extractors: list[ExtractorPerformance]


class BottleneckAnalysis(BaseModel):
    rank: int
    stage_name: str
    component: str
    execution_count: int
    avg_time_ms: float
    total_time_ms: float
    pct_of_total: float


class BottleneckResponse(BaseModel):
    time_range: TimeRange
    bottlenecks: list[BottleneckAnalysis]
    total_time_ms: float


class SlowOperationEntry(BaseModel):
    """An execution; stage_name is the stage that took most of it, empty where its record cannot be read."""

    timestamp: datetime
    stage_name: str
    component: str
    latency_ms: float
    metadata: dict[str, Any] = Field(default_factory=dict)


class SlowOperationsResponse(BaseModel):
    time_range: TimeRange
    operations: list[SlowOperationEntry]
    threshold_ms: float


class TaskProgress(BaseModel):
    """In sources."""

    percentage: float = 0.0
    processed_documents: int = 0
    total_documents: int = 0


class TierDiagnostic(BaseModel):
    tier_num: int
    status: str
    task_id: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_seconds: float | None = None
    error: str | None = None
    error_type: str | None = None
    progress: TaskProgress | None = None
    ray_job_id: str | None = None
    ray_dashboard_url: str | None = None


class CollectionDiagnostic(BaseModel):
    """document_count: made of this batch's sources, those without a call too."""

    collection_id: str
    collection_name: str
    status: str
    document_count: int = 0
    expected_documents: int | None = None


class PerformanceInsight(BaseModel):
    type: str
    severity: str
    message: str
    metric_value: float | None = None
    recommendation: str | None = None
    stage: str | None = None


class BatchDiagnosticsResponse(BaseModel):
    batch_id: str
    batch_name: str
    status: str
    bucket_id: str
    collections: list[CollectionDiagnostic] = Field(default_factory=list)
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_seconds: float | None = None
    estimated_completion: datetime | None = None
    current_tier: int = 0
    total_tiers: int = 1
    tiers: list[TierDiagnostic] = Field(default_factory=list)
    failed_tier_count: int = 0
    has_failures: bool = False
    total_objects: int = 0
    overall_progress: float = 0.0
    insights: list[PerformanceInsight] = Field(default_factory=list)
    next_actions: list[str] = Field(default_factory=list)
    performance_summary: dict[str, Any] | None = None


def time_range(span: Span) -> TimeRange:
    return TimeRange(start=span.start, end=span.end)


def latencies(timing: Timing) -> dict[str, Any]:
    return {
        "avg_latency_ms": timing.avg_ms,
        "p50_latency_ms": timing.p50_ms,
        "p95_latency_ms": timing.p95_ms,
        "p99_latency_ms": timing.p99_ms,
        "max_latency_ms": timing.max_ms,
    }


def show_series(series: EngineSeries) -> EnginePerformanceResponse:
    total = series.total
    return EnginePerformanceResponse(
        time_range=time_range(series.span),
        metrics=[
            PerformanceMetric(time_bucket=at, execution_count=one.count, **latencies(one)) for at, one in series.groups
        ],
        summary=PerformanceSummary(
            total_executions=total.count, total_time_seconds=total.total_ms / 1000, **latencies(total)
        ),
    )


def show_stages(parts: Parts) -> EngineStageBreakdownResponse:
    return EngineStageBreakdownResponse(
        time_range=time_range(parts.span),
        stages=[
            StagePerformance(
                stage_name=one.stage_name,
                component=one.component,
                execution_count=one.timing.count,
                avg_latency_ms=one.timing.avg_ms,
                p95_latency_ms=one.timing.p95_ms,
                max_latency_ms=one.timing.max_ms,
                total_time_ms=one.timing.total_ms,
                pct_of_total=_percent(one),
            )
            for one in parts.parts
        ],
        total_time_ms=parts.total_ms,
    )


def show_extractors(parts: Parts) -> ExtractorBreakdownResponse:
    return ExtractorBreakdownResponse(
        time_range=time_range(parts.span),
        extractors=[
            ExtractorPerformance(
                extractor_name=one.stage_name,
                stage_name=one.component,
                execution_count=one.timing.count,
                avg_latency_ms=one.timing.avg_ms,
                p95_latency_ms=one.timing.p95_ms,
                max_latency_ms=one.timing.max_ms,
            )
            for one in parts.parts
        ],
    )


def show_bottlenecks(parts: Parts, limit: int) -> BottleneckResponse:
    return BottleneckResponse(
        time_range=time_range(parts.span),
        bottlenecks=[
            BottleneckAnalysis(
                rank=rank,
                stage_name=one.stage_name,
                component=one.component,
                execution_count=one.timing.count,
                avg_time_ms=one.timing.avg_ms,
                total_time_ms=one.timing.total_ms,
                pct_of_total=_percent(one),
            )
            for rank, one in enumerate(parts.parts[:limit], 1)
        ],
        total_time_ms=parts.total_ms,
    )


def show_slow(span: Span, operations: list[SlowOperation], threshold_ms: float) -> SlowOperationsResponse:
    return SlowOperationsResponse(
        time_range=time_range(span),
        operations=[_slow(one) for one in operations],
        threshold_ms=threshold_ms,
    )


def _slow(one: SlowOperation) -> SlowOperationEntry:
    metadata: dict[str, Any] = {
        "execution_id": one.header.execution_id,
        "query_summary": one.header.query_summary,
        "status": one.header.status.value,
        "returned": one.header.total_returned,
    }
    if one.slowest is not None:
        metadata |= {"stage_id": one.slowest.stage_id, "stage_latency_ms": one.slowest.duration_ms}
    return SlowOperationEntry(
        timestamp=one.header.started_at,
        stage_name=one.slowest.stage_name if one.slowest else "",
        component=one.retriever,
        latency_ms=one.header.duration_ms,
        metadata=metadata,
    )


def show_outcomes(one: ExtractorOutcomes) -> dict[str, Any]:
    outcomes = one.outcomes
    return {
        "extractor_name": one.name,
        "version": one.version,
        "execution_count": outcomes.count,
        "success_count": outcomes.completed + outcomes.reused,
        "reused_count": outcomes.reused,
        "failure_count": outcomes.failed,
        "success_rate": outcomes.success_rate,
        "documents": outcomes.documents,
        **latencies(outcomes.timing),
    }


def show_model(one: ModelSum) -> dict[str, Any]:
    """The latencies of a model alone are not known: single calls are not timed."""
    runs = one.timing.count
    times = {name.replace("latency", "stage"): value for name, value in latencies(one.timing).items()}
    return {
        "model_name": one.name,
        "version": one.version,
        "provider": one.provider,
        "execution_count": one.executions,
        "stage_count": runs,
        "failure_count": one.failed,
        "success_rate": 1 - one.failed / runs,
        "request_count": one.requests,
        "tokens_in": one.tokens_in,
        "tokens_out": one.tokens_out,
        **dict.fromkeys(latencies(one.timing)),
        **times,
    }


def show_diagnosis(found: Diagnosis) -> BatchDiagnosticsResponse:
    batch, progress = found.batch, found.progress
    named = batch.metadata.get("name")
    return BatchDiagnosticsResponse(
        batch_id=batch.batch_id,
        batch_name=named if isinstance(named, str) else batch.batch_id,
        status=batch.status.value,
        bucket_id=batch.bucket_id,
        collections=_collections(found),
        created_at=batch.created_at,
        submitted_at=found.task.created_at if found.task else None,
        started_at=found.started_at,
        completed_at=found.completed_at,
        duration_seconds=found.duration_s,
        estimated_completion=found.estimated_at,
        current_tier=batch.current_tier or 0,
        total_tiers=max(1, len(batch.tiers)),
        tiers=_tiers(found),
        failed_tier_count=sum(1 for one in found.tiers.values() if one.failed and one.failed == one.total),
        has_failures=progress.failed > 0,
        total_objects=len(batch.object_ids),
        overall_progress=progress.share * 100 if progress.total else 0.0,
        insights=[
            PerformanceInsight(
                type=one.kind, severity=one.severity, message=one.message, metric_value=one.value,
                recommendation=one.advice, stage=one.stage,
            )
            for one in found.findings()
        ],
        next_actions=found.actions(),
        performance_summary={
            "sources_total": progress.total,
            "sources_done": progress.done,
            "sources_failed": progress.failed,
            "sources_left": progress.left,
            "sources_per_s": progress.per_s,
            "errors": dict(found.errors),
        },
    )  # fmt: skip


def _collections(found: Diagnosis) -> list[CollectionDiagnostic]:
    return [
        CollectionDiagnostic(
            collection_id=collection_id,
            collection_name=found.names.get(collection_id, collection_id),
            status=tier.status.value,
            document_count=found.documents.get(collection_id, 0),
        )
        for tier in found.batch.tiers
        for collection_id in tier.collection_ids
    ]


def _tiers(found: Diagnosis) -> list[TierDiagnostic]:
    told = []
    for tier, took_s in zip(found.batch.tiers, durations(found), strict=True):
        progress = found.tiers.get(tier.number, TierProgress())
        ended = progress.done + progress.failed
        told.append(
            TierDiagnostic(
                tier_num=tier.number,
                status=tier.status.value,
                task_id=tier.task_id,
                started_at=tier.started_at,
                completed_at=tier.completed_at,
                duration_seconds=took_s,
                progress=TaskProgress(
                    percentage=ended / progress.total * 100 if progress.total else 0.0,
                    processed_documents=ended,
                    total_documents=progress.total,
                ),
            )
        )
    return told


def _percent(one: Part) -> float:
    return one.share * 100
