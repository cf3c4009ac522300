# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `analytics` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import TimeRange


class CacheHour(TypedDict):
    hit_rate: float
    hits: int
    hour: str
    misses: int


class CachePerformanceResponse(TypedDict):
    avg_cache_hit_latency_ms: float
    avg_cache_miss_latency_ms: float
    cache_hit_rate: float
    hourly_breakdown: list[CacheHour]
    is_complete: bool
    retriever_id: str
    time_range: TimeRange
    total_cache_hits: int
    total_cache_misses: int


class OperationUsage(TypedDict):
    cost_usd: float
    credits: float
    executions: int
    operation_type: str


class PerformanceMetric(TypedDict):
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
    time_bucket: str


class PerformanceSummary(TypedDict):
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


class RetrieverPerformanceResponse(TypedDict):
    is_complete: bool
    latency_error: NotRequired[float]
    metrics: list[PerformanceMetric]
    retriever_id: str
    summary: NotRequired[PerformanceSummary | None]
    time_range: TimeRange


class RetrieverSignal(TypedDict):
    execution_id: str
    metadata: NotRequired[dict[str, Any] | None]
    signal_data: dict[str, Any]
    signal_type: str
    timestamp: str


class SlowQuery(TypedDict):
    credits_used: float
    error: str | None
    execution_id: str
    inputs: dict[str, Any] | None
    latency_ms: float
    query_summary: str | None
    result_count: int
    stages: list[SlowStage]
    status: str
    timestamp: str


class SlowStage(TypedDict):
    cache_hit: bool | None
    documents_in: int
    documents_out: int
    latency_ms: float
    outcome: str
    stage_id: str
    stage_name: str


class StageBreakdownResponse(TypedDict):
    is_complete: bool
    latency_error: NotRequired[float]
    retriever_id: str
    stages: list[StagePerformanceMetrics]
    time_range: TimeRange
    total_latency_ms: float


class StagePerformanceMetrics(TypedDict):
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


class UsageSummaryResponse(TypedDict):
    end_date: str
    start_date: str
    total_cost: float
    total_credits: float
    usage: list[OperationUsage]
