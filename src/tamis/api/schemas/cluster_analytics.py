"""How the runs of a cluster went, on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.analytics import TimeRange
from tamis.api.schemas.engine_analytics import time_range
from tamis.model.cluster import ClusterRun
from tamis.services.learning.cluster_analytics import ClusterHistory


class ClusterExecutionMetric(BaseModel):
    """duration_seconds: until now where it is under way."""

    execution_id: str
    started_at: datetime
    duration_seconds: float
    num_documents: int
    num_clusters: int
    status: str
    algorithm: str


class ExecutionHistoryResponse(BaseModel):
    cluster_id: str
    time_range: TimeRange
    executions: list[ClusterExecutionMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class FailureMetric(BaseModel):
    """error_type: the phase that it failed in."""

    timestamp: datetime
    execution_id: str
    error_message: str
    error_type: str


class ClusterFailureAnalysisResponse(BaseModel):
    cluster_id: str
    time_range: TimeRange
    failures: list[FailureMetric]
    total_failures: int


def show_history(found: ClusterHistory) -> ExecutionHistoryResponse:
    algorithm = found.cluster.vector.algorithm if found.cluster.vector else found.cluster.type.value
    return ExecutionHistoryResponse(
        cluster_id=found.cluster.cluster_id,
        time_range=time_range(found.span),
        executions=[
            ClusterExecutionMetric(
                execution_id=run.run_id, started_at=run.started_at or run.created_at,
                duration_seconds=_took_s(run, found.now), num_documents=run.points, num_clusters=run.count,
                status=run.status.value, algorithm=algorithm,
            )
            for run in found.runs
        ],
        summary={"total_executions": found.total, "shown": len(found.runs)},
    )  # fmt: skip


def show_cluster_failures(found: ClusterHistory) -> ClusterFailureAnalysisResponse:
    return ClusterFailureAnalysisResponse(
        cluster_id=found.cluster.cluster_id,
        time_range=time_range(found.span),
        failures=[
            FailureMetric(
                timestamp=run.completed_at or run.updated_at, execution_id=run.run_id,
                error_message=run.error or "", error_type=run.phase.value,
            )
            for run in found.runs
        ],
        total_failures=found.total,
    )  # fmt: skip


def _took_s(run: ClusterRun, now: datetime) -> float:
    if run.started_at is None:
        return 0.0
    until = run.completed_at or (run.updated_at if run.status.is_final else now)
    return max(0.0, (until - run.started_at).total_seconds())
