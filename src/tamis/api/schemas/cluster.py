"""Clusters on the wire: how they are made, and how they stand."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.paging import ListRequest
from tamis.api.schemas.collection import InputSourceType
from tamis.api.schemas.page import PaginationResponse
from tamis.api.schemas.task import TaskStatusEnum
from tamis.engine.clustering.clustering_parameters import Algorithm
from tamis.model.cluster import Centre, ClusterType, Projection

Uri = Annotated[str, Field(min_length=1, max_length=500)]
Parameters = dict[str, Any] | None


class ClusteringAlgorithm(StrEnum):
    KMEANS = "kmeans"
    MINIBATCH_KMEANS = "minibatch_kmeans"
    BISECTING_KMEANS = "bisecting_kmeans"
    DBSCAN = "dbscan"
    HDBSCAN = "hdbscan"
    AGGLOMERATIVE = "agglomerative"
    SPECTRAL = "spectral"
    GAUSSIAN_MIXTURE = "gaussian_mixture"
    MEAN_SHIFT = "mean_shift"
    OPTICS = "optics"
    ATTRIBUTE_BASED = "attribute_based"

    @property
    def algorithm(self) -> Algorithm | None:
        """None is no clustering of vectors."""
        return None if self is ClusteringAlgorithm.ATTRIBUTE_BASED else Algorithm(self.value)


class AttributeBasedConfig(BaseModel):
    attributes: list[Uri] = Field(min_length=1, max_length=10)
    hierarchical_grouping: bool = False
    aggregation_method: Literal["most_frequent", "first", "last"] | None = None


class WeightLearningConfig(BaseModel):
    max_iterations: int = Field(20, ge=5, le=100)
    method: Literal["grid_search", "bayesian"] = "bayesian"
    metric: Literal["silhouette", "davies_bouldin", "calinski_harabasz"] = "silhouette"
    random_state: int = 42
    sample_size: int | None = Field(None, ge=100)


class VectorBasedConfig(BaseModel):
    """The contract's, and beside it the metric and how the page of a run draws its documents."""

    clustering_method: ClusteringAlgorithm
    feature_uris: list[Uri] | None = Field(None, min_length=1, max_length=10)
    feature_uri: Uri | None = None
    algorithm_params: Parameters = Field(None, description="The algorithm's own, as docs/clusters.md lists them.")
    kmeans_parameters: Parameters = None
    dbscan_parameters: Parameters = None
    hdbscan_parameters: Parameters = None
    sample_size: int | None = Field(None, ge=10, description="On how many documents the algorithm works.")
    multi_feature_strategy: Literal["concatenate", "independent", "weighted"] = "concatenate"
    feature_weights: dict[str, Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]] | None = None
    weight_learning_config: WeightLearningConfig | None = None
    normalize_features: bool = True
    effective_feature_method: Centre = Centre.MEAN
    output_strategy: Literal["single", "per_feature"] = "single"
    enrich_source: bool = False
    metric: Literal["cosine", "euclidean"] | None = Field(None, description="cosine where nothing is said.")
    projection: Projection = Field(Projection.PCA, description="How documents come to places on a page.")


class InputMapping(BaseModel):
    input_key: str
    override: Any | None = None
    path: str | None = None
    source_type: InputSourceType | None = None


class LLMLabelingInput(BaseModel):
    input_mappings: list[InputMapping] = Field(min_length=1)


class LLMLabeling(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    enabled: bool = False
    provider: str | None = Field(None, min_length=1)
    model_name: str | None = Field(None, min_length=1)
    custom_prompt: str | None = Field(None, min_length=1, max_length=10_000)
    labeling_inputs: LLMLabelingInput | None = None
    include_summary: bool = True
    include_keywords: bool = True
    max_samples_per_cluster: int = Field(10, ge=1, le=20)
    sample_text_max_length: int = Field(200, ge=50, le=500)
    use_embedding_dedup: bool = False
    embedding_similarity_threshold: float = Field(0.8, ge=0.5, le=1.0)
    cache_ttl_seconds: int = Field(604_800, ge=0, le=2_592_000)
    parameters: dict[str, Any] = Field(default_factory=dict)
    response_shape: str | dict[str, Any] | None = None


class EnrichmentFieldMapping(BaseModel):
    source_field: str = Field(min_length=1, max_length=200)
    target_field: str = Field(min_length=1, max_length=200)


class SourceEnrichmentConfig(BaseModel):
    field_mappings: list[EnrichmentFieldMapping] = Field(
        default_factory=lambda: [
            EnrichmentFieldMapping(source_field="cluster_id", target_field="cluster_id"),
            EnrichmentFieldMapping(source_field="cluster_label", target_field="cluster_label"),
        ],
        min_length=1,
        max_length=50,
    )


class CreateClusterRequest(BaseModel):
    collection_ids: list[Uri] = Field(min_length=1, max_length=100)
    cluster_name: str | None = None
    cluster_type: ClusterType = ClusterType.VECTOR
    vector_config: VectorBasedConfig | None = None
    attribute_config: AttributeBasedConfig | None = None
    filters: dict[str, Any] | None = None
    llm_labeling: LLMLabeling | None = None
    enrich_source_collection: bool = False
    source_enrichment_config: SourceEnrichmentConfig | None = None
    content_field: str = Field("content", min_length=1, max_length=200, description="The text that labels are made of.")
    description: str | None = None
    metadata: dict[str, Any] | None = None


class PatchClusterRequest(BaseModel):
    cluster_name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None


class ListClustersRequest(ListRequest):
    pass


class ClusterMetadata(BaseModel):
    aggregation_method: str | None = None
    algorithm: str | None = None
    algorithm_params: dict[str, Any] | None = None
    child_cluster_ids: list[str] | None = None
    cluster_id: str
    cluster_name: str
    cluster_type: Literal["vector", "attribute"]
    clustered_attributes: list[str] | None = None
    completed_at: datetime | None = None
    created_at: datetime
    description: str | None = None
    effective_feature_method: str | None = None
    enrich_source: bool = False
    execution_time_seconds: float | None = None
    feature_uris: list[str] | None = None
    filters: dict[str, Any] | None = None
    hierarchical_grouping: bool | None = None
    hierarchy_detected: bool = False
    hierarchy_relationships: list[dict[str, Any]] | None = None
    input_collections: list[str]
    last_executed_at: datetime | None = None
    last_execution_task_id: str | None = None
    learned_weights: dict[str, float] | None = None
    learning_quality_score: float | None = None
    llm_labeling: LLMLabeling | None = None
    llm_labeling_errors: list[str] | None = None
    metadata: dict[str, Any]
    multi_feature_strategy: str | None = None
    namespace_id: str
    num_clusters: int | None = None
    num_documents_clustered: int | None = None
    organization_id: str
    output_collection_ids: list[str] = Field(default_factory=list)
    output_collection_names: list[str] = Field(default_factory=list)
    parent_cluster_id: str | None = None
    source_bucket_ids: list[str] | None = None
    source_enrichment_config: SourceEnrichmentConfig | None = None
    status: TaskStatusEnum
    updated_at: datetime


class ClusterStats(BaseModel):
    extra: dict[str, Any] = Field(default_factory=dict)
    noise_points: int | None = None
    num_clusters: int
    silhouette_score: float | None = None


class ClusterModel(BaseModel):
    attribute_config: AttributeBasedConfig | None = None
    cluster_id: str
    cluster_name: str | None = None
    cluster_stats: ClusterStats | None = None
    cluster_type: ClusterType
    collection_ids: list[str] | None = None
    created_at: datetime
    description: str | None = None
    enrich_source_collection: bool = False
    filters: dict[str, Any] | None = None
    last_run_id: str | None = None
    llm_labeling: LLMLabeling | None = None
    members_key: str | None = None
    metadata: dict[str, Any]
    num_clusters: int | None = None
    parquet_path: str | None = None
    source_enrichment_config: SourceEnrichmentConfig | None = None
    status: TaskStatusEnum
    task_id: str | None = None
    updated_at: datetime
    vector_config: VectorBasedConfig | None = None


class ClusterListStats(BaseModel):
    avg_documents_per_cluster: float = 0.0
    clusters_by_status: dict[str, int] = Field(default_factory=dict)
    total_clusters: int = 0
    total_documents: int = 0


class ListClustersResponse(BaseModel):
    pagination: PaginationResponse
    results: list[ClusterMetadata]
    stats: ClusterListStats | None = None
    total_count: int


class ApplyClusterEnrichmentRequest(BaseModel):
    clustering_ids: list[Uri] = Field(min_length=1, max_length=20)
    source_collection_id: Uri
    target_collection_id: Uri | None = None
    batch_size: int = Field(1000, ge=1, le=10_000)
    parallelism: int = Field(1, ge=1, le=64, description="Accepted; documents of one collection are written in turn.")


class ClusteringEnrichmentResponse(BaseModel):
    batches: int
    enriched: int
    failed: int
    processed: int
