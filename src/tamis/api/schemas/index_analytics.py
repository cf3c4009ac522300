"""Indexes that filters would profit from, on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.namespace_analytics import (
    CompoundIndexPattern,
    FieldPerformanceMetrics,
    FieldQueryMetrics,
    pattern,
    queried,
    slowest,
)
from tamis.model.principal import Principal
from tamis.services.records.index_suggestions import IndexedUse, IndexedUses, Measured

SUGGESTED = "range"
_SHOWN = 10


class IndexSuggestion(BaseModel):
    """estimated_performance_gain: null; it is measured where the suggestion is applied."""

    field_name: str
    query_count_24h: int
    query_count_7d: int | None = None
    suggested_type: str
    is_indexed: bool
    estimated_performance_gain: str | None = None
    first_seen: datetime
    last_seen: datetime


class IndexSuggestionsResponse(BaseModel):
    """auto_create_enabled: false; a suggestion is applied by whoever asks for it."""

    namespace_id: str
    analysis_period: str
    suggestions: list[IndexSuggestion]
    auto_create_enabled: bool
    next_auto_create_run: datetime | None = None


class FieldUsageStat(BaseModel):
    """unique_queries: different stages of retrievers that filter by it.  is_protected: no field is."""

    field_name: str
    query_count: int
    unique_queries: int
    is_indexed: bool
    is_protected: bool
    avg_latency_ms: float
    p95_latency_ms: float
    first_seen: datetime
    last_seen: datetime


class FieldUsageResponse(BaseModel):
    namespace_id: str
    period: str
    fields: list[FieldUsageStat]
    total_fields: int
    indexed_fields: int
    unindexed_fields: int


class IndexRecommendation(BaseModel):
    """mongodb_index_command: there is no MongoDB here; what applies it, empty where no index would help."""

    field_name: str
    query_count: int
    avg_latency_ms: float
    p95_latency_ms: float
    slow_query_count: int
    very_slow_query_count: int
    priority_score: float
    recommendation: str
    mongodb_index_command: str


class IndexRecommendationsResponse(BaseModel):
    namespace_id: str
    time_range_days: int
    recommendations: list[IndexRecommendation]
    summary: dict[str, int]


class NamespaceSummaryResponse(BaseModel):
    namespace_id: str
    time_range_days: int
    summary: dict[str, Any]
    recommendations: list[IndexRecommendation]
    most_queried_fields: list[FieldQueryMetrics]
    slowest_fields: list[FieldPerformanceMetrics]
    compound_indexes: list[CompoundIndexPattern]


class ApplySuggestionRequest(BaseModel):
    field_name: str = Field(min_length=1, max_length=500, description="The path of the field, such as `price`.")


class AppliedIndex(BaseModel):
    """before_ms, after_ms: what a range over the middle of the values took, the median of five.

    after_ms: null where no index could be made, for the shard has as many as it takes.
    """

    collection_id: str
    collection_name: str
    documents: int
    was_indexed: bool
    is_indexed: bool
    before_ms: float
    after_ms: float | None


class ApplySuggestionResponse(BaseModel):
    field_name: str
    collections: list[AppliedIndex]


def show_suggestions(principal: Principal, hours: int, least: int, found: IndexedUses) -> IndexSuggestionsResponse:
    wanted = [one for one in found.fields if one.is_suggested and one.use.timing.count >= least]
    return IndexSuggestionsResponse(
        namespace_id=principal.namespace_id,
        analysis_period=f"{hours}h",
        suggestions=[
            IndexSuggestion(
                field_name=one.use.path, query_count_24h=one.of_day, query_count_7d=one.of_week,
                suggested_type=SUGGESTED, is_indexed=False, first_seen=one.use.first_at, last_seen=one.use.last_at,
            )
            for one in wanted
        ],
        auto_create_enabled=False,
    )  # fmt: skip


def show_usage(principal: Principal, period: str, least: int, found: IndexedUses) -> FieldUsageResponse:
    fields = [one for one in found.fields if one.use.timing.count >= least]
    indexed = sum(one.is_served for one in fields)
    return FieldUsageResponse(
        namespace_id=principal.namespace_id,
        period=period,
        fields=[
            FieldUsageStat(
                field_name=one.use.path, query_count=one.use.timing.count, unique_queries=one.use.stages,
                is_indexed=one.is_served, is_protected=False, avg_latency_ms=one.use.timing.avg_ms,
                p95_latency_ms=one.use.timing.p95_ms, first_seen=one.use.first_at, last_seen=one.use.last_at,
            )
            for one in fields
        ],
        total_fields=len(fields),
        indexed_fields=indexed,
        unindexed_fields=len(fields) - indexed,
    )  # fmt: skip


def recommendations(found: IndexedUses, least: int, limit: int) -> list[IndexRecommendation]:
    """Of fields that no index serves."""
    wanted = [one for one in found.fields if not one.is_served and one.use.timing.count >= least]
    whole_ms = sum(one.use.timing.total_ms for one in found.fields)
    order = sorted(wanted, key=lambda one: (-one.use.timing.total_ms, one.use.path))
    return [_recommendation(one, whole_ms) for one in order[:limit]]


def _recommendation(one: IndexedUse, whole_ms: float) -> IndexRecommendation:
    use = one.use
    names = ", ".join(collection.name for collection in one.lacking)
    told = (
        f"index ranges of {use.path} in {names}"
        if one.is_suggested
        else f"no index serves these filters on {use.path}; `eq`, `in` or a range would be served"
    )
    call = f'POST /v1/analytics/indexes/suggestions/apply {{"field_name": "{use.path}"}}' if one.is_suggested else ""
    return IndexRecommendation(
        field_name=use.path,
        query_count=use.timing.count,
        avg_latency_ms=use.timing.avg_ms,
        p95_latency_ms=use.timing.p95_ms,
        slow_query_count=use.slow,
        very_slow_query_count=use.very_slow,
        priority_score=use.timing.total_ms / whole_ms * 100 if whole_ms else 0.0,
        recommendation=told,
        mongodb_index_command=call,
    )


def show_recommendations(
    principal: Principal, days: int, least: int, limit: int, found: IndexedUses
) -> IndexRecommendationsResponse:
    return IndexRecommendationsResponse(
        namespace_id=principal.namespace_id,
        time_range_days=days,
        recommendations=recommendations(found, least, limit),
        summary={
            "fields": len(found.fields),
            "served": sum(one.is_served for one in found.fields),
            "suggested": sum(one.is_suggested for one in found.fields),
        },
    )


def show_summary(principal: Principal, days: int, found: IndexedUses) -> NamespaceSummaryResponse:
    return NamespaceSummaryResponse(
        namespace_id=principal.namespace_id,
        time_range_days=days,
        summary={
            "filtered_fields": len(found.fields),
            "served_by_an_index": sum(one.is_served for one in found.fields),
            "suggestions": sum(one.is_suggested for one in found.fields),
        },
        recommendations=recommendations(found, 1, _SHOWN),
        most_queried_fields=[queried(one) for one in found.found.fields[:_SHOWN]],
        slowest_fields=slowest(found.found, _SHOWN),
        compound_indexes=[pattern(one) for one in found.found.together[:_SHOWN]],
    )


def show_applied(field: str, measured: list[Measured]) -> ApplySuggestionResponse:
    return ApplySuggestionResponse(
        field_name=field,
        collections=[
            AppliedIndex(
                collection_id=one.collection.collection_id, collection_name=one.collection.name,
                documents=one.documents, was_indexed=one.was_indexed, is_indexed=one.is_indexed,
                before_ms=one.before_ms, after_ms=one.after_ms,
            )
            for one in measured
        ],
    )  # fmt: skip
