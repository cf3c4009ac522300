"""Where the time of a namespace goes: stages of retrievers, extractors of collections, batches."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.moments import moment
from tamis.api.schemas.engine_analytics import (
    BatchDiagnosticsResponse,
    BottleneckResponse,
    EnginePerformanceResponse,
    EngineStageBreakdownResponse,
    ExtractorBreakdownResponse,
    SlowOperationsResponse,
    show_bottlenecks,
    show_diagnosis,
    show_extractors,
    show_model,
    show_outcomes,
    show_series,
    show_slow,
    show_stages,
)
from tamis.services.records.batch_diagnostics import BatchDiagnostics
from tamis.services.records.collection_analytics import CollectionAnalytics
from tamis.services.records.engine_analytics import EngineAnalytics
from tamis.services.records.inference_analytics import InferenceAnalytics

router = APIRouter(prefix="/v1/analytics", tags=["engine analytics"], route_class=JsonRoute)

Engine = Annotated[EngineAnalytics, Depends(service(EngineAnalytics))]
Diagnostics = Annotated[BatchDiagnostics, Depends(service(BatchDiagnostics))]
Collections = Annotated[CollectionAnalytics, Depends(service(CollectionAnalytics))]
Inference = Annotated[InferenceAnalytics, Depends(service(InferenceAnalytics))]
Hours = Annotated[int | None, Query(ge=1, le=720, description="Up to now; else `start_date` and `end_date`.")]
Week = Annotated[int, Query(ge=1, le=168)]
Moment = Annotated[datetime | None, Query(description="UTC where it names no zone; whole hours are counted.")]


@router.get("/performance/engine")
async def get_engine_performance(
    principal: Reader,
    engine: Engine,
    hours: Hours = None,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Annotated[
        str,
        Query(pattern="^(minute|hour|day|week|month)$", description="Figures are of whole hours: no minute."),
    ] = "hour",
) -> EnginePerformanceResponse:
    """How often retrievers and extractors ran, and how long that took; the longest within 2.2%."""
    span = engine.span(hours, moment("start_date", start_date), moment("end_date", end_date), group_by)
    return show_series(await engine.series(principal, span, group_by))


@router.get("/performance/engine/stages")
async def get_engine_stages(
    principal: Reader, engine: Engine, hours: Hours = None, start_date: Moment = None, end_date: Moment = None
) -> EngineStageBreakdownResponse:
    """What each stage of each retriever took, and each collection's extractor; what took most comes first."""
    span = engine.span(hours, moment("start_date", start_date), moment("end_date", end_date))
    return show_stages(await engine.stages(principal, span))


@router.get("/performance/engine/extractors")
async def get_engine_extractors(
    principal: Reader, engine: Engine, hours: Hours = None, start_date: Moment = None, end_date: Moment = None
) -> ExtractorBreakdownResponse:
    """What extractors took, collection by collection: sources that they were asked for."""
    span = engine.span(hours, moment("start_date", start_date), moment("end_date", end_date))
    return show_extractors(await engine.extractors(principal, span))


@router.get("/performance/engine/bottlenecks")
async def get_engine_bottlenecks(
    principal: Reader, engine: Engine, hours: Week = 24, limit: Annotated[int, Query(ge=1, le=50)] = 10
) -> BottleneckResponse:
    """The stages and extractors that took most of the time."""
    return show_bottlenecks(await engine.stages(principal, engine.span(hours, None, None)), limit)


@router.get("/performance/engine/slow-operations")
async def get_slow_operations(
    principal: Reader,
    engine: Engine,
    hours: Week = 24,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    threshold_ms: Annotated[float, Query(ge=0)] = 1000.0,
) -> SlowOperationsResponse:
    """Single executions that took at least so long, slowest first. Calls of extractors are not kept one by one."""
    span, found = await engine.slowest(principal, hours, threshold_ms, limit)
    return show_slow(span, list(found), threshold_ms)


@router.get("/performance/batches/{batch_id}/diagnostics")
async def get_batch_diagnostics(principal: Reader, batch_id: str, diagnostics: Diagnostics) -> BatchDiagnosticsResponse:
    """What became of a batch so far, and what may be done about it."""
    return show_diagnosis(await diagnostics.diagnose(principal, batch_id))


@router.get("/extractors/performance")
async def get_extractor_performance(
    principal: Reader,
    collections: Collections,
    extractor_name: Annotated[str | None, Query(description="Its name, or its name and version.")] = None,
    hours: Annotated[int, Query(ge=1, le=720)] = 24,
) -> list[dict[str, Any]]:
    """How often extractors were asked, how that ended and how long it took, over all collections."""
    found = await collections.all_extractors(principal, extractor_name, hours)
    return [show_outcomes(one) for one in found]


@router.get("/inference/performance")
async def get_inference_performance(
    principal: Reader,
    inference: Inference,
    model_name: Annotated[str | None, Query(description="Of one model, as records name it.")] = None,
    hours: Annotated[int, Query(ge=1, le=720)] = 24,
) -> list[dict[str, Any]]:
    """Which models stages asked, and how long these stages took: of the newest 500 executions of these hours."""
    return [show_model(one) for one in await inference.models(principal, model_name, hours)]
