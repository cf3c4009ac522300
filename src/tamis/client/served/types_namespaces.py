# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `namespaces` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import (
        BaseFeatureExtractorModelOutput,
        ComputeTier,
        PaginationResponse,
        PayloadIndexConfig,
        RecordPolicyModel,
    )


class BaseFeatureExtractorModelInput(TypedDict):
    feature_extractor_name: str
    version: str


class BatchOptions(TypedDict):
    batch_size: NotRequired[int]
    max_workers: NotRequired[int]
    retry_failed: NotRequired[bool]


class CancelMigrationRequest(TypedDict):
    reason: NotRequired[str | None]


class CancelMigrationResponse(TypedDict):
    cancelled_at: str
    message: str
    migration_id: str
    status: MigrationStatus


CloneMode: TypeAlias = Literal["shallow", "deep"]


class CloneNamespaceRequest(TypedDict):
    clone_mode: NotRequired[CloneMode]
    description: NotRequired[str | None]
    include_resources: NotRequired[CloneNamespaceResourcesConfig | None]
    namespace_name: str
    source_organization_id: NotRequired[str | None]


class CloneNamespaceResourcesConfig(TypedDict):
    collections: NotRequired[bool]
    retrievers: NotRequired[bool]
    taxonomies: NotRequired[bool]


class CloneNamespaceResponse(TypedDict):
    clone_mode: CloneMode
    cloned_resources: NotRequired[ClonedResourceSummary | None]
    namespace: NamespaceModel
    source_namespace_id: str
    status: NotRequired[str | None]
    task_id: NotRequired[str | None]


class ClonedResourceSummary(TypedDict):
    buckets: NotRequired[int]
    collections: NotRequired[int]
    objects: NotRequired[int]
    points: NotRequired[int]
    retrievers: NotRequired[int]
    taxonomies: NotRequired[int]


class ClusterOptions(TypedDict):
    migrate_artifacts: NotRequired[bool]
    preserve_assignments: NotRequired[bool]
    preserve_centroids: NotRequired[bool]
    preserve_cluster_ids: NotRequired[bool]
    recompute_clusters: NotRequired[bool]


class CreateMigrationRequest(TypedDict):
    config: MigrationConfigModel
    start_immediately: NotRequired[bool]


class CreateMigrationResponse(TypedDict):
    created_at: str
    message: str
    migration_id: str
    status: MigrationStatus
    validation_result: NotRequired[ValidationResult | None]


class CreateNamespaceRequest(TypedDict):
    auto_create_indexes: NotRequired[bool | None]
    description: NotRequired[str | None]
    feature_extractors: NotRequired[list[BaseFeatureExtractorModelInput] | None]
    namespace_name: str
    payload_indexes: NotRequired[list[PayloadIndexConfig] | None]
    record_policy: NotRequired[RecordPolicyModel | None]


class DependencyGraph(TypedDict):
    execution_order: NotRequired[list[str]]
    nodes: NotRequired[list[DependencyNode]]


class DependencyNode(TypedDict):
    dependencies: NotRequired[list[str]]
    resource_id: str
    resource_type: MigratedResource
    tier: NotRequired[int]


class Event(TypedDict):
    at: str | None
    count: int
    data: dict[str, Any]
    event_id: str | None
    event_type: str
    id: str | None
    reason: NotRequired[str | None]
    resource_ids: list[str]


class GetMigrationResponse(TypedDict):
    additional_data: NotRequired[dict[str, Any]]
    completed_at: NotRequired[str | None]
    config: MigrationConfigModel
    created_at: str
    dependency_graph: NotRequired[DependencyGraph | None]
    error_message: NotRequired[str | None]
    internal_id: str
    migration_id: str
    namespace_id: str
    progress: MigrationProgressModel
    started_at: NotRequired[str | None]
    status: MigrationStatus
    task_id: NotRequired[str | None]
    validation_result: NotRequired[ValidationResult | None]


class ListMigrationsRequest(TypedDict):
    limit: NotRequired[int]
    migration_type: NotRequired[MigrationType | None]
    offset: NotRequired[int]
    source_namespace_id: NotRequired[str | None]
    status: NotRequired[MigrationStatus | None]


class ListMigrationsResponse(TypedDict):
    limit: int
    migrations: list[GetMigrationResponse]
    offset: int
    total: int


class ListNamespacesRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    search: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]


class ListNamespacesResponse(TypedDict):
    pagination: PaginationResponse
    results: list[NamespaceModel]
    stats: NotRequired[NamespaceListStats | None]
    total_count: int


class MigratedExtractor(TypedDict):
    feature_extractor_name: str
    parameters: NotRequired[dict[str, Any] | None]
    version: NotRequired[str | None]


MigratedResource: TypeAlias = Literal["bucket", "collection", "taxonomy", "cluster", "retriever"]


class MigrationConfigModel(TypedDict):
    batch_options: NotRequired[BatchOptions | None]
    cluster_options: NotRequired[ClusterOptions | None]
    dry_run: NotRequired[bool]
    feature_extractors: NotRequired[list[MigratedExtractor] | None]
    filters: NotRequired[ResourceFilter | None]
    migration_type: MigrationType
    preserve_resource_ids: NotRequired[bool]
    retriever_options: NotRequired[RetrieverOptions | None]
    source_namespace_id: str
    target_namespace_id: NotRequired[str | None]
    target_namespace_name: NotRequired[str | None]
    taxonomy_options: NotRequired[TaxonomyOptions | None]
    webhook_url: NotRequired[str | None]


class MigrationProgressModel(TypedDict):
    current_stage: NotRequired[MigrationStage | None]
    estimated_completion: NotRequired[str | None]
    overall_progress_percent: NotRequired[float]
    overall_status: MigrationStatus
    resources: NotRequired[list[ResourceProgress]]
    stages: NotRequired[list[StageProgressModel]]
    started_at: NotRequired[str | None]


MigrationStage: TypeAlias = Literal[
    "namespace_setup",
    "batch_creation",
    "batch_processing",
    "cluster_execution",
    "taxonomy_enrichment",
    "benchmark_evaluation",
    "finalization",
]

MigrationStatus: TypeAlias = Literal[
    "draft", "validating", "pending", "in_progress", "completed", "failed", "cancelled"
]

MigrationType: TypeAlias = Literal["re_extract", "copy"]


class NamespaceInfrastructure(TypedDict):
    autoscaling_enabled: NotRequired[bool]
    compute_tier: NotRequired[ComputeTier]
    gpu_type: NotRequired[str | None]
    gpus_per_worker: NotRequired[int]
    max_concurrent_jobs: NotRequired[int]
    max_workers: NotRequired[int]
    min_workers: NotRequired[int]
    qdrant_api_key: NotRequired[str | None]
    qdrant_collection: str
    qdrant_url: NotRequired[str | None]
    ray_cluster_id: NotRequired[str | None]
    ray_dashboard_url: NotRequired[str | None]
    ray_head_node_url: NotRequired[str | None]


class NamespaceListStats(TypedDict):
    avg_documents_per_namespace: NotRequired[float]
    avg_feature_extractors_per_namespace: NotRequired[float]
    avg_payload_indexes_per_namespace: NotRequired[float]
    total_documents: NotRequired[int]
    total_feature_extractors: NotRequired[int]
    total_payload_indexes: NotRequired[int]


class NamespaceModel(TypedDict):
    auto_create_indexes: NotRequired[bool]
    cluster_id: NotRequired[str | None]
    created_at: NotRequired[str | None]
    description: NotRequired[str | None]
    document_count: NotRequired[int | None]
    feature_extractors: NotRequired[list[BaseFeatureExtractorModelOutput]]
    infrastructure: NotRequired[NamespaceInfrastructure | None]
    namespace_id: NotRequired[str | None]
    namespace_name: str
    payload_indexes: NotRequired[list[PayloadIndexConfig] | None]
    record_policy: NotRequired[RecordPolicyModel]
    updated_at: NotRequired[str | None]


class PatchNamespaceRequest(TypedDict):
    auto_create_indexes: NotRequired[bool | None]
    description: NotRequired[str | None]
    namespace_name: NotRequired[str | None]
    payload_indexes: NotRequired[list[PayloadIndexConfig] | None]
    record_policy: NotRequired[RecordPolicyModel | None]


class Problem(TypedDict):
    loc: list[str | int]
    msg: str
    type: str


class ResourceFilter(TypedDict):
    auto_include_dependencies: NotRequired[bool]
    cluster_ids: NotRequired[list[str] | None]
    collection_ids: NotRequired[list[str] | None]
    date_range: NotRequired[dict[str, str] | None]
    retriever_ids: NotRequired[list[str] | None]
    taxonomy_ids: NotRequired[list[str] | None]


class ResourceProgress(TypedDict):
    error_message: NotRequired[str | None]
    progress_percent: NotRequired[float]
    resource_id: str
    resource_type: MigratedResource
    status: MigrationStatus


class RetrieverOptions(TypedDict):
    migrate_execution_history: NotRequired[bool]
    migrate_interactions: NotRequired[bool]
    preserve_retriever_ids: NotRequired[bool]
    validate_references: NotRequired[bool]


class StageProgressModel(TypedDict):
    completed_at: NotRequired[str | None]
    error_message: NotRequired[str | None]
    items_completed: NotRequired[int]
    items_failed: NotRequired[int]
    items_total: NotRequired[int]
    progress_percent: NotRequired[float]
    stage: MigrationStage
    started_at: NotRequired[str | None]
    status: MigrationStatus


class StartMigrationRequest(TypedDict):
    force: NotRequired[bool]


class StartMigrationResponse(TypedDict):
    message: str
    migration_id: str
    started_at: str
    status: MigrationStatus
    task_id: str


class TaxonomyOptions(TypedDict):
    migrate_reference_collections: NotRequired[bool]
    preserve_enrichment_fields: NotRequired[bool]
    preserve_taxonomy_ids: NotRequired[bool]
    re_run_enrichment: NotRequired[bool]


class UpdateNamespaceRequest(TypedDict):
    namespace_name: NotRequired[str | None]
    payload_indexes: NotRequired[list[PayloadIndexConfig] | None]
    record_policy: NotRequired[RecordPolicyModel | None]


class ValidateMigrationRequest(TypedDict):
    config: MigrationConfigModel


class ValidateMigrationResponse(TypedDict):
    dependency_graph: NotRequired[DependencyGraph | None]
    message: str
    validation_result: ValidationResult


class ValidationResult(TypedDict):
    errors: NotRequired[list[Problem]]
    estimated_duration_seconds: NotRequired[int | None]
    estimated_resources: NotRequired[dict[str, int]]
    valid: bool
    warnings: NotRequired[list[Problem]]
