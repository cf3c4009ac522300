# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `clusters` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import InputMapping, PaginationResponse
    from tamis.client.served.types_tasks import TaskStatusEnum


class ApplyClusterEnrichmentRequest(TypedDict):
    batch_size: NotRequired[int]
    clustering_ids: list[str]
    parallelism: NotRequired[int]
    source_collection_id: str
    target_collection_id: NotRequired[str | None]


class ArtifactCentroid(TypedDict):
    centroid_vector: list[float]
    cluster_id: str
    keywords: NotRequired[list[str] | None]
    label: NotRequired[str | None]
    mean_distance: NotRequired[float | None]
    num_members: int
    parent_cluster_id: NotRequired[str | None]
    representative_ids: list[str]
    summary: NotRequired[str | None]
    values: NotRequired[dict[str, Any] | None]


class ArtifactMember(TypedDict):
    cluster_id: str | None
    collection_id: str
    distance_to_centroid: NotRequired[float | None]
    document_id: str
    reason: NotRequired[str | None]
    x: NotRequired[float | None]
    y: NotRequired[float | None]
    z: NotRequired[float | None]


class AttributeBasedConfig(TypedDict):
    aggregation_method: NotRequired[Literal["most_frequent", "first", "last"] | None]
    attributes: list[str]
    hierarchical_grouping: NotRequired[bool]


Centre: TypeAlias = Literal["mean", "median", "medoid"]


class ClusterArtifacts(TypedDict):
    centroids: NotRequired[list[ArtifactCentroid] | None]
    cluster_id: str
    members: NotRequired[list[ArtifactMember] | None]
    metrics: NotRequired[ClusterExecutionMetrics | None]
    next_offset: NotRequired[int | None]
    num_clusters: int
    run_id: str
    status: Literal["pending", "processing", "completed", "failed"]
    total_members: NotRequired[int | None]


class ClusterDataRequest(TypedDict):
    cluster_id: NotRequired[str | None]
    include_centroids: NotRequired[bool]
    include_members: NotRequired[bool]
    limit: NotRequired[int | None]
    offset: NotRequired[int]


class ClusterExecutionCentroid(TypedDict):
    cluster_id: str
    keywords: NotRequired[list[str] | None]
    label: NotRequired[str | None]
    num_members: int
    parent_cluster_id: NotRequired[str | None]
    summary: NotRequired[str | None]


class ClusterExecutionListStats(TypedDict):
    avg_execution_time_ms: NotRequired[float]
    avg_num_clusters: NotRequired[float]
    executions_by_status: NotRequired[dict[str, int]]
    total_documents_clustered: NotRequired[int]
    total_executions: NotRequired[int]


class ClusterExecutionMetrics(TypedDict):
    calinski_harabasz_score: NotRequired[float | None]
    davies_bouldin_index: NotRequired[float | None]
    silhouette_documents: NotRequired[int]
    silhouette_score: NotRequired[float | None]


class ClusterExecutionResult(TypedDict):
    centroids: NotRequired[list[ClusterExecutionCentroid] | None]
    cluster_id: str
    completed_at: NotRequired[str | None]
    created_at: str
    error_message: NotRequired[str | None]
    execution_time_ms: NotRequired[int | None]
    llm_labeling_errors: NotRequired[list[str] | None]
    metrics: NotRequired[ClusterExecutionMetrics | None]
    noise_points: int
    notes: NotRequired[list[str]]
    num_clusters: int
    num_points: int
    phase: str
    run_id: str
    status: Literal["pending", "processing", "completed", "failed"]
    task_id: str
    trigger_id: NotRequired[str | None]


class ClusterListStats(TypedDict):
    avg_documents_per_cluster: NotRequired[float]
    clusters_by_status: NotRequired[dict[str, int]]
    total_clusters: NotRequired[int]
    total_documents: NotRequired[int]


class ClusterMetadata(TypedDict):
    aggregation_method: NotRequired[str | None]
    algorithm: NotRequired[str | None]
    algorithm_params: NotRequired[dict[str, Any] | None]
    child_cluster_ids: NotRequired[list[str] | None]
    cluster_id: str
    cluster_name: str
    cluster_type: Literal["vector", "attribute"]
    clustered_attributes: NotRequired[list[str] | None]
    completed_at: NotRequired[str | None]
    created_at: str
    description: NotRequired[str | None]
    effective_feature_method: NotRequired[str | None]
    enrich_source: NotRequired[bool]
    execution_time_seconds: NotRequired[float | None]
    feature_uris: NotRequired[list[str] | None]
    filters: NotRequired[dict[str, Any] | None]
    hierarchical_grouping: NotRequired[bool | None]
    hierarchy_detected: NotRequired[bool]
    hierarchy_relationships: NotRequired[list[dict[str, Any]] | None]
    input_collections: list[str]
    last_executed_at: NotRequired[str | None]
    last_execution_task_id: NotRequired[str | None]
    learned_weights: NotRequired[dict[str, float] | None]
    learning_quality_score: NotRequired[float | None]
    llm_labeling: NotRequired[LLMLabeling | None]
    llm_labeling_errors: NotRequired[list[str] | None]
    metadata: dict[str, Any]
    multi_feature_strategy: NotRequired[str | None]
    namespace_id: str
    num_clusters: NotRequired[int | None]
    num_documents_clustered: NotRequired[int | None]
    organization_id: str
    output_collection_ids: NotRequired[list[str]]
    output_collection_names: NotRequired[list[str]]
    parent_cluster_id: NotRequired[str | None]
    source_bucket_ids: NotRequired[list[str] | None]
    source_enrichment_config: NotRequired[SourceEnrichmentConfig | None]
    status: TaskStatusEnum
    updated_at: str


class ClusterModel(TypedDict):
    attribute_config: NotRequired[AttributeBasedConfig | None]
    cluster_id: str
    cluster_name: NotRequired[str | None]
    cluster_stats: NotRequired[ClusterStats | None]
    cluster_type: ClusterType
    collection_ids: NotRequired[list[str] | None]
    created_at: str
    description: NotRequired[str | None]
    enrich_source_collection: NotRequired[bool]
    filters: NotRequired[dict[str, Any] | None]
    last_run_id: NotRequired[str | None]
    llm_labeling: NotRequired[LLMLabeling | None]
    members_key: NotRequired[str | None]
    metadata: dict[str, Any]
    num_clusters: NotRequired[int | None]
    parquet_path: NotRequired[str | None]
    source_enrichment_config: NotRequired[SourceEnrichmentConfig | None]
    status: TaskStatusEnum
    task_id: NotRequired[str | None]
    updated_at: str
    vector_config: NotRequired[VectorBasedConfig | None]


class ClusterStats(TypedDict):
    extra: NotRequired[dict[str, Any]]
    noise_points: NotRequired[int | None]
    num_clusters: int
    silhouette_score: NotRequired[float | None]


ClusterType: TypeAlias = Literal["vector", "attribute"]

ClusteringAlgorithm: TypeAlias = Literal[
    "kmeans",
    "minibatch_kmeans",
    "bisecting_kmeans",
    "dbscan",
    "hdbscan",
    "agglomerative",
    "spectral",
    "gaussian_mixture",
    "mean_shift",
    "optics",
    "attribute_based",
]


class ClusteringEnrichmentResponse(TypedDict):
    batches: int
    enriched: int
    failed: int
    processed: int


class CompareClusterExecutionsResponse(TypedDict):
    adjusted_rand_index: float | None
    after: str
    before: str
    cluster_id: str
    documents: int
    kept: int
    pairs: list[CorrespondingClusters]


class CorrespondingClusters(TypedDict):
    after: ClusterExecutionCentroid | None
    before: ClusterExecutionCentroid | None
    jaccard: float
    shared: int


class CreateClusterRequest(TypedDict):
    attribute_config: NotRequired[AttributeBasedConfig | None]
    cluster_name: NotRequired[str | None]
    cluster_type: NotRequired[ClusterType]
    collection_ids: list[str]
    content_field: NotRequired[str]
    description: NotRequired[str | None]
    enrich_source_collection: NotRequired[bool]
    filters: NotRequired[dict[str, Any] | None]
    llm_labeling: NotRequired[LLMLabeling | None]
    metadata: NotRequired[dict[str, Any] | None]
    source_enrichment_config: NotRequired[SourceEnrichmentConfig | None]
    vector_config: NotRequired[VectorBasedConfig | None]


class EnrichmentFieldMapping(TypedDict):
    source_field: str
    target_field: str


class LLMLabeling(TypedDict):
    cache_ttl_seconds: NotRequired[int]
    custom_prompt: NotRequired[str | None]
    embedding_similarity_threshold: NotRequired[float]
    enabled: NotRequired[bool]
    include_keywords: NotRequired[bool]
    include_summary: NotRequired[bool]
    labeling_inputs: NotRequired[LLMLabelingInput | None]
    max_samples_per_cluster: NotRequired[int]
    model_name: NotRequired[str | None]
    parameters: NotRequired[dict[str, Any]]
    provider: NotRequired[str | None]
    response_shape: NotRequired[str | dict[str, Any] | None]
    sample_text_max_length: NotRequired[int]
    use_embedding_dedup: NotRequired[bool]


class LLMLabelingInput(TypedDict):
    input_mappings: list[InputMapping]


class ListClusterExecutionsRequest(TypedDict):
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


class ListClusterExecutionsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[ClusterExecutionResult]
    stats: NotRequired[ClusterExecutionListStats | None]
    total_count: int


class ListClustersRequest(TypedDict):
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


class ListClustersResponse(TypedDict):
    pagination: PaginationResponse
    results: list[ClusterMetadata]
    stats: NotRequired[ClusterListStats | None]
    total_count: int


class PatchClusterRequest(TypedDict):
    cluster_name: NotRequired[str | None]
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


Projection: TypeAlias = Literal["pca", "tsne", "umap"]


class SourceEnrichmentConfig(TypedDict):
    field_mappings: NotRequired[list[EnrichmentFieldMapping]]


class VectorBasedConfig(TypedDict):
    algorithm_params: NotRequired[dict[str, Any] | None]
    clustering_method: ClusteringAlgorithm
    dbscan_parameters: NotRequired[dict[str, Any] | None]
    effective_feature_method: NotRequired[Centre]
    enrich_source: NotRequired[bool]
    feature_uri: NotRequired[str | None]
    feature_uris: NotRequired[list[str] | None]
    feature_weights: NotRequired[dict[str, float] | None]
    hdbscan_parameters: NotRequired[dict[str, Any] | None]
    kmeans_parameters: NotRequired[dict[str, Any] | None]
    metric: NotRequired[Literal["cosine", "euclidean"] | None]
    multi_feature_strategy: NotRequired[Literal["concatenate", "independent", "weighted"]]
    normalize_features: NotRequired[bool]
    output_strategy: NotRequired[Literal["single", "per_feature"]]
    projection: NotRequired[Projection]
    sample_size: NotRequired[int | None]
    weight_learning_config: NotRequired[WeightLearningConfig | None]


class WeightLearningConfig(TypedDict):
    max_iterations: NotRequired[int]
    method: NotRequired[Literal["grid_search", "bayesian"]]
    metric: NotRequired[Literal["silhouette", "davies_bouldin", "calinski_harabasz"]]
    random_state: NotRequired[int]
    sample_size: NotRequired[int | None]
