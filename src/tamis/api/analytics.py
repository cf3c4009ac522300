"""How retrievers do, from the records of their executions."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, RetrieverReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.moments import moment
from tamis.api.schemas.analytics import (
    CachePerformanceResponse,
    RetrieverPerformanceResponse,
    RetrieverSignal,
    SlowQuery,
    StageBreakdownResponse,
    show_caching,
    show_performance,
    show_signals,
    show_slow,
    show_stages,
)
from tamis.api.schemas.credits import UsageSummaryResponse, summary_response
from tamis.services.access.credits import CreditService
from tamis.services.records.analytics import AnalyticsService

router = APIRouter(prefix="/v1/analytics", tags=["analytics"], route_class=JsonRoute)

Analytics = Annotated[AnalyticsService, Depends(service(AnalyticsService))]
Credits = Annotated[CreditService, Depends(service(CreditService))]
Hours = Annotated[int, Query(ge=1, le=720, description="From the hour that began so long ago up to now.")]
Moment = Annotated[datetime | None, Query(description="UTC where it names no zone; whole hours are counted.")]


@router.get("/retrievers/{retriever_id}/performance")
async def get_retriever_performance(
    principal: RetrieverReader,
    retriever_id: str,
    analytics: Analytics,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Annotated[str, Query(description="hour, day or week.")] = "hour",
) -> RetrieverPerformanceResponse:
    """How many executions there were, how long they took, how many failed. Counts and means are exact."""
    start, end = moment("start_date", start_date), moment("end_date", end_date)
    return show_performance(await analytics.performance(principal, retriever_id, start, end, group_by))


@router.get("/retrievers/{retriever_id}/stages")
async def get_stage_breakdown(
    principal: RetrieverReader, retriever_id: str, analytics: Analytics, hours: Hours = 24
) -> StageBreakdownResponse:
    """What each stage took, and how many documents went in and came out."""
    return show_stages(await analytics.stages(principal, retriever_id, hours))


@router.get("/retrievers/{retriever_id}/slow-queries")
async def get_slowest_queries(
    principal: RetrieverReader,
    retriever_id: str,
    analytics: Analytics,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    hours: Hours = 24,
) -> list[SlowQuery]:
    """The executions that took longest, with what was asked and what each stage took."""
    return show_slow(await analytics.slowest(principal, retriever_id, hours, limit))


@router.get("/retrievers/{retriever_id}/cache-performance")
async def get_cache_performance(
    principal: RetrieverReader, retriever_id: str, analytics: Analytics, hours: Hours = 24
) -> CachePerformanceResponse:
    """How often caches answered, and how long that took."""
    return show_caching(await analytics.caching(principal, retriever_id, hours))


@router.get("/retrievers/{retriever_id}/signals")
async def get_retriever_signals(
    principal: RetrieverReader,
    retriever_id: str,
    analytics: Analytics,
    signal_type: Annotated[
        str | None,
        Query(description="cache_hit, cache_miss, rerank_scores, filter_reduction or expansion_results; else all."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    hours: Hours = 24,
) -> list[RetrieverSignal]:
    """What single executions say, the newest first: of the newest 2,000 that began within these hours."""
    return show_signals(await analytics.signals(principal, retriever_id, hours, signal_type, limit))


@router.get("/usage/summary")
async def get_usage_summary(
    principal: OrganizationAdmin, credits: Credits, start_date: Moment = None, end_date: Moment = None
) -> UsageSummaryResponse:
    """What executions of the whole organisation cost, whole days of UTC; the last 30 where nothing is said."""
    start, end = moment("start_date", start_date), moment("end_date", end_date)
    return summary_response(await credits.spent(principal, start, end))
