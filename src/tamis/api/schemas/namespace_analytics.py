"""Which fields a namespace filters by, on the wire."""

from typing import Any

from pydantic import BaseModel

from tamis.services.records.field_analytics import FieldUse, FieldUses, SlowQueries, Together


class FieldQueryMetrics(BaseModel):
    """Runs of stages that filter by the field, and what they took."""

    field_name: str
    query_count: int
    avg_latency_ms: float
    p95_latency_ms: float


class MostQueriedFieldsResponse(BaseModel):
    namespace_id: str
    time_range_days: int
    fields: list[FieldQueryMetrics]
    total_fields: int


class FieldPerformanceMetrics(BaseModel):
    """index_priority_score: the share of the time of all filtering stages that those with this field took, 0 to 100."""

    field_name: str
    usage_count: int
    avg_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    max_latency_ms: float
    index_priority_score: float


class FieldPerformanceResponse(BaseModel):
    namespace_id: str
    time_range_days: int
    fields: list[FieldPerformanceMetrics]
    total_fields: int


class CompoundIndexPattern(BaseModel):
    """Fields that one stage filters by at once."""

    field_combination: list[str]
    combination_count: int
    avg_latency_ms: float
    p95_latency_ms: float


class CompoundIndexResponse(BaseModel):
    namespace_id: str
    time_range_days: int
    patterns: list[CompoundIndexPattern]
    total_patterns: int


class SlowQueryDetails(BaseModel):
    """queried_fields: what the retriever, as it is now, filters by."""

    execution_id: str
    retriever_id: str
    query: str
    latency_ms: float
    results_count: int
    queried_fields: list[str]


class SlowQueriesResponse(BaseModel):
    """total_slow_queries: shown or not, at an error of the threshold of 2.2%."""

    namespace_id: str
    time_range_days: int
    latency_threshold_ms: float
    slow_queries: list[SlowQueryDetails]
    total_slow_queries: int


def show_most_queried(namespace_id: str, days: int, uses: FieldUses, limit: int) -> MostQueriedFieldsResponse:
    return MostQueriedFieldsResponse(
        namespace_id=namespace_id,
        time_range_days=days,
        fields=[queried(one) for one in uses.fields[:limit]],
        total_fields=len(uses.fields),
    )


def show_performance(namespace_id: str, days: int, uses: FieldUses, limit: int) -> FieldPerformanceResponse:
    """Those whose stages took the most time first."""
    return FieldPerformanceResponse(
        namespace_id=namespace_id,
        time_range_days=days,
        fields=slowest(uses, limit),
        total_fields=len(uses.fields),
    )


def show_patterns(namespace_id: str, days: int, uses: FieldUses, limit: int) -> CompoundIndexResponse:
    return CompoundIndexResponse(
        namespace_id=namespace_id,
        time_range_days=days,
        patterns=[pattern(one) for one in uses.together[:limit]],
        total_patterns=len(uses.together),
    )


def show_slow(namespace_id: str, days: int, threshold_ms: float, found: SlowQueries) -> SlowQueriesResponse:
    return SlowQueriesResponse(
        namespace_id=namespace_id,
        time_range_days=days,
        latency_threshold_ms=threshold_ms,
        slow_queries=[
            SlowQueryDetails(
                execution_id=one.header.execution_id, retriever_id=one.retriever_id,
                query=one.header.query_summary or "",
                latency_ms=one.header.duration_ms, results_count=one.header.total_returned,
                queried_fields=list(one.paths),
            )
            for one in found.queries
        ],
        total_slow_queries=found.total,
    )  # fmt: skip


def queried(one: FieldUse) -> FieldQueryMetrics:
    return FieldQueryMetrics(field_name=one.path, query_count=one.timing.count, **_times(one))


def slowest(uses: FieldUses, limit: int) -> list[FieldPerformanceMetrics]:
    whole_ms = sum(one.timing.total_ms for one in uses.fields)
    order = sorted(uses.fields, key=lambda one: (-one.timing.total_ms, one.path))
    return [
        FieldPerformanceMetrics(
            field_name=one.path,
            usage_count=one.timing.count,
            p50_latency_ms=one.timing.p50_ms,
            p99_latency_ms=one.timing.p99_ms,
            max_latency_ms=one.timing.max_ms,
            index_priority_score=one.timing.total_ms / whole_ms * 100 if whole_ms else 0.0,
            **_times(one),
        )
        for one in order[:limit]
    ]


def pattern(one: Together) -> CompoundIndexPattern:
    return CompoundIndexPattern(field_combination=list(one.paths), combination_count=one.timing.count, **_times(one))


def _times(one: FieldUse | Together) -> dict[str, Any]:
    return {"avg_latency_ms": one.timing.avg_ms, "p95_latency_ms": one.timing.p95_ms}
