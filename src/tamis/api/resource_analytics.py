"""How buckets, collections and clusters do."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.moments import moment
from tamis.api.schemas.cluster_analytics import (
    ClusterFailureAnalysisResponse,
    ExecutionHistoryResponse,
    show_cluster_failures,
    show_history,
)
from tamis.api.schemas.resource_analytics import (
    BucketHealthResponse,
    BucketStorageResponse,
    BucketUsageResponse,
    CollectionFailureAnalysisResponse,
    CollectionOverviewResponse,
    ExtractorPerformanceResponse,
    GrowthMetricsResponse,
    LatencyResponse,
    UploadPerformanceResponse,
    show_collection_failures,
    show_extractors,
    show_growth,
    show_health,
    show_latency,
    show_overview,
    show_storage,
    show_uploads,
    show_use,
)
from tamis.api.schemas.sync_analytics import (
    SyncComparisonResponse,
    SyncPerformanceResponse,
    show_sync_comparison,
    show_sync_runs,
)
from tamis.services.learning.cluster_analytics import ClusterAnalytics
from tamis.services.records.bucket_analytics import BucketAnalytics
from tamis.services.records.collection_analytics import CollectionAnalytics
from tamis.services.records.sync_analytics import SyncAnalytics

router = APIRouter(prefix="/v1/analytics", tags=["resource analytics"], route_class=JsonRoute)

Buckets = Annotated[BucketAnalytics, Depends(service(BucketAnalytics))]
Syncs = Annotated[SyncAnalytics, Depends(service(SyncAnalytics))]
Collections = Annotated[CollectionAnalytics, Depends(service(CollectionAnalytics))]
Clusters = Annotated[ClusterAnalytics, Depends(service(ClusterAnalytics))]
Hours = Annotated[int, Query(ge=1, le=720, description="From the hour that began so long ago up to now.")]
Moment = Annotated[datetime | None, Query(description="UTC where it names no zone; whole hours are counted.")]
Group = Annotated[str, Query(description="hour, day or week.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
_BUCKET = "/buckets/{bucket_id}"
_COLLECTION = "/collections/{collection_id}"
_CLUSTER = "/clusters/{cluster_id}"


@router.get(f"{_BUCKET}/health")
async def get_bucket_health(
    principal: Reader, bucket_id: str, buckets: Buckets, hours: Hours = 24
) -> BucketHealthResponse:
    """What failed of the batches made in the time, by kind, and how the bucket's syncs are."""
    return show_health(await buckets.health(principal, bucket_id, hours))


@router.get(f"{_BUCKET}/storage")
async def get_bucket_storage(
    principal: Reader,
    bucket_id: str,
    buckets: Buckets,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Group = "day",
) -> BucketStorageResponse:
    """How many objects lay there, and how large, of those that are there today."""
    start, end = moment("start_date", start_date), moment("end_date", end_date)
    return show_storage(await buckets.storage(principal, bucket_id, start, end, group_by))


@router.get(f"{_BUCKET}/usage")
async def get_bucket_usage(
    principal: Reader,
    bucket_id: str,
    buckets: Buckets,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Group = "day",
) -> BucketUsageResponse:
    """What lay there and what was uploaded. Neither costs anything. Runs of syncs are not counted by time."""
    start, end = moment("start_date", start_date), moment("end_date", end_date)
    return show_use(await buckets.use(principal, bucket_id, start, end, group_by))


@router.get(f"{_BUCKET}/upload-performance")
async def get_upload_performance(
    principal: Reader, bucket_id: str, buckets: Buckets, hours: Hours = 24, group_by: Group = "hour"
) -> UploadPerformanceResponse:
    """How long uploads took, of the newest 10,000 of the time."""
    return show_uploads(await buckets.uploads(principal, bucket_id, hours, group_by))


@router.get(f"{_BUCKET}/sync-performance")
async def get_sync_performance(
    principal: Reader,
    bucket_id: str,
    syncs: Syncs,
    sync_config_id: str | None = None,
    hours: Hours = 168,
    limit: Limit = 100,
) -> SyncPerformanceResponse:
    """How single runs of its syncs went, newest first, and all of them together; of one sync where that is named."""
    found = await syncs.runs(principal, bucket_id, hours, sync_config_id)
    return show_sync_runs(found, sync_config_id, limit)


@router.get(f"{_BUCKET}/sync-comparison")
async def get_sync_comparison(
    principal: Reader, bucket_id: str, syncs: Syncs, hours: Hours = 168
) -> SyncComparisonResponse:
    """How its syncs do beside each other."""
    return show_sync_comparison(await syncs.runs(principal, bucket_id, hours))


@router.get(f"{_COLLECTION}/overview")
async def get_collection_overview(
    principal: Reader, collection_id: str, collections: Collections
) -> CollectionOverviewResponse:
    """How large it is, how fast it grows, how its extractor does."""
    return show_overview(await collections.overview(principal, collection_id))


@router.get(f"{_COLLECTION}/growth")
async def get_document_growth(
    principal: Reader,
    collection_id: str,
    collections: Collections,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Group = "day",
) -> GrowthMetricsResponse:
    """Documents by when they were first made, and what became of sources meanwhile."""
    start, end = moment("start_date", start_date), moment("end_date", end_date)
    return show_growth(await collections.series(principal, collection_id, start, end, group_by))


@router.get(f"{_COLLECTION}/latency")
async def get_collection_latency(
    principal: Reader, collection_id: str, collections: Collections, hours: Hours = 24, group_by: Group = "hour"
) -> LatencyResponse:
    """What the extractor took for a source: of a call for several, each has its equal part."""
    return show_latency(await collections.latest(principal, collection_id, hours, group_by))


@router.get(f"{_COLLECTION}/extractors")
async def get_collection_extractors(
    principal: Reader, collection_id: str, collections: Collections, hours: Hours = 24
) -> ExtractorPerformanceResponse:
    """How often its extractor was asked, how that ended and how long it took."""
    collection, span, found = await collections.extractors(principal, collection_id, hours)
    return show_extractors(collection, span, list(found))


@router.get(f"{_COLLECTION}/failures")
async def get_collection_failures(
    principal: Reader, collection_id: str, collections: Collections, hours: Hours = 72
) -> CollectionFailureAnalysisResponse:
    """Why sources failed, of the batches made in the time, with the newest message of each kind."""
    return show_collection_failures(await collections.failures(principal, collection_id, hours))


@router.get(f"{_CLUSTER}/execution-history")
async def get_cluster_execution_history(
    principal: Reader, cluster_id: str, clusters: Clusters, hours: Hours = 168, limit: Limit = 100
) -> ExecutionHistoryResponse:
    """Its runs, the newest first."""
    return show_history(await clusters.history(principal, cluster_id, hours, limit))


@router.get(f"{_CLUSTER}/failures")
async def get_cluster_failures(
    principal: Reader, cluster_id: str, clusters: Clusters, hours: Hours = 168
) -> ClusterFailureAnalysisResponse:
    """Its runs that failed, the newest first."""
    return show_cluster_failures(await clusters.failures(principal, cluster_id, hours))
