"""Indexes that filters would profit from, and one call that makes one and measures what it does."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.index_analytics import (
    ApplySuggestionRequest,
    ApplySuggestionResponse,
    FieldUsageResponse,
    IndexRecommendationsResponse,
    IndexSuggestionsResponse,
    NamespaceSummaryResponse,
    show_applied,
    show_recommendations,
    show_suggestions,
    show_summary,
    show_usage,
)
from tamis.errors import ValidationError
from tamis.services.records.index_suggestions import IndexSuggestions

router = APIRouter(prefix="/v1/analytics", tags=["index analytics"], route_class=JsonRoute)

Suggestions = Annotated[IndexSuggestions, Depends(service(IndexSuggestions))]
Days = Annotated[int, Query(ge=1, le=90)]
_DAY = 24
_MOST_HOURS = 90 * _DAY


@router.get("/indexes/suggestions")
async def get_index_suggestions(
    principal: Reader,
    suggestions: Suggestions,
    hours: Annotated[int, Query(ge=1, le=720)] = 24,
    min_count: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> IndexSuggestionsResponse:
    """Fields that were filtered by ranges so often, in collections whose index has none for them."""
    return show_suggestions(principal, hours, min_count, await suggestions.uses(principal, hours))


@router.post("/indexes/suggestions/apply")
async def apply_index_suggestion(
    principal: Writer, body: ApplySuggestionRequest, suggestions: Suggestions
) -> ApplySuggestionResponse:
    """Make the index of a field's ranges in every collection that has it; what a range took before and after."""
    return show_applied(body.field_name, list(await suggestions.apply(principal, body.field_name)))


@router.get("/indexes/usage")
async def get_field_usage(
    principal: Reader,
    suggestions: Suggestions,
    period: Annotated[str, Query(pattern=r"^(\d+h|\d+d)$", description="At most 90 days.")] = "24h",
    min_count: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> FieldUsageResponse:
    """Fields that were filtered by, and whether an index serves all of these filters."""
    return show_usage(principal, period, min_count, await suggestions.uses(principal, _hours(period)))


@router.get("/namespaces/indexes/recommendations")
async def get_index_recommendations(
    principal: Reader,
    suggestions: Suggestions,
    days: Days = 30,
    min_usage_count: Annotated[int, Query(ge=1, le=100)] = 5,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> IndexRecommendationsResponse:
    """Fields with filters that no index serves, those that took the most time first."""
    found = await suggestions.uses(principal, days * _DAY)
    return show_recommendations(principal, days, min_usage_count, limit, found)


@router.get("/namespaces/summary")
async def get_namespace_summary(
    principal: Reader, suggestions: Suggestions, days: Days = 30
) -> NamespaceSummaryResponse:
    """What is filtered by, how that goes and what would help, in one answer."""
    return show_summary(principal, days, await suggestions.uses(principal, days * _DAY))


def _hours(period: str) -> int:
    hours = int(period[:-1][:6]) * (_DAY if period.endswith("d") else 1)
    if not 1 <= hours <= _MOST_HOURS or len(period) > 6:
        raise ValidationError.at(["query", "period"], "from 1h to 2160h, or from 1d to 90d")
    return hours
