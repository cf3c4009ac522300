# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `taxonomies` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_analytics import StepAnalyticsConfig
    from tamis.client.served.types_shared import InputMapping


class CloneTaxonomyRequest(TypedDict):
    config: NotRequired[FlatTaxonomyConfig | HierarchicalTaxonomyConfig | None]
    description: NotRequired[str | None]
    taxonomy_name: str


class CloneTaxonomyResponse(TypedDict):
    source_taxonomy_id: str
    taxonomy: TaxonomyResponse


class CreateTaxonomyRequest(TypedDict):
    config: FlatTaxonomyConfig | HierarchicalTaxonomyConfig
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    taxonomy_name: str


class CreateTaxonomyVersionRequest(TypedDict):
    config: NotRequired[FlatTaxonomyConfig | HierarchicalTaxonomyConfig | None]


class EnrichmentField(TypedDict):
    field_path: str
    merge_mode: NotRequired[EnrichmentMergeMode]
    target_field: NotRequired[str | None]


EnrichmentMergeMode: TypeAlias = Literal["replace", "append"]


class ExecuteTaxonomyRequest(TypedDict):
    batch_size: NotRequired[int]
    join_mode: NotRequired[JoinMode]
    retriever: NotRequired[TriedRetriever | None]
    scroll_filters: NotRequired[dict[str, Any] | None]
    source_collection_id: NotRequired[str | None]
    source_documents: NotRequired[list[dict[str, Any]] | None]
    target_collection_id: NotRequired[str | None]
    taxonomy: NotRequired[TriedTaxonomy | None]


class FlatTaxonomyConfig(TypedDict):
    content_field: NotRequired[str | None]
    feature_uri: NotRequired[str | None]
    input_mappings: NotRequired[list[InputMapping] | None]
    max_depth: NotRequired[int | None]
    min_score: NotRequired[float | None]
    nodes: NotRequired[list[TaxonomyNode] | None]
    result_field: NotRequired[str | None]
    retriever_id: NotRequired[str | None]
    source_collection: NotRequired[SourceCollection | None]
    step_analytics: NotRequired[StepAnalyticsConfig | None]
    taxonomy_type: NotRequired[Literal["flat"]]
    top_k: NotRequired[int | None]


class HierarchicalTaxonomyConfig(TypedDict):
    cluster_ids: NotRequired[list[str] | None]
    cluster_overlap_threshold: NotRequired[float]
    content_field: NotRequired[str | None]
    feature_uri: NotRequired[str | None]
    hierarchical_nodes: NotRequired[list[TaxonomyNode] | None]
    inference_collections: NotRequired[list[str] | None]
    inference_strategy: NotRequired[HierarchyInferenceStrategy | None]
    input_mappings: NotRequired[list[InputMapping] | None]
    llm_model: NotRequired[str | None]
    llm_prompt_template: NotRequired[str | None]
    llm_provider: NotRequired[Literal["openai_chat_v1"] | None]
    llm_sample_size: NotRequired[int]
    max_depth: NotRequired[int | None]
    min_score: NotRequired[float | None]
    result_field: NotRequired[str | None]
    retriever_id: NotRequired[str | None]
    step_analytics: NotRequired[StepAnalyticsConfig | None]
    taxonomy_type: NotRequired[Literal["hierarchical"]]
    top_k: NotRequired[int | None]


HierarchyInferenceStrategy: TypeAlias = Literal["schema", "cluster", "llm"]

JoinMode: TypeAlias = Literal["on_demand", "batch"]


class JoinResponse(TypedDict):
    results: NotRequired[list[dict[str, Any]] | None]
    stats: JoinStats
    warnings: NotRequired[list[str]]


class JoinStats(TypedDict):
    batches: NotRequired[int]
    errors: NotRequired[int]
    processed_docs: NotRequired[int]


class ListTaxonomiesRequest(TypedDict):
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


class ListTaxonomiesResponse(TypedDict):
    pagination: dict[str, Any]
    results: list[TaxonomyResponse]
    stats: NotRequired[TaxonomyListStats | None]
    total_count: int


class PatchTaxonomyRequest(TypedDict):
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    taxonomy_name: NotRequired[str | None]


class SourceCollection(TypedDict):
    collection_id: str
    enrichment_fields: NotRequired[list[EnrichmentField] | None]


class TaxonomyListStats(TypedDict):
    flat_taxonomies: NotRequired[int]
    hierarchical_taxonomies: NotRequired[int]
    taxonomies_with_retrievers: NotRequired[int]
    total_taxonomies: NotRequired[int]


class TaxonomyNode(TypedDict):
    collection_id: NotRequired[str | None]
    enrichment_fields: NotRequired[list[EnrichmentField] | None]
    id: NotRequired[str | None]
    input_mappings: NotRequired[list[InputMapping] | None]
    keywords: NotRequired[list[str] | None]
    label: NotRequired[str | None]
    parent: NotRequired[str | None]
    parent_collection_id: NotRequired[str | None]
    properties: NotRequired[dict[str, Any] | None]
    retriever_id: NotRequired[str | None]
    summary: NotRequired[str | None]
    text: NotRequired[str | None]
    texts: NotRequired[list[str] | None]
    vector: NotRequired[list[float] | None]
    vectors: NotRequired[list[list[float]] | None]


class TaxonomyResponse(TypedDict):
    config: FlatTaxonomyConfig | HierarchicalTaxonomyConfig
    created_at: str
    description: NotRequired[str | None]
    input_mappings: NotRequired[list[InputMapping] | None]
    metadata: NotRequired[dict[str, Any]]
    ready: NotRequired[bool]
    result_field: str
    retriever_id: NotRequired[str | None]
    taxonomy_id: str
    taxonomy_name: str
    updated_at: str
    version: NotRequired[int]


class TriedRetriever(TypedDict):
    retriever_id: str


class TriedTaxonomy(TypedDict):
    config: FlatTaxonomyConfig | HierarchicalTaxonomyConfig
    taxonomy_id: NotRequired[str | None]
    taxonomy_name: NotRequired[str | None]
    version: NotRequired[int | None]
