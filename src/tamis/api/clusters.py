"""Clusters: defined, run, and what their runs found. Literal paths below `/clusters` are mounted first."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.batch import task_model
from tamis.api.schemas.cluster import (
    ApplyClusterEnrichmentRequest,
    ClusteringEnrichmentResponse,
    ClusterMetadata,
    ClusterModel,
    CreateClusterRequest,
    ListClustersRequest,
    ListClustersResponse,
    PatchClusterRequest,
)
from tamis.api.schemas.cluster_run import (
    ClusterArtifacts,
    ClusterDataRequest,
    ClusterExecutionResult,
    CompareClusterExecutionsResponse,
    ListClusterExecutionsRequest,
    ListClusterExecutionsResponse,
    read_number,
    run_stats,
    show_artifacts,
    show_comparison,
    show_run,
)
from tamis.api.schemas.cluster_wire import list_stats, read_cluster, show_cluster, show_definition
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.task import TaskResponse
from tamis.engine.ports.clusters import MemberQuery
from tamis.services.learning.cluster_enrichments import ClusterEnrichmentService, EnrichmentRequest
from tamis.services.learning.cluster_runs import ClusterRunService
from tamis.services.learning.clusters import ClusterService

router = APIRouter(prefix="/v1/clusters", tags=["clusters"], route_class=JsonRoute)

Clusters = Annotated[ClusterService, Depends(service(ClusterService))]
Runs = Annotated[ClusterRunService, Depends(service(ClusterRunService))]
Enrichments = Annotated[ClusterEnrichmentService, Depends(service(ClusterEnrichmentService))]
_MEMBERS = 1_000


@router.post("")
async def create_cluster(principal: Writer, body: CreateClusterRequest, clusters: Clusters) -> ClusterMetadata:
    """Define how documents are clustered, by their vectors or by equal attributes; nothing runs yet."""
    return show_cluster(await clusters.create(principal, read_cluster(body)), principal)


@router.post("/enrich")
async def apply_cluster_enrichment(
    principal: Writer, body: ApplyClusterEnrichmentRequest, enrichments: Enrichments
) -> ClusteringEnrichmentResponse:
    """Tell the documents of a collection which cluster they are in, by each cluster's newest result."""
    asked = EnrichmentRequest(
        tuple(dict.fromkeys(body.clustering_ids)), body.source_collection_id, body.target_collection_id, body.batch_size
    )
    done = await enrichments.enrich(principal, asked)
    return ClusteringEnrichmentResponse(
        batches=done.batches, enriched=done.enriched, failed=done.failed, processed=done.processed
    )


@router.post("/list")
async def list_clusters(
    principal: Reader, request: Request, clusters: Clusters, paging: Paging, body: ListClustersRequest | None = None
) -> ListClustersResponse:
    """The namespace's clusters, newest first where no order is asked for."""
    query = paging.query(body)
    page, every = await clusters.list(principal, query)
    return ListClustersResponse(
        pagination=pagination(page, request, query),
        results=[show_cluster(one, principal) for one in page.items],
        stats=list_stats(every),
        total_count=page.total,
    )


@router.get("/{cluster_identifier}")
async def get_cluster(principal: Reader, cluster_identifier: str, clusters: Clusters) -> ClusterMetadata:
    """A cluster by id or name, with how its runs went."""
    return show_cluster(await clusters.get(principal, cluster_identifier), principal)


@router.patch("/{cluster_identifier}")
async def patch_cluster(
    principal: Writer, cluster_identifier: str, body: PatchClusterRequest, clusters: Clusters
) -> ClusterModel:
    """Change what a cluster is called and says of itself; how it clusters stays: that is another cluster."""
    changed = await clusters.patch(principal, cluster_identifier, body.cluster_name, body.description, body.metadata)
    return show_definition(changed)


@router.delete("/{cluster_id}")
async def delete_cluster(principal: Deleter, cluster_id: str, clusters: Clusters) -> GenericDeleteResponse:
    """With its runs, what they found, and its triggers. What documents were told stays in them."""
    await clusters.delete(principal, cluster_id)
    return GenericDeleteResponse(message="Cluster deleted")


@router.post("/{cluster_id}/execute")
async def execute_clustering(principal: Writer, cluster_id: str, runs: Runs) -> TaskResponse:
    """Cluster the documents that there are now, as a task that goes on after a restart."""
    task, _ = await runs.start(principal, cluster_id)
    return task_model(task)


@router.get("/{cluster_id}/executions")
async def get_cluster_execution(principal: Reader, cluster_id: str, runs: Runs) -> ClusterExecutionResult:
    """The newest run."""
    return show_run(await runs.get(principal, cluster_id))


@router.post("/{cluster_id}/executions/list")
async def list_cluster_executions(
    principal: Reader,
    request: Request,
    cluster_id: str,
    runs: Runs,
    paging: Paging,
    body: ListClusterExecutionsRequest | None = None,
) -> ListClusterExecutionsResponse:
    """Its runs, newest first where no order is asked for; the newest 20 are kept."""
    query = paging.query(body)
    page, every = await runs.list(principal, cluster_id, query)
    return ListClusterExecutionsResponse(
        pagination=pagination(page, request, query),
        results=[show_run(one) for one in page.items],
        stats=run_stats(every),
        total_count=page.total,
    )


@router.get("/{cluster_id}/executions/{run_id}")
async def get_cluster_execution_by_run(
    principal: Reader, cluster_id: str, run_id: str, runs: Runs
) -> ClusterExecutionResult:
    """How far it is, and what it found."""
    return show_run(await runs.get(principal, cluster_id, run_id))


@router.get("/{cluster_id}/executions/{run_id}/artifacts")
async def get_execution_artifacts(
    principal: Reader,
    cluster_id: str,
    run_id: str,
    runs: Runs,
    include_centroids: bool = True,
    include_members: bool = False,
    limit: Annotated[int | None, Query(ge=1, le=10_000, description="Members; 1,000 where nothing is said.")] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    projection_method: Annotated[Literal["2d", "3d"], Query(description="How many of x, y, z.")] = "2d",
) -> ClusterArtifacts:
    """Centroids with their vectors, and members with their places on a page."""
    details = await runs.get(principal, cluster_id, run_id)
    members = None
    if include_members:
        members = await runs.members(principal, MemberQuery(run_id, None, limit or _MEMBERS, offset))
    dimensions = 2 if projection_method == "2d" else 3
    return show_artifacts(details, members, with_centroids=include_centroids, dimensions=dimensions)


@router.get("/{cluster_id}/executions/{run_id}/compare/{other_run_id}")
async def compare_cluster_executions(
    principal: Reader, cluster_id: str, run_id: str, other_run_id: str, runs: Runs
) -> CompareClusterExecutionsResponse:
    """Which cluster of a run became which of another: the pairing that keeps the most documents together."""
    return show_comparison(await runs.compare(principal, cluster_id, run_id, other_run_id))


@router.post("/{cluster_id}/executions/{run_id}/cancel")
async def cancel_execution(principal: Writer, cluster_id: str, run_id: str, runs: Runs) -> ClusterExecutionResult:
    """End a run that is under way; nothing of it is kept but that it was."""
    await runs.cancel(principal, cluster_id, run_id)
    return show_run(await runs.get(principal, cluster_id, run_id))


@router.post("/{cluster_id}/executions/{run_id}/data")
async def stream_execution_data(
    principal: Reader, cluster_id: str, run_id: str, body: ClusterDataRequest, runs: Runs
) -> ClusterArtifacts:
    """Centroids and members of a run, or of one of its clusters, window by window."""
    number = read_number(body.cluster_id, ["body", "cluster_id"])
    details = await runs.get(principal, cluster_id, run_id)
    members = None
    if body.include_members:
        query = MemberQuery(run_id, number, body.limit or _MEMBERS, body.offset)
        members = await runs.members(principal, query)
    return show_artifacts(details, members, with_centroids=body.include_centroids, number=number)
