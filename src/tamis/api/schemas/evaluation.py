"""Evaluations on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.errors import ValidationError
from tamis.evaluation.comparison import MetricComparison
from tamis.model.evaluation import (
    DEFAULT_K,
    DEFAULT_METRICS,
    METRICS,
    Evaluation,
    EvaluationConfig,
    EvaluationStatus,
    QueryRun,
)
from tamis.services.learning.evaluations import ComparedQuery, Comparison

_MAX_K, _MOST_K = 1000, 20
_LOC: list[str | int] = ["body", "evaluation_config"]


class EvaluationConfigModel(BaseModel):
    """What is measured, and how deep."""

    k_values: list[int] | None = [*DEFAULT_K]
    metrics: list[str] | None = [*DEFAULT_METRICS]

    def config(self) -> EvaluationConfig:
        """Raises: ValidationError naming the place."""
        k_values = tuple(sorted(set(self.k_values or DEFAULT_K)))
        metrics = tuple(dict.fromkeys(self.metrics or DEFAULT_METRICS))
        if len(k_values) > _MOST_K or k_values[0] < 1 or k_values[-1] > _MAX_K:
            message = f"at most {_MOST_K} numbers from 1 to {_MAX_K}"
            raise ValidationError.at([*_LOC, "k_values"], message)
        for place, metric in enumerate(metrics):
            if metric not in METRICS:
                raise ValidationError.at([*_LOC, "metrics", place], f"one of {', '.join(METRICS)}, not {metric!r}")
        return EvaluationConfig(k_values, metrics)


class StartEvaluationRequest(BaseModel):
    dataset_name: str = Field(min_length=1, description="Its name or id.")
    evaluation_config: EvaluationConfigModel | None = None
    retriever_version: int | None = Field(None, ge=1, description="Left out: the newest.")


class StartEvaluationResponse(BaseModel):
    created_at: str
    evaluation_id: str
    status: str = "pending"
    task_id: str
    task_type: str = "retriever.evaluation"


class EvaluationRecord(BaseModel):
    """overall_metrics: at the greatest k."""

    evaluation_id: str
    retriever_id: str
    retriever_version: int
    dataset_id: str
    dataset_name: str
    task_id: str
    config: EvaluationConfigModel
    status: EvaluationStatus
    query_count: int
    evaluated_queries: int | None = Field(None, description="Those with a relevant document: the means are over these.")
    skipped_queries: int | None = Field(None, description="Those that could not be asked; they count as found nothing.")
    overall_metrics: dict[str, float] | None = None
    metrics_by_k: dict[str, dict[str, float]] | None = None
    error_message: str | None = None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    dataset_updated_at: datetime | None = Field(None, description="Of the judgements that it was measured by.")
    namespace_id: str
    internal_id: str


class EvaluationListResponse(BaseModel):
    evaluations: list[EvaluationRecord]
    total: int
    page: int
    page_size: int


class QueryRunModel(BaseModel):
    """metrics: by `metric@k`; null where the query has no relevant document."""

    query_id: str
    execution_id: str | None = None
    ranking: list[str]
    metrics: dict[str, float] | None = None
    error: str | None = None


class QueryRunsResponse(BaseModel):
    queries: list[QueryRunModel]
    total: int
    page: int
    page_size: int


class MetricComparisonModel(BaseModel):
    baseline: float
    candidate: float
    difference: float
    p: float = Field(description="Of the paired randomisation test, two-sided.")
    p_holm: float = Field(description="Corrected by Holm's method for all metrics compared.")
    wins: int
    losses: int
    ties: int


class ComparedQueryModel(BaseModel):
    """diff: where the two executions are compared stage by stage."""

    query_id: str
    query_input: dict[str, Any]
    change: float
    baseline_execution_id: str | None
    candidate_execution_id: str | None
    diff: str | None
    baseline_metrics: dict[str, float]
    candidate_metrics: dict[str, float]


class ComparisonResponse(BaseModel):
    baseline: EvaluationRecord
    candidate: EvaluationRecord
    metrics: dict[str, MetricComparisonModel]
    metric: str = Field(description="What the worst queries are found by.")
    queries: int = Field(description="Queries compared: of both, with a relevant document.")
    unjudged_queries: int
    worst: list[ComparedQueryModel]


def show_started(evaluation: Evaluation) -> StartEvaluationResponse:
    return StartEvaluationResponse(
        created_at=evaluation.created_at.isoformat(),
        evaluation_id=evaluation.evaluation_id,
        status=evaluation.status.value,
        task_id=evaluation.task_id,
    )


def show_evaluation(evaluation: Evaluation, namespace_id: str, internal_id: str) -> EvaluationRecord:
    by_k = _by_k(evaluation.means)
    ended = evaluation.dataset_updated_at is not None
    return EvaluationRecord(
        evaluation_id=evaluation.evaluation_id,
        retriever_id=evaluation.retriever_id,
        retriever_version=evaluation.retriever_version,
        dataset_id=evaluation.dataset_id,
        dataset_name=evaluation.dataset_name,
        task_id=evaluation.task_id,
        config=EvaluationConfigModel(k_values=[*evaluation.config.k_values], metrics=[*evaluation.config.metrics]),
        status=evaluation.status,
        query_count=evaluation.query_count,
        evaluated_queries=evaluation.judged if ended else None,
        skipped_queries=evaluation.skipped if ended else None,
        overall_metrics=by_k.get(str(evaluation.config.depth)),
        metrics_by_k=by_k or None,
        error_message=evaluation.error,
        created_at=evaluation.created_at,
        updated_at=evaluation.updated_at,
        completed_at=evaluation.completed_at,
        dataset_updated_at=evaluation.dataset_updated_at,
        namespace_id=namespace_id,
        internal_id=internal_id,
    )


def show_run(run: QueryRun) -> QueryRunModel:
    return QueryRunModel(
        query_id=run.query_id,
        execution_id=run.execution_id,
        ranking=[*run.ranking],
        metrics=dict(run.metrics) or None,
        error=run.error,
    )


def show_comparison(found: Comparison, limit: int, namespace_id: str, internal_id: str) -> ComparisonResponse:
    return ComparisonResponse(
        baseline=show_evaluation(found.baseline, namespace_id, internal_id),
        candidate=show_evaluation(found.candidate, namespace_id, internal_id),
        metrics={name: _metric(one) for name, one in found.metrics.items()},
        metric=found.metric,
        queries=found.queries,
        unjudged_queries=found.unjudged,
        worst=[_query(found.baseline, one) for one in found.worst[:limit]],
    )


def _metric(one: MetricComparison) -> MetricComparisonModel:
    return MetricComparisonModel(
        baseline=one.baseline,
        candidate=one.candidate,
        difference=one.difference,
        p=one.p,
        p_holm=one.p_holm,
        wins=one.wins,
        losses=one.losses,
        ties=one.ties,
    )


def _query(baseline: Evaluation, one: ComparedQuery) -> ComparedQueryModel:
    a, b = one.baseline.execution_id, one.candidate.execution_id
    path = f"/v1/retrievers/{baseline.retriever_id}/executions/{a}/diff/{b}"
    return ComparedQueryModel(
        query_id=one.query.query_id,
        query_input=dict(one.query.query_input),
        change=one.change,
        baseline_execution_id=a,
        candidate_execution_id=b,
        diff=path if a and b else None,
        baseline_metrics=dict(one.baseline_metrics),
        candidate_metrics=dict(one.candidate_metrics),
    )


def _by_k(means: Mapping[str, float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, value in means.items():
        metric, _, k = name.partition("@")
        found.setdefault(k, {})[metric] = value
    return found
