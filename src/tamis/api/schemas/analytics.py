"""How retrievers do, on the wire."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, Field

from tamis.api.schemas.retriever_wire import stage_type
from tamis.model.durations import ERROR
from tamis.model.execution import StageFigures
from tamis.services.records.analytics import Series, SlowExecution, StageSums, Sum
from tamis.services.records.signals import Signal
from tamis.services.records.spans import Span

LATENCY_ERROR = round(ERROR, 4)
_WHOLE = Field(description="False while executions from before this version are still being counted.")
_ERROR = Field(LATENCY_ERROR, description="How far a percentile is from the exact one at most, relatively.")


class TimeRange(BaseModel):
    """Whole hours, UTC: what is counted began from `start` on and before `end`."""

    end: datetime
    start: datetime


class PerformanceSummary(BaseModel):
    """Of all executions, answered or not. cache_hit_rate: null where no cache could have answered."""

    avg_latency_ms: float
    avg_results: float
    cache_hit_rate: float | None
    credits_used: float
    error_rate: float
    failed_count: int
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    query_count: int


class PerformanceMetric(PerformanceSummary):
    """Of those that began in the hour, day or week from `time_bucket` on; a week begins on Monday."""

    time_bucket: datetime


class RetrieverPerformanceResponse(BaseModel):
    """metrics: of the times in which something ran, the earliest first."""

    is_complete: bool = _WHOLE
    latency_error: float = _ERROR
    metrics: list[PerformanceMetric]
    retriever_id: str
    summary: PerformanceSummary | None = None
    time_range: TimeRange


class StagePerformanceMetrics(BaseModel):
    """Of one stage's runs, skipped and failed ones too."""

    avg_documents_in: float
    avg_documents_out: float
    avg_latency_ms: float
    cache_hits: int
    cache_misses: int
    execution_count: int
    failed_count: int
    p50_latency_ms: float
    p95_latency_ms: float
    stage_id: str
    stage_name: str
    stage_type: str


class StageBreakdownResponse(BaseModel):
    """stages: in the order of the pipeline.  total_latency_ms: what all stages of one execution took, on average."""

    is_complete: bool = _WHOLE
    latency_error: float = _ERROR
    retriever_id: str
    stages: list[StagePerformanceMetrics]
    time_range: TimeRange
    total_latency_ms: float


class CacheHour(BaseModel):
    hit_rate: float
    hits: int
    hour: datetime
    misses: int


class CachePerformanceResponse(BaseModel):
    """A hit is an execution that caches answered wherever one could; those that no cache could answer are neither.

    Times of none are 0.
    """

    avg_cache_hit_latency_ms: float
    avg_cache_miss_latency_ms: float
    cache_hit_rate: float = Field(ge=0, le=1)
    hourly_breakdown: list[CacheHour]
    is_complete: bool = _WHOLE
    retriever_id: str
    time_range: TimeRange
    total_cache_hits: int
    total_cache_misses: int


class SlowStage(BaseModel):
    cache_hit: bool | None
    documents_in: int
    documents_out: int
    latency_ms: float
    outcome: str
    stage_id: str
    stage_name: str


class SlowQuery(BaseModel):
    """inputs: null where the namespace's policy keeps them out of records; large values are references."""

    credits_used: float
    error: str | None
    execution_id: str
    inputs: dict[str, Any] | None
    latency_ms: float
    query_summary: str | None
    result_count: int
    stages: list[SlowStage]
    status: str
    timestamp: datetime


class RetrieverSignal(BaseModel):
    """metadata: names the stage that it is of; null where it is of the whole execution."""

    execution_id: str
    metadata: dict[str, Any] | None = None
    signal_data: dict[str, Any]
    signal_type: str
    timestamp: datetime


def show_performance(series: Series) -> RetrieverPerformanceResponse:
    metrics = [PerformanceMetric(time_bucket=at, **_performance(one)) for at, one in series.groups]
    return RetrieverPerformanceResponse(
        retriever_id=series.retriever_id,
        time_range=_range(series.span),
        metrics=metrics,
        summary=PerformanceSummary(**_performance(series.total)),
        is_complete=series.is_whole,
    )


def _performance(one: Sum) -> dict[str, Any]:
    return {
        "query_count": one.count,
        "failed_count": one.failed,
        "error_rate": one.failed / one.count if one.count else 0.0,
        "avg_latency_ms": one.avg_ms,
        "p50_latency_ms": one.p50_ms,
        "p95_latency_ms": one.p95_ms,
        "p99_latency_ms": one.p99_ms,
        "avg_results": one.avg_returned,
        "cache_hit_rate": one.hit_rate,
        "credits_used": one.credits,
    }


def show_stages(sums: StageSums) -> StageBreakdownResponse:
    stages = [
        StagePerformanceMetrics(
            stage_name=one.stage_name,
            stage_id=one.stage_id,
            stage_type=stage_type(one.stage_id) or one.stage_id,
            execution_count=one.sum.count,
            failed_count=one.sum.failed,
            avg_latency_ms=one.sum.avg_ms,
            p50_latency_ms=one.sum.p50_ms,
            p95_latency_ms=one.sum.p95_ms,
            avg_documents_in=one.sum.avg_received,
            avg_documents_out=one.sum.avg_returned,
            cache_hits=one.sum.hits,
            cache_misses=one.sum.misses,
        )
        for one in sums.stages
    ]
    return StageBreakdownResponse(
        retriever_id=sums.retriever_id,
        time_range=_range(sums.span),
        stages=stages,
        total_latency_ms=sums.avg_ms,
        is_complete=sums.is_whole,
    )


def show_caching(series: Series) -> CachePerformanceResponse:
    hours = [
        CacheHour(hour=at, hits=one.hits, misses=one.misses, hit_rate=one.hit_rate)
        for at, one in series.groups
        if one.hit_rate is not None
    ]
    total = series.total
    return CachePerformanceResponse(
        retriever_id=series.retriever_id,
        time_range=_range(series.span),
        cache_hit_rate=total.hit_rate or 0.0,
        total_cache_hits=total.hits,
        total_cache_misses=total.misses,
        avg_cache_hit_latency_ms=total.hit_ms,
        avg_cache_miss_latency_ms=total.miss_ms,
        hourly_breakdown=hours,
        is_complete=series.is_whole,
    )


def show_slow(slow: Iterable[SlowExecution]) -> list[SlowQuery]:
    return [
        SlowQuery(
            execution_id=one.header.execution_id,
            timestamp=one.header.started_at,
            latency_ms=one.header.duration_ms,
            status=one.header.status,
            query_summary=one.header.query_summary,
            inputs=orjson.loads(one.inputs) if one.inputs else None,
            result_count=one.header.total_returned,
            credits_used=one.header.credits_used,
            error=one.header.error,
            stages=[_slow_stage(stage) for stage in one.stages],
        )
        for one in slow
    ]


def _slow_stage(stage: StageFigures) -> SlowStage:
    return SlowStage(
        stage_name=stage.stage_name,
        stage_id=stage.stage_id,
        outcome=stage.outcome,
        latency_ms=stage.duration_ms,
        documents_in=stage.received,
        documents_out=stage.returned,
        cache_hit=stage.was_cached,
    )


def show_signals(signals: Iterable[Signal]) -> list[RetrieverSignal]:
    return [
        RetrieverSignal(
            timestamp=one.at,
            execution_id=one.execution_id,
            signal_type=one.kind,
            signal_data=dict(one.data),
            metadata=None if one.stage_name is None else {"stage_name": one.stage_name},
        )
        for one in signals
    ]


def _range(span: Span) -> TimeRange:
    return TimeRange(start=span.start, end=span.end)
