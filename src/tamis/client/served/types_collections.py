# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `collections` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_alerts import AlertInputMapping
    from tamis.client.served.types_buckets import BucketSchemaInput, BucketSchemaOutput
    from tamis.client.served.types_shared import (
        BucketSchemaFieldType,
        InputMapping,
        PaginationResponse,
        PayloadIndexConfig,
    )


class AlertApplicationConfig(TypedDict):
    alert_id: str
    execution_mode: NotRequired[AlertExecutionMode]
    execution_phase: NotRequired[Literal[1, 2, 3, 4]]
    input_mappings: list[AlertInputMapping]
    priority: NotRequired[int]


AlertExecutionMode: TypeAlias = Literal["on_ingest", "scheduled", "on_demand"]


class ApplyTaxonomyRequest(TypedDict):
    batch_size: NotRequired[int]
    parallelism: NotRequired[int]
    scroll_filters: NotRequired[dict[str, Any] | None]
    taxonomy_id: str


class ApplyTaxonomyResponse(TypedDict):
    collection_id: str
    estimated_documents: NotRequired[int | None]
    status: str
    task_id: str
    taxonomy_id: str


class CloneCollectionRequest(TypedDict):
    collection_name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool | None]
    feature_extractor: NotRequired[FeatureExtractorConfigInput | None]
    metadata: NotRequired[dict[str, Any] | None]
    source: NotRequired[SourceConfigInput | None]
    taxonomy_applications: NotRequired[list[TaxonomyApplicationConfig] | None]


class CloneCollectionResponse(TypedDict):
    collection: CollectionResponse
    source_collection_id: str


class ClusterApplicationConfig(TypedDict):
    auto_execute_on_batch: NotRequired[bool]
    cluster_id: str
    cooldown_seconds: NotRequired[int]
    min_document_threshold: NotRequired[int | None]


class CollectionFeatureDescriptor(TypedDict):
    feature_address: str
    feature_extractor_name: str
    primary: NotRequired[bool]
    vector_index: VectorIndex
    version: str


class CollectionListStats(TypedDict):
    avg_documents_per_collection: NotRequired[float]
    collections_with_taxonomies: NotRequired[int]
    total_documents: NotRequired[int]
    total_feature_extractors: NotRequired[int]
    total_retrievers: NotRequired[int]
    total_taxonomies: NotRequired[int]


class CollectionResponse(TypedDict):
    alert_applications: NotRequired[list[AlertApplicationConfig] | None]
    cluster_applications: NotRequired[list[ClusterApplicationConfig] | None]
    collection_id: str
    collection_name: str
    created_at: NotRequired[str | None]
    description: NotRequired[str | None]
    document_count: NotRequired[int | None]
    enabled: NotRequired[bool]
    feature_extractor: FeatureExtractorConfigOutput
    input_schema: BucketSchemaOutput
    is_standby: NotRequired[bool]
    last_schema_sync: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    output_schema: BucketSchemaOutput
    payload_indexes: NotRequired[list[Any]]
    quantization: NotRequired[Quantization]
    retriever_count: NotRequired[int | None]
    schema_sync_enabled: NotRequired[bool]
    schema_version: NotRequired[int]
    source: SourceConfig
    source_bucket_schemas: NotRequired[dict[str, BucketSchemaOutput] | None]
    source_lineage: NotRequired[list[SingleLineageEntry]]
    taxonomy_applications: NotRequired[list[TaxonomyApplicationConfig] | None]
    taxonomy_count: NotRequired[int | None]
    updated_at: NotRequired[str | None]
    vector_indexes: NotRequired[list[VectorIndexDefinition]]


class CostRate(TypedDict):
    credits_per_unit: int
    description: NotRequired[str | None]
    unit: CostUnit


CostUnit: TypeAlias = Literal["minute", "image", "1k_tokens", "page", "face", "extraction"]


class CostsInfo(TypedDict):
    rates: list[CostRate]
    tier: int
    tier_label: str


class CreateCollectionRequest(TypedDict):
    alert_applications: NotRequired[list[AlertApplicationConfig] | None]
    cluster_applications: NotRequired[list[ClusterApplicationConfig] | None]
    collection_name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    feature_extractor: FeatureExtractorConfigInput
    input_schema: NotRequired[BucketSchemaInput | None]
    metadata: NotRequired[dict[str, Any] | None]
    quantization: NotRequired[Quantization]
    source: SourceConfigInput
    taxonomy_applications: NotRequired[list[TaxonomyApplicationConfig] | None]


class DescribeCollectionFeaturesResponse(TypedDict):
    features: list[CollectionFeatureDescriptor]


ExtractorSource: TypeAlias = Literal["builtin", "custom"]


class FeatureExtractorConfigInput(TypedDict):
    feature_extractor_name: str
    field_passthrough: NotRequired[list[FieldPassthrough | str]]
    include_all_source_fields: NotRequired[bool]
    input_mappings: NotRequired[dict[str, Any] | list[InputMapping]]
    parameters: NotRequired[dict[str, Any]]
    version: NotRequired[str]


class FeatureExtractorConfigOutput(TypedDict):
    feature_extractor_id: str
    feature_extractor_name: str
    field_passthrough: NotRequired[list[FieldPassthrough]]
    include_all_source_fields: NotRequired[bool]
    input_mappings: NotRequired[dict[str, Any] | list[InputMapping]]
    parameters: NotRequired[dict[str, Any]]
    version: str


class FeatureExtractorResponseModel(TypedDict):
    costs: NotRequired[CostsInfo | None]
    default_parameters: dict[str, Any]
    description: str
    feature_extractor_id: str
    feature_extractor_name: str
    icon: str
    input_schema: dict[str, Any]
    limits: NotRequired[dict[str, float]]
    max_inputs: dict[str, int]
    output_schema: dict[str, Any]
    parameter_schema: dict[str, Any] | None
    required_payload_indexes: list[PayloadIndexConfig] | None
    required_vector_indexes: list[VectorIndexDefinition] | None
    source: NotRequired[ExtractorSource]
    supported_input_types: list[str]
    version: str


class FieldPassthrough(TypedDict):
    default: NotRequired[Any]
    required: NotRequired[bool]
    source_path: str
    target_path: NotRequired[str | None]


class ListCollectionsRequest(TypedDict):
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


class ListCollectionsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[CollectionResponse]
    stats: NotRequired[CollectionListStats | None]
    total_count: int


class MultiVectorIndex(TypedDict):
    description: str
    name: str
    vectors: dict[str, VectorIndex]


PatchCollectionRequest: TypeAlias = dict[str, Any]

Quantization: TypeAlias = Literal["none", "int8", "binary"]


class SchemaSyncRequest(TypedDict):
    cascade_to_downstream: NotRequired[bool]
    force: NotRequired[bool]
    sample_size: NotRequired[int]


class SchemaSyncResponse(TypedDict):
    collection_id: str
    documents_sampled: int
    downstream_collections_updated: NotRequired[list[str]]
    fields_added: NotRequired[list[str]]
    fields_total: int
    message: NotRequired[str | None]
    previous_version: int
    schema_version: int
    success: bool


class SchemaSyncSkippedResponse(TypedDict):
    collection_id: str
    last_sync: NotRequired[str | None]
    reason: str
    schema_version: int
    skipped: NotRequired[bool]
    success: NotRequired[bool]


class SingleLineageEntry(TypedDict):
    feature_extractor: FeatureExtractorConfigOutput
    output_schema: BucketSchemaOutput
    source_config: SourceConfig


class SourceConfig(TypedDict):
    bucket_ids: NotRequired[list[str] | None]
    collection_id: NotRequired[str | None]
    collection_ids: NotRequired[list[str] | None]
    inherited_bucket_ids: NotRequired[list[str] | None]
    source_filters: NotRequired[SourceFilters | None]
    type: SourceType


class SourceConfigInput(TypedDict):
    bucket_id: NotRequired[str | None]
    bucket_ids: NotRequired[list[str] | None]
    collection_id: NotRequired[str | None]
    collection_ids: NotRequired[list[str] | None]
    inherited_bucket_ids: NotRequired[list[str] | None]
    source_filters: NotRequired[SourceFilters | None]
    type: SourceType


class SourceFilters(TypedDict):
    filters: NotRequired[dict[str, Any] | None]


SourceType: TypeAlias = Literal["bucket", "collection", "taxonomy", "cluster"]


class TaxonomyApplicationConfig(TypedDict):
    execution_mode: NotRequired[TaxonomyExecutionMode]
    scroll_filters: NotRequired[dict[str, Any] | None]
    target_collection_id: NotRequired[str | None]
    taxonomy_id: str


TaxonomyExecutionMode: TypeAlias = Literal["on_demand", "materialize"]

VectorDataType: TypeAlias = Literal["float32", "uint8"]


class VectorIndex(TypedDict):
    datatype: NotRequired[VectorDataType | None]
    description: str
    dimensions: NotRequired[int | None]
    distance: NotRequired[str | None]
    inference_name: NotRequired[str | None]
    name: str
    on_disk: NotRequired[bool | None]
    supported_inputs: NotRequired[list[BucketSchemaFieldType] | None]
    type: VectorType


class VectorIndexDefinition(TypedDict):
    description: str
    index: VectorIndex | MultiVectorIndex
    name: str
    type: Literal["single", "multi"]


VectorType: TypeAlias = Literal["dense", "sparse", "multi_dense"]
