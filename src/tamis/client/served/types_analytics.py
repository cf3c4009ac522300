# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `analytics` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import CovariateConfig, StepKeySource


class AnalyticsPerformanceMetric(TypedDict):
    avg_latency_ms: float
    avg_results: float
    cache_hit_rate: float | None
    credits_used: float
    error_rate: float
    failed_count: int
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    query_count: int
    time_bucket: str


class AnalyticsPerformanceSummary(TypedDict):
    avg_latency_ms: float
    avg_results: float
    cache_hit_rate: float | None
    credits_used: float
    error_rate: float
    failed_count: int
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    query_count: int


class AnalyticsTimeRange(TypedDict):
    end: str
    start: str


class AppliedIndex(TypedDict):
    after_ms: float | None
    before_ms: float
    collection_id: str
    collection_name: str
    documents: int
    is_indexed: bool
    was_indexed: bool


class ApplySuggestionRequest(TypedDict):
    field_name: str


class ApplySuggestionResponse(TypedDict):
    collections: list[AppliedIndex]
    field_name: str


class AssignmentMetric(TypedDict):
    assignment_count: int
    avg_confidence: float
    time_bucket: str
    unique_labels: int


class AssignmentMetricsResponse(TypedDict):
    metrics: list[AssignmentMetric]
    summary: NotRequired[dict[str, Any]]
    taxonomy_id: str
    time_range: TaxonomyAnalyticsTimeRange


class AvailableStepsResponse(TypedDict):
    collection_id: str
    steps: list[StepInfo]
    taxonomy_id: str
    total_events: int
    total_sequences: int


class BatchDiagnosticsResponse(TypedDict):
    batch_id: str
    batch_name: str
    bucket_id: str
    collections: NotRequired[list[CollectionDiagnostic]]
    completed_at: NotRequired[str | None]
    created_at: NotRequired[str | None]
    current_tier: NotRequired[int]
    duration_seconds: NotRequired[float | None]
    estimated_completion: NotRequired[str | None]
    failed_tier_count: NotRequired[int]
    has_failures: NotRequired[bool]
    insights: NotRequired[list[PerformanceInsight]]
    next_actions: NotRequired[list[str]]
    overall_progress: NotRequired[float]
    performance_summary: NotRequired[dict[str, Any] | None]
    started_at: NotRequired[str | None]
    status: str
    submitted_at: NotRequired[str | None]
    tiers: NotRequired[list[TierDiagnostic]]
    total_objects: NotRequired[int]
    total_tiers: NotRequired[int]


class BottleneckAnalysis(TypedDict):
    avg_time_ms: float
    component: str
    execution_count: int
    pct_of_total: float
    rank: int
    stage_name: str
    total_time_ms: float


class BottleneckResponse(TypedDict):
    bottlenecks: list[BottleneckAnalysis]
    time_range: AnalyticsTimeRange
    total_time_ms: float


class BucketHealthResponse(TypedDict):
    bucket_id: str
    error_breakdown: list[ErrorBreakdown]
    overall_health: str
    stuck_syncs: list[str]
    sync_health: list[SyncHealthMetric]
    time_range: AnalyticsTimeRange
    total_errors: int


class BucketStorageResponse(TypedDict):
    bucket_id: str
    metrics: list[StorageMetric]
    summary: NotRequired[dict[str, Any]]
    time_range: AnalyticsTimeRange


class BucketUsageResponse(TypedDict):
    bucket_id: str
    cost_breakdown: CostBreakdown
    metrics: list[UsageMetric]
    time_range: AnalyticsTimeRange
    total_cost_usd: float
    total_credits: int


class CacheHour(TypedDict):
    hit_rate: float
    hits: int
    hour: str
    misses: int


class CachePerformanceResponse(TypedDict):
    avg_cache_hit_latency_ms: float
    avg_cache_miss_latency_ms: float
    cache_hit_rate: float
    hourly_breakdown: list[CacheHour]
    is_complete: bool
    retriever_id: str
    time_range: AnalyticsTimeRange
    total_cache_hits: int
    total_cache_misses: int


class ClusterExecutionMetric(TypedDict):
    algorithm: str
    duration_seconds: float
    execution_id: str
    num_clusters: int
    num_documents: int
    started_at: str
    status: str


class ClusterFailureAnalysisResponse(TypedDict):
    cluster_id: str
    failures: list[FailureMetric]
    time_range: AnalyticsTimeRange
    total_failures: int


class CollectionDiagnostic(TypedDict):
    collection_id: str
    collection_name: str
    document_count: NotRequired[int]
    expected_documents: NotRequired[int | None]
    status: str


class CollectionFailureAnalysisResponse(TypedDict):
    collection_id: str
    error_distribution: list[ErrorMetrics]
    time_range: AnalyticsTimeRange
    total_errors: int


class CollectionOverviewResponse(TypedDict):
    active_clusters: int
    active_taxonomies: int
    avg_processing_time_ms: float
    collection_id: str
    collection_name: str
    documents_last_24h: int
    documents_last_7d: int
    last_indexed: NotRequired[str | None]
    success_rate: float
    total_documents: int


class CompoundIndexPattern(TypedDict):
    avg_latency_ms: float
    combination_count: int
    field_combination: list[str]
    p95_latency_ms: float


class CompoundIndexResponse(TypedDict):
    namespace_id: str
    patterns: list[CompoundIndexPattern]
    time_range_days: int
    total_patterns: int


class ConfidenceDistribution(TypedDict):
    confidence_range: str
    count: int
    percentage: float


class ConfidenceResponse(TypedDict):
    avg_confidence: float
    distribution: list[ConfidenceDistribution]
    low_confidence_count: int
    taxonomy_id: str


class CostBreakdown(TypedDict):
    other_percent: float
    storage_percent: float
    sync_percent: float
    upload_percent: float


class DurationStats(TypedDict):
    max: float
    mean: float
    median: float
    min: float
    p50: float
    p90: float
    p95: float
    std_dev: float


class EngineAnalyticsPerformanceMetric(TypedDict):
    avg_latency_ms: float
    execution_count: int
    max_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    time_bucket: str


class EngineAnalyticsPerformanceSummary(TypedDict):
    avg_latency_ms: NotRequired[float]
    max_latency_ms: NotRequired[float]
    p50_latency_ms: NotRequired[float]
    p95_latency_ms: NotRequired[float]
    p99_latency_ms: NotRequired[float]
    total_executions: NotRequired[int]
    total_time_seconds: NotRequired[float]


class EnginePerformanceResponse(TypedDict):
    metrics: list[EngineAnalyticsPerformanceMetric]
    summary: NotRequired[EngineAnalyticsPerformanceSummary | None]
    time_range: AnalyticsTimeRange


class EngineStageBreakdownResponse(TypedDict):
    stages: list[StagePerformance]
    time_range: AnalyticsTimeRange
    total_time_ms: float


class EnrichmentHistoryResponse(TypedDict):
    metrics: list[EnrichmentMetric]
    summary: NotRequired[dict[str, Any]]
    taxonomy_id: str
    time_range: TaxonomyAnalyticsTimeRange


class EnrichmentMetric(TypedDict):
    avg_latency_ms: float
    enrichment_count: int
    failure_count: int
    success_count: int
    success_rate: float
    time_bucket: str


class ErrorBreakdown(TypedDict):
    count: int
    error_type: str
    first_seen: str
    last_seen: str
    percentage: float


class ErrorMetrics(TypedDict):
    count: int
    error_type: str
    percentage: float
    recent_message: str


class ExecutionHistoryResponse(TypedDict):
    cluster_id: str
    executions: list[ClusterExecutionMetric]
    summary: NotRequired[dict[str, Any]]
    time_range: AnalyticsTimeRange


class ExtractorBreakdownResponse(TypedDict):
    extractors: list[ExtractorPerformance]
    time_range: AnalyticsTimeRange


class ExtractorMetrics(TypedDict):
    avg_latency_ms: float
    execution_count: int
    extractor_name: str
    failure_count: int
    p95_latency_ms: float
    p99_latency_ms: float
    success_count: int
    success_rate: float
    version: str


class ExtractorPerformance(TypedDict):
    avg_latency_ms: float
    execution_count: int
    extractor_name: str
    max_latency_ms: float
    p95_latency_ms: float
    stage_name: str


class ExtractorPerformanceResponse(TypedDict):
    collection_id: str
    extractors: list[ExtractorMetrics]
    summary: NotRequired[dict[str, Any]]
    time_range: AnalyticsTimeRange


class FailureMetric(TypedDict):
    error_message: str
    error_type: str
    execution_id: str
    timestamp: str


class FieldPerformanceMetrics(TypedDict):
    avg_latency_ms: float
    field_name: str
    index_priority_score: float
    max_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    usage_count: int


class FieldPerformanceResponse(TypedDict):
    fields: list[FieldPerformanceMetrics]
    namespace_id: str
    time_range_days: int
    total_fields: int


class FieldQueryMetrics(TypedDict):
    avg_latency_ms: float
    field_name: str
    p95_latency_ms: float
    query_count: int


class FieldUsageResponse(TypedDict):
    fields: list[FieldUsageStat]
    indexed_fields: int
    namespace_id: str
    period: str
    total_fields: int
    unindexed_fields: int


class FieldUsageStat(TypedDict):
    avg_latency_ms: float
    field_name: str
    first_seen: str
    is_indexed: bool
    is_protected: bool
    last_seen: str
    p95_latency_ms: float
    query_count: int
    unique_queries: int


class GrowthMetric(TypedDict):
    avg_latency_ms: float
    documents_added: int
    success_rate: float
    time_bucket: str


class GrowthMetricsResponse(TypedDict):
    collection_id: str
    metrics: list[GrowthMetric]
    summary: NotRequired[dict[str, Any]]
    time_range: AnalyticsTimeRange


class IndexRecommendation(TypedDict):
    avg_latency_ms: float
    field_name: str
    mongodb_index_command: str
    p95_latency_ms: float
    priority_score: float
    query_count: int
    recommendation: str
    slow_query_count: int
    very_slow_query_count: int


class IndexRecommendationsResponse(TypedDict):
    namespace_id: str
    recommendations: list[IndexRecommendation]
    summary: dict[str, int]
    time_range_days: int


class IndexSuggestion(TypedDict):
    estimated_performance_gain: NotRequired[str | None]
    field_name: str
    first_seen: str
    is_indexed: bool
    last_seen: str
    query_count_24h: int
    query_count_7d: NotRequired[int | None]
    suggested_type: str


class IndexSuggestionsResponse(TypedDict):
    analysis_period: str
    auto_create_enabled: bool
    namespace_id: str
    next_auto_create_run: NotRequired[str | None]
    suggestions: list[IndexSuggestion]


class LabelDistributionResponse(TypedDict):
    labels: list[LabelMetric]
    taxonomy_id: str
    total_labels: int


class LabelMetric(TypedDict):
    avg_confidence: float
    count: int
    label: str
    percentage: float


class LatencyMetric(TypedDict):
    avg_latency_ms: float
    document_count: int
    p95_latency_ms: float
    p99_latency_ms: float
    time_bucket: str


class LatencyResponse(TypedDict):
    collection_id: str
    metrics: list[LatencyMetric]
    slowest_documents: NotRequired[list[dict[str, Any]]]
    time_range: AnalyticsTimeRange


class MostQueriedFieldsResponse(TypedDict):
    fields: list[FieldQueryMetrics]
    namespace_id: str
    time_range_days: int
    total_fields: int


class NamespaceSummaryResponse(TypedDict):
    compound_indexes: list[CompoundIndexPattern]
    most_queried_fields: list[FieldQueryMetrics]
    namespace_id: str
    recommendations: list[IndexRecommendation]
    slowest_fields: list[FieldPerformanceMetrics]
    summary: dict[str, Any]
    time_range_days: int


class NodeDistributionResponse(TypedDict):
    nodes: list[NodeMetric]
    taxonomy_id: str


class NodeMetric(TypedDict):
    avg_confidence: NotRequired[float | None]
    count: int
    is_node: NotRequired[bool]
    label: str
    level: int
    node_id: str
    parent: NotRequired[str | None]


class OperationUsage(TypedDict):
    cost_usd: float
    credits: float
    executions: int
    operation_type: str


class PathAnalysisRequest(TypedDict):
    collection_id: str
    filters: NotRequired[dict[str, Any] | None]
    from_step: str
    max_path_length: NotRequired[int]
    max_window_days: NotRequired[int | None]
    min_support: NotRequired[int]
    to_step: str


class PathAnalysisResponse(TypedDict):
    completed_sequences: int
    completion_rate: float
    from_step: str
    paths: list[TransitionPath]
    to_step: str
    total_sequences: int


class PerformanceInsight(TypedDict):
    message: str
    metric_value: NotRequired[float | None]
    recommendation: NotRequired[str | None]
    severity: str
    stage: NotRequired[str | None]
    type: str


class PredictorLift(TypedDict):
    conversion_rate: float
    count: int
    field: str
    lift: float
    value: str


class RetrieverPerformanceResponse(TypedDict):
    is_complete: bool
    latency_error: NotRequired[float]
    metrics: list[AnalyticsPerformanceMetric]
    retriever_id: str
    summary: NotRequired[AnalyticsPerformanceSummary | None]
    time_range: AnalyticsTimeRange


class RetrieverSignal(TypedDict):
    execution_id: str
    metadata: NotRequired[dict[str, Any] | None]
    signal_data: dict[str, Any]
    signal_type: str
    timestamp: str


class SlowOperationEntry(TypedDict):
    component: str
    latency_ms: float
    metadata: NotRequired[dict[str, Any]]
    stage_name: str
    timestamp: str


class SlowOperationsResponse(TypedDict):
    operations: list[SlowOperationEntry]
    threshold_ms: float
    time_range: AnalyticsTimeRange


class SlowQueriesResponse(TypedDict):
    latency_threshold_ms: float
    namespace_id: str
    slow_queries: list[SlowQueryDetails]
    time_range_days: int
    total_slow_queries: int


class SlowQuery(TypedDict):
    credits_used: float
    error: str | None
    execution_id: str
    inputs: dict[str, Any] | None
    latency_ms: float
    query_summary: str | None
    result_count: int
    stages: list[SlowStage]
    status: str
    timestamp: str


class SlowQueryDetails(TypedDict):
    execution_id: str
    latency_ms: float
    queried_fields: list[str]
    query: str
    results_count: int
    retriever_id: str


class SlowStage(TypedDict):
    cache_hit: bool | None
    documents_in: int
    documents_out: int
    latency_ms: float
    outcome: str
    stage_id: str
    stage_name: str


class StageBreakdownResponse(TypedDict):
    is_complete: bool
    latency_error: NotRequired[float]
    retriever_id: str
    stages: list[StagePerformanceMetrics]
    time_range: AnalyticsTimeRange
    total_latency_ms: float


class StagePerformance(TypedDict):
    avg_latency_ms: float
    component: str
    execution_count: int
    max_latency_ms: float
    p95_latency_ms: float
    pct_of_total: float
    stage_name: str
    total_time_ms: float


class StagePerformanceMetrics(TypedDict):
    avg_documents_in: float
    avg_documents_out: float
    avg_latency_ms: float
    cache_hits: int
    cache_misses: int
    execution_count: int
    failed_count: int
    p50_latency_ms: float
    p95_latency_ms: float
    stage_id: str
    stage_name: str
    stage_type: str


class StepAnalyticsConfig(TypedDict):
    covariates: NotRequired[list[CovariateConfig]]
    max_sequence_duration_days: NotRequired[int | None]
    sequence_id_field: str
    step_key_field_path: NotRequired[str | None]
    step_key_source: NotRequired[StepKeySource]
    timestamp_field: str


class StepInfo(TypedDict):
    event_count: int
    first_seen: str
    last_seen: str
    sequence_count: int
    step_key: str


class StepTransitionRequest(TypedDict):
    collection_id: str
    filters: NotRequired[dict[str, Any] | None]
    from_step: str
    max_window_days: NotRequired[int | None]
    min_support: NotRequired[int]
    override_step_analytics: NotRequired[StepAnalyticsConfig | None]
    to_step: str


class StepTransitionResponse(TypedDict):
    conversion_rate: float
    converted: int
    count: int
    durations_sec: NotRequired[DurationStats | None]
    from_step: str
    metadata: NotRequired[dict[str, Any]]
    to_step: str
    top_predictors: NotRequired[list[PredictorLift]]


class StorageMetric(TypedDict):
    avg_size_bytes: int
    growth_rate_percent: NotRequired[float | None]
    object_count: int
    time_bucket: str
    total_size_bytes: int


class SyncComparisonResponse(TypedDict):
    bucket_id: str
    configs: list[SyncConfigMetric]
    time_range: AnalyticsTimeRange


class SyncConfigMetric(TypedDict):
    avg_duration_seconds: float
    avg_throughput_mbps: float
    provider_type: str
    run_count: int
    success_rate: float
    sync_config_id: str
    total_bytes_synced: int
    total_files_synced: int


class SyncHealthMetric(TypedDict):
    consecutive_failures: int
    failure_rate: float
    last_failure_at: NotRequired[str | None]
    last_success_at: NotRequired[str | None]
    sync_config_id: str


class SyncPerformanceResponse(TypedDict):
    bucket_id: str
    runs: list[SyncRunMetric]
    summary: NotRequired[dict[str, Any]]
    sync_config_id: NotRequired[str | None]
    time_range: AnalyticsTimeRange


class SyncRunMetric(TypedDict):
    bytes_synced: int
    duration_seconds: float
    files_discovered: int
    files_failed: int
    files_synced: int
    provider_type: str
    started_at: str
    status: str
    sync_config_id: str
    sync_run_id: str
    throughput_mbps: float


class TaskProgress(TypedDict):
    percentage: NotRequired[float]
    processed_documents: NotRequired[int]
    total_documents: NotRequired[int]


class TaxonomyAnalyticsTimeRange(TypedDict):
    end: str
    start: str


class TierDiagnostic(TypedDict):
    completed_at: NotRequired[str | None]
    duration_seconds: NotRequired[float | None]
    error: NotRequired[str | None]
    error_type: NotRequired[str | None]
    progress: NotRequired[TaskProgress | None]
    ray_dashboard_url: NotRequired[str | None]
    ray_job_id: NotRequired[str | None]
    started_at: NotRequired[str | None]
    status: str
    task_id: NotRequired[str | None]
    tier_num: int


class TransitionPath(TypedDict):
    avg_duration_sec: NotRequired[float | None]
    count: int
    path: list[str]
    percentage: float


class UploadPerformanceMetric(TypedDict):
    avg_latency_ms: float
    avg_throughput_mbps: float
    error_rate: float
    p95_latency_ms: float
    p99_latency_ms: float
    time_bucket: str
    upload_count: int


class UploadPerformanceResponse(TypedDict):
    bucket_id: str
    metrics: list[UploadPerformanceMetric]
    summary: NotRequired[dict[str, Any]]
    time_range: AnalyticsTimeRange


class UsageMetric(TypedDict):
    estimated_cost_usd: float
    storage_gb_hours: float
    sync_operations: NotRequired[int | None]
    time_bucket: str
    total_credits: int
    upload_operations: int


class UsageSummaryResponse(TypedDict):
    end_date: str
    start_date: str
    total_cost: float
    total_credits: float
    usage: list[OperationUsage]
