# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `evaluations` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import GroundTruthQuery


class AgreementModel(TypedDict):
    counts: dict[str, dict[str, int]]
    documents: int
    kappa: float | None
    same: float
    weighted_kappa: float | None


class ComparedQueryModel(TypedDict):
    baseline_execution_id: str | None
    baseline_metrics: dict[str, float]
    candidate_execution_id: str | None
    candidate_metrics: dict[str, float]
    change: float
    diff: str | None
    query_id: str
    query_input: dict[str, Any]


class ComparisonResponse(TypedDict):
    baseline: EvaluationRecord
    candidate: EvaluationRecord
    metric: str
    metrics: dict[str, MetricComparisonModel]
    queries: int
    unjudged_queries: int
    worst: list[ComparedQueryModel]


class CreateDatasetRequest(TypedDict):
    dataset_name: str
    description: NotRequired[str | None]
    document_field: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    queries: list[GroundTruthQuery]


class DatasetListResponse(TypedDict):
    datasets: list[EvaluationDataset]
    page: int
    page_size: int
    total: int


class EvaluationConfigModel(TypedDict):
    k_values: NotRequired[list[int] | None]
    metrics: NotRequired[list[str] | None]


class EvaluationDataset(TypedDict):
    created_at: str
    dataset_id: str
    dataset_name: str
    description: NotRequired[str | None]
    document_field: NotRequired[str | None]
    internal_id: str
    metadata: NotRequired[dict[str, Any] | None]
    namespace_id: str
    queries: list[GroundTruthQuery]
    query_count: int
    updated_at: str


class EvaluationListResponse(TypedDict):
    evaluations: list[EvaluationRecord]
    page: int
    page_size: int
    total: int


class EvaluationRecord(TypedDict):
    completed_at: NotRequired[str | None]
    config: EvaluationConfigModel
    created_at: str
    dataset_id: str
    dataset_name: str
    dataset_updated_at: NotRequired[str | None]
    error_message: NotRequired[str | None]
    evaluated_queries: NotRequired[int | None]
    evaluation_id: str
    internal_id: str
    metrics_by_k: NotRequired[dict[str, dict[str, float]] | None]
    namespace_id: str
    overall_metrics: NotRequired[dict[str, float] | None]
    query_count: int
    retriever_id: str
    retriever_version: int
    skipped_queries: NotRequired[int | None]
    status: EvaluationStatus
    task_id: str
    updated_at: str


EvaluationStatus: TypeAlias = Literal["pending", "in_progress", "completed", "failed"]


class JudgeRequest(TypedDict):
    judgements: dict[str, dict[str, int | None]]


class MetricComparisonModel(TypedDict):
    baseline: float
    candidate: float
    difference: float
    losses: int
    p: float
    p_holm: float
    ties: int
    wins: int


class ModelJudgingRequest(TypedDict):
    again: NotRequired[bool]
    compared: NotRequired[int]
    depth: NotRequired[int]
    greatest_grade: NotRequired[int | None]
    guideline: NotRequired[str | None]
    max_credits: NotRequired[float | None]
    max_documents: NotRequired[int]
    max_seconds: NotRequired[float]
    model: NotRequired[str | None]
    provider: NotRequired[str | None]


class ModelJudgingResponse(TypedDict):
    agreement: AgreementModel | None
    calls: int
    credits: float
    dataset_id: str
    dataset_name: str
    failed: int
    gone: int
    judged: int
    left: int
    model: str
    stopped: str | None
    tokens: int


class PoolRequest(TypedDict):
    depth: NotRequired[int]
    evaluation_ids: list[str]


class QueryRunModel(TypedDict):
    error: NotRequired[str | None]
    execution_id: NotRequired[str | None]
    metrics: NotRequired[dict[str, float] | None]
    query_id: str
    ranking: list[str]


class QueryRunsResponse(TypedDict):
    page: int
    page_size: int
    queries: list[QueryRunModel]
    total: int


class StartEvaluationRequest(TypedDict):
    dataset_name: str
    evaluation_config: NotRequired[EvaluationConfigModel | None]
    retriever_version: NotRequired[int | None]


class StartEvaluationResponse(TypedDict):
    created_at: str
    evaluation_id: str
    status: NotRequired[str]
    task_id: str
    task_type: NotRequired[str]
