"""Runs of clusters on the wire, and what they found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from tamis.api.paging import ListRequest
from tamis.api.schemas.cluster_wire import duration_s
from tamis.api.schemas.page import PaginationResponse
from tamis.engine.clustering.correspondence import Pair
from tamis.errors import ValidationError
from tamis.model.cluster import NOISE, ClusterRun, FoundCluster, Member, RunStatus
from tamis.model.page import Page
from tamis.services.learning.cluster_runs import RunComparison, RunDetails

_NOISE = "noise"
WireStatus = Literal["pending", "processing", "completed", "failed"]
_STATUS: Mapping[RunStatus, WireStatus] = {
    RunStatus.PENDING: "pending",
    RunStatus.PROCESSING: "processing",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "failed",
}
"""The contract knows no cancelled run: its error_message says so."""


class ClusterExecutionCentroid(BaseModel):
    cluster_id: str = Field(pattern=r"^cl_[0-9]+$")
    keywords: list[str] | None = None
    label: str | None = None
    num_members: int = Field(ge=0)
    summary: str | None = None
    parent_cluster_id: str | None = Field(None, description="Of attributes that nest: the cluster that holds it.")


class ClusterExecutionMetrics(BaseModel):
    calinski_harabasz_score: float | None = Field(None, ge=0)
    davies_bouldin_index: float | None = Field(None, ge=0)
    silhouette_score: float | None = Field(None, ge=-1, le=1)
    silhouette_documents: int = Field(0, description="Over how many documents the silhouette was worked out.")


class ClusterExecutionResult(BaseModel):
    centroids: list[ClusterExecutionCentroid] | None = None
    cluster_id: str = Field(pattern=r"^clust_[a-zA-Z0-9]+$")
    completed_at: datetime | None = None
    created_at: datetime
    error_message: str | None = None
    llm_labeling_errors: list[str] | None = None
    metrics: ClusterExecutionMetrics | None = None
    num_clusters: int = Field(ge=0)
    num_points: int = Field(ge=0)
    run_id: str = Field(pattern=r"^run_[a-zA-Z0-9]+$")
    status: WireStatus
    task_id: str
    phase: str = Field(description="What it is at.")
    noise_points: int = Field(description="Documents in no cluster.")
    trigger_id: str | None = Field(None, description="What started it, where no caller did.")
    execution_time_ms: int | None = None
    notes: list[str] = Field(default_factory=list, description="What whoever reads the result should know.")


class ClusterExecutionListStats(BaseModel):
    avg_execution_time_ms: float = Field(0.0, ge=0)
    avg_num_clusters: float = Field(0.0, ge=0)
    executions_by_status: dict[str, int] = Field(default_factory=dict)
    total_documents_clustered: int = Field(0, ge=0)
    total_executions: int = Field(0, ge=0)


class ListClusterExecutionsRequest(ListRequest):
    pass


class ListClusterExecutionsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[ClusterExecutionResult]
    stats: ClusterExecutionListStats | None = None
    total_count: int = Field(ge=0)


class ArtifactCentroid(ClusterExecutionCentroid):
    centroid_vector: list[float] = Field(description="Empty of clusters of attributes.")
    representative_ids: list[str] = Field(description="Documents nearest to it, the nearest first.")
    mean_distance: float | None = None
    values: dict[str, Any] | None = Field(None, description="Of the attributes that its documents share.")


class ArtifactMember(BaseModel):
    document_id: str
    collection_id: str
    cluster_id: str | None = Field(description="null: in none, `reason` says why.")
    distance_to_centroid: float | None = None
    x: float | None = None
    y: float | None = None
    z: float | None = None
    reason: str | None = None


class ClusterArtifacts(BaseModel):
    cluster_id: str
    run_id: str
    status: WireStatus
    num_clusters: int
    metrics: ClusterExecutionMetrics | None = None
    centroids: list[ArtifactCentroid] | None = None
    members: list[ArtifactMember] | None = None
    total_members: int | None = None
    next_offset: int | None = Field(None, description="Where the members go on; null at their end.")


class ClusterDataRequest(BaseModel):
    cluster_id: str | None = Field(None, description="cl_ and its number, or noise: those in none; null is all.")
    include_centroids: bool = True
    include_members: bool = False
    limit: int | None = Field(None, ge=1, le=10_000)
    offset: int = Field(0, ge=0)


class CorrespondingClusters(BaseModel):
    """One cluster of the earlier run and what became of it; null on either side: it went, or is new."""

    before: ClusterExecutionCentroid | None
    after: ClusterExecutionCentroid | None
    shared: int = Field(description="Documents in both.")
    jaccard: float = Field(description="Documents in both, of those in either.")


class CompareClusterExecutionsResponse(BaseModel):
    cluster_id: str
    before: str
    after: str
    pairs: list[CorrespondingClusters]
    documents: int = Field(description="In a cluster of both runs.")
    kept: int = Field(description="Of these, in the cluster that theirs became.")
    adjusted_rand_index: float | None = Field(description="1: the same; about 0: as by chance.")


def show_run(details: RunDetails) -> ClusterExecutionResult:
    run = details.run
    took_s = duration_s(run)
    return ClusterExecutionResult(
        centroids=[show_found(one) for one in details.found] if run.status is RunStatus.COMPLETED else None,
        cluster_id=run.cluster_id,
        completed_at=run.completed_at,
        created_at=run.created_at,
        error_message=run.error,
        llm_labeling_errors=[*run.naming_errors] or None,
        metrics=show_metrics(run),
        num_clusters=run.count,
        num_points=run.points,
        run_id=run.run_id,
        status=_status(run),
        task_id=run.task_id,
        phase=run.phase.value,
        noise_points=run.points - run.clustered,
        trigger_id=run.trigger_id,
        execution_time_ms=None if took_s is None else round(took_s * 1000),
        notes=[*run.notes],
    )


def _status(run: ClusterRun) -> WireStatus:
    return _STATUS[run.status]


def show_found(found: FoundCluster) -> ClusterExecutionCentroid:
    return ClusterExecutionCentroid(
        cluster_id=f"cl_{found.number}",
        keywords=[*found.keywords] or None,
        label=found.label,
        num_members=found.size,
        summary=found.summary,
        parent_cluster_id=None if found.parent is None else f"cl_{found.parent}",
    )


def show_metrics(run: ClusterRun) -> ClusterExecutionMetrics | None:
    quality = run.quality
    if quality is None:
        return None
    return ClusterExecutionMetrics(
        calinski_harabasz_score=quality.calinski_harabasz,
        davies_bouldin_index=quality.davies_bouldin,
        silhouette_score=quality.silhouette,
        silhouette_documents=quality.silhouette_rows,
    )


def run_stats(runs: Sequence[ClusterRun]) -> ClusterExecutionListStats:
    """Of all that a list's query lets in."""
    by_status: dict[str, int] = {}
    for one in runs:
        by_status[_status(one)] = by_status.get(_status(one), 0) + 1
    done = [one for one in runs if one.status is RunStatus.COMPLETED]
    times = [took for one in done if (took := duration_s(one)) is not None]
    return ClusterExecutionListStats(
        avg_execution_time_ms=1000 * sum(times) / len(times) if times else 0.0,
        avg_num_clusters=sum(one.count for one in done) / len(done) if done else 0.0,
        executions_by_status=by_status,
        total_documents_clustered=sum(one.clustered for one in done),
        total_executions=len(runs),
    )


def show_artifacts(
    details: RunDetails, members: Page[Member] | None, *, with_centroids: bool, dimensions: int = 3,
    number: int | None = None,
) -> ClusterArtifacts:  # fmt: skip
    """members: None where none are wanted.  dimensions: of places.  number: of the one cluster that is wanted."""
    run = details.run
    found = [one for one in details.found if number in (None, one.number)]
    end = members.offset + len(members.items) if members else 0
    return ClusterArtifacts(
        cluster_id=run.cluster_id,
        run_id=run.run_id,
        status=_status(run),
        num_clusters=run.count,
        metrics=show_metrics(run),
        centroids=[_artifact(one) for one in found] if with_centroids else None,
        members=[_member(one, dimensions) for one in members.items] if members else None,
        total_members=members.total if members else None,
        next_offset=end if members and end < members.total else None,
    )


def _artifact(found: FoundCluster) -> ArtifactCentroid:
    return ArtifactCentroid(
        **show_found(found).model_dump(),
        centroid_vector=[*found.centroid],
        representative_ids=[*found.representatives],
        mean_distance=found.mean_distance,
        values=dict(found.values) or None,
    )


def _member(member: Member, dimensions: int) -> ArtifactMember:
    at = [*member.at[:dimensions], None, None, None]
    return ArtifactMember(
        document_id=member.document_id,
        collection_id=member.collection_id,
        cluster_id=None if member.number == NOISE else f"cl_{member.number}",
        distance_to_centroid=member.distance,
        x=at[0],
        y=at[1],
        z=at[2],
        reason=member.reason,
    )


def read_number(cluster_id: str | None, loc: Sequence[str | int]) -> int | None:
    """Of one cluster of a run. Raises: ValidationError."""
    if cluster_id is None:
        return None
    if cluster_id == _NOISE:
        return NOISE
    text = cluster_id.removeprefix("cl_")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and cluster_id != text):
        raise ValidationError.at([*loc], f"cl_ and a number, or {_NOISE}")
    return int(text)


def show_comparison(found: RunComparison) -> CompareClusterExecutionsResponse:
    before, after = ({one.number: show_found(one) for one in each.found} for each in (found.before, found.after))

    def shown(pair: Pair) -> CorrespondingClusters:
        return CorrespondingClusters(
            before=None if pair.before is None else before[pair.before],
            after=None if pair.after is None else after[pair.after],
            shared=pair.shared,
            jaccard=pair.jaccard,
        )

    same = found.correspondence
    return CompareClusterExecutionsResponse(
        cluster_id=found.before.run.cluster_id,
        before=found.before.run.run_id,
        after=found.after.run.run_id,
        pairs=[shown(pair) for pair in same.pairs],
        documents=same.documents,
        kept=same.kept,
        adjusted_rand_index=same.agreement,
    )
