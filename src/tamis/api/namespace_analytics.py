"""Which fields a namespace's retrievers filter by, and which of their executions were slow."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.namespace_analytics import (
    CompoundIndexResponse,
    FieldPerformanceResponse,
    MostQueriedFieldsResponse,
    SlowQueriesResponse,
    show_most_queried,
    show_patterns,
    show_performance,
    show_slow,
)
from tamis.services.records.field_analytics import FieldAnalytics

router = APIRouter(prefix="/v1/analytics/namespaces", tags=["namespace analytics"], route_class=JsonRoute)

Fields = Annotated[FieldAnalytics, Depends(service(FieldAnalytics))]
Days = Annotated[int, Query(ge=1, le=90)]
Limit = Annotated[int, Query(ge=1, le=100)]
_DAY = 24


@router.get("/fields/most-queried")
async def get_most_queried_fields(
    principal: Reader, fields: Fields, days: Days = 30, limit: Limit = 50
) -> MostQueriedFieldsResponse:
    """Fields by how often stages of saved retrievers filtered by them."""
    uses = await fields.uses(principal, days * _DAY)
    return show_most_queried(principal.namespace_id, days, uses, limit)


@router.get("/fields/performance")
async def get_field_performance(
    principal: Reader, fields: Fields, days: Days = 30, limit: Limit = 50
) -> FieldPerformanceResponse:
    """Fields by how much time the stages took that filtered by them."""
    return show_performance(principal.namespace_id, days, await fields.uses(principal, days * _DAY), limit)


@router.get("/indexes/compound-patterns")
async def get_compound_patterns(
    principal: Reader, fields: Fields, days: Days = 30, limit: Limit = 50
) -> CompoundIndexResponse:
    """Fields that stages filtered by together."""
    return show_patterns(principal.namespace_id, days, await fields.uses(principal, days * _DAY), limit)


@router.get("/queries/slow")
async def get_slow_queries(
    principal: Reader,
    fields: Fields,
    days: Days = 30,
    latency_threshold_ms: Annotated[float, Query(ge=100, le=10_000)] = 500.0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> SlowQueriesResponse:
    """Executions of saved retrievers that took at least so long, the slowest first; at most 100 of each."""
    found = await fields.slow(principal, days, latency_threshold_ms, limit)
    return show_slow(principal.namespace_id, days, latency_threshold_ms, found)
