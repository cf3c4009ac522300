# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `retrievers` only gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_analytics import AnalyticsTimeRange
    from tamis.client.served.types_executions import RetrieverExecutionStatistics
    from tamis.client.served.types_retrievers import RetrieverConfig
    from tamis.client.served.types_shared import (
        BucketSchemaFieldOutput,
        BudgetLimits,
        FeatureAddress,
        PaginationResponse,
        ResultPagination,
        StageConfigAnswer,
    )
    from tamis.client.served.types_tasks import TaskStatusEnum


class BudgetCut(TypedDict):
    limit: str | None
    reason: NotRequired[str | None]
    shrunk: NotRequired[dict[str, Any]]
    stage_name: str


class CheckResponse(TypedDict):
    baseline: VersionModel
    candidate: VersionModel
    compared: int
    failed: int
    identical: int
    overlap: float | None
    passed: bool
    rank_biased_overlap: float | None
    reasons: list[str]
    skipped: list[SkippedModel]
    slowdown: float | None
    worst: list[CheckedModel]


class CheckedModel(TypedDict):
    baseline: list[str]
    candidate: list[str]
    error: NotRequired[str | None]
    execution_id: str
    overlap: float
    query_summary: NotRequired[str | None]
    rank_biased_overlap: float


class CloneRetrieverResponse(TypedDict):
    retriever: RetrieverConfig
    source_retriever_id: str


class CreateRetrieverResponse(TypedDict):
    budget_limits: NotRequired[BudgetLimits]
    cache_config: NotRequired[dict[str, Any]]
    collection_identifiers: NotRequired[list[str]]
    collection_ids: NotRequired[list[str]]
    created_at: NotRequired[str | None]
    created_by: NotRequired[str | None]
    description: NotRequired[str | None]
    display_config: NotRequired[dict[str, Any] | None]
    feature_dependencies: NotRequired[list[FeatureAddress] | None]
    input_schema: NotRequired[dict[str, BucketSchemaFieldOutput]]
    retriever: RetrieverConfig
    retriever_id: NotRequired[str | None]
    retriever_name: str
    stages: list[StageConfigAnswer]
    tags: NotRequired[list[str]]
    updated_at: NotRequired[str | None]
    updated_by: NotRequired[str | None]
    version: NotRequired[int]


class DroppedCache(TypedDict):
    last_invalidated_at: str
    retriever_id: str


class ExecutionAnswer(TypedDict):
    budget: ExecutionBudget
    documents: list[ResultDocument]
    error: str | None
    execution_id: str
    execution_metadata: ExecutionMetadata
    optimization_applied: bool
    optimization_summary: dict[str, Any] | None
    pagination: ResultPagination
    results: NotRequired[list[ResultDocument] | None]
    retriever_id: str | None
    stage_statistics: RetrieverExecutionStatistics
    status: str
    warnings: list[str]


class ExecutionBudget(TypedDict):
    credits_limit: float | None
    credits_saved: NotRequired[float]
    credits_used: float
    cut: NotRequired[list[BudgetCut]]
    time_elapsed_ms: float
    time_limit_ms: int | None


class ExecutionMetadata(TypedDict):
    execution_mode: str
    retriever_name: str | None
    retriever_persisted: bool
    retriever_version: int | None


class ExplainRetrieverResponse(TypedDict):
    bottleneck_stages: NotRequired[list[str]]
    estimated_cost: dict[str, float]
    execution_plan: NotRequired[list[ExplainStagePlan]]
    optimization_applied: NotRequired[bool]
    optimization_details: NotRequired[dict[str, Any] | None]
    optimization_level: NotRequired[str]
    optimization_suggestions: NotRequired[list[dict[str, Any]]]
    retriever_id: str
    retriever_name: str
    total_estimated_stages: int


class ExplainStagePlan(TypedDict):
    basis: str
    cache_likely: bool
    estimated_cost_credits: float
    estimated_duration_ms: float
    estimated_efficiency: float
    estimated_input: int
    estimated_output: int
    estimated_processed: int
    is_reached: bool
    measured_runs: int
    optimization_notes: NotRequired[list[str]]
    shrunk: NotRequired[dict[str, Any]]
    stage_id: str
    stage_index: int
    stage_name: str
    stage_type: str
    warnings: NotRequired[list[str]]


class InteractionTuningRecommendation(TypedDict):
    confidence: float
    current_value: NotRequired[Any]
    expected_impact: str
    reasoning: str
    recommendation_type: str
    recommended_value: Any


class InteractionTuningResponse(TypedDict):
    analysis_period: AnalyticsTimeRange
    current_performance: dict[str, Any]
    recommendations: list[InteractionTuningRecommendation]
    retriever_id: str


class LearntFusion(TypedDict):
    interactions: float
    level: str
    searches: dict[str, SearchAgreement]
    stage_name: str


class LearntFusionsResponse(TypedDict):
    learnt: list[LearntFusion]


class ListRetrieversResponse(TypedDict):
    pagination: PaginationResponse
    results: NotRequired[list[RetrieverModel]]
    retrievers: NotRequired[list[RetrieverModel]]
    total: NotRequired[int]


class PatchRetrieverResponse(TypedDict):
    retriever: RetrieverConfig


class PriceList(TypedDict):
    prices: list[StagePrice]
    unit: NotRequired[str]


class QualityMetric(TypedDict):
    baseline: float
    candidate: float
    losses: int
    p: float
    p_holm: float
    ties: int
    wins: int


class QualityModel(TypedDict):
    metrics: dict[str, QualityMetric]
    queries: int


ResultDocument: TypeAlias = dict[str, Any]


class RetrieverModel(TypedDict):
    budget_limits: NotRequired[BudgetLimits]
    cache_config: NotRequired[dict[str, Any]]
    collection_identifiers: NotRequired[list[str]]
    collection_ids: NotRequired[list[str]]
    created_at: NotRequired[str | None]
    created_by: NotRequired[str | None]
    description: NotRequired[str | None]
    display_config: NotRequired[dict[str, Any] | None]
    feature_dependencies: NotRequired[list[FeatureAddress] | None]
    input_schema: NotRequired[dict[str, BucketSchemaFieldOutput]]
    is_published: NotRequired[bool]
    retriever_id: NotRequired[str | None]
    retriever_name: str
    stages: list[StageConfigAnswer]
    tags: NotRequired[list[str]]
    updated_at: NotRequired[str | None]
    updated_by: NotRequired[str | None]
    version: NotRequired[int]


class RetrieverVersionModel(TypedDict):
    created_at: str
    created_by: str | None
    definition: dict[str, Any]
    version: int


class RetrieverVersionsResponse(TypedDict):
    retriever_id: str
    retriever_name: str
    versions: list[RetrieverVersionModel]


class RolloutEnd(TypedDict):
    retriever_id: str
    retriever_name: str
    version: int


class RolloutModel(TypedDict):
    baseline_version: int
    candidate_version: int
    live_share: float
    max_credits: float | None
    max_runs: int
    max_time_ms: int
    retriever_id: str
    rollout_id: str
    shadow_share: float
    started_at: str
    started_by: str | None
    updated_at: str


class RolloutStanding(TypedDict):
    agreement: ShadowAgreement
    by_clicks: QualityModel
    by_judgements: QualityModel | None
    let_go: int
    retriever_name: str
    rollout: RolloutModel
    shadow_credits: float


class SearchAgreement(TypedDict):
    agreement: float
    pairs: float


class ShadowAgreement(TypedDict):
    baseline_credits: float | None
    baseline_ms: float | None
    candidate_credits: float | None
    candidate_ms: float | None
    compared: int
    emptied: int
    failed: int
    identical: int
    overlap: float | None
    rank_biased_overlap: float | None
    skipped: int
    slowdown: float | None


class ShadowRunModel(TypedDict):
    at: str
    baseline: list[str]
    baseline_ms: float
    candidate: list[str]
    candidate_ms: float
    error: str | None
    execution_id: str
    overlap: float | None
    query_summary: NotRequired[str | None]
    rank_biased_overlap: float | None
    skipped: str | None


class SkippedModel(TypedDict):
    execution_id: str
    reason: str


class StagePrice(TypedDict):
    per_1k_tokens: float
    per_call: float
    per_document: float
    per_run: float
    stage_id: str


StreamEvent: TypeAlias = dict[str, Any]


class TrialModel(TypedDict):
    changes: list[str]
    credits: float
    duration_ms: float
    failed: int
    on_curve: bool
    value: float


class TuneResult(TypedDict):
    baseline: float
    best: TrialModel
    better: bool
    held_out: float
    made: VersionModel | None
    metric: str
    p: float
    queries: int
    retriever: VersionModel
    stages: list[dict[str, Any]]
    stopped: str | None
    trials: list[TrialModel]
    untried: int


class TuningListResponse(TypedDict):
    tunings: list[TuningResponse]


class TuningResponse(TypedDict):
    candidates_done: int
    candidates_total: int
    created_at: str
    credits: float
    dataset_name: str
    error: str | None
    result: TuneResult | None
    retriever_id: str
    status: TaskStatusEnum
    task_id: str


class VersionModel(TypedDict):
    retriever_id: str
    retriever_name: str
    version: int
