"""Taxonomies on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from tamis.api.paging import ListRequest
from tamis.api.schemas.collection import InputMapping
from tamis.model.batch import Task
from tamis.model.collection import Collection
from tamis.model.json import JSON
from tamis.model.taxonomy import Taxonomy
from tamis.services.data.taxonomies import Application, TaxonomyChange, TaxonomyDraft
from tamis.services.data.taxonomy_trials import TaxonomyTrial, Tried
from tamis.services.runs.labelling import result_field_of

Identifier = Annotated[str, Field(min_length=1)]


class EnrichmentMergeMode(StrEnum):
    REPLACE = "replace"
    APPEND = "append"


class EnrichmentField(BaseModel):
    field_path: str = Field(min_length=1)
    merge_mode: EnrichmentMergeMode = EnrichmentMergeMode.REPLACE
    target_field: str | None = None


class SourceCollection(BaseModel):
    collection_id: str
    enrichment_fields: list[EnrichmentField] | None = None


class StepKeySource(StrEnum):
    ASSIGNMENT_LABEL = "assignment_label"
    ASSIGNMENT_NODE_ID = "assignment_node_id"
    FIELD_PATH = "field_path"


class CovariateType(StrEnum):
    CATEGORICAL = "categorical"
    NUMERIC = "numeric"
    EMBEDDING = "embedding"
    CLUSTER_ID = "cluster_id"


class CovariateConfig(BaseModel):
    field_path: str = Field(min_length=1)
    covariate_type: CovariateType
    name: str = Field(min_length=1, max_length=100)
    binning_strategy: Literal["quartiles", "deciles", "custom"] | None = None
    clustering_method: Literal["kmeans", "hdbscan"] | None = None
    n_clusters: Annotated[int, Field(ge=2, le=100)] | None = None

    @model_validator(mode="after")
    def _is_worked_out(self) -> Self:
        if self.covariate_type is CovariateType.EMBEDDING:
            raise ValueError("embeddings are clustered by a cluster of the collection: name its field as a cluster_id")
        if self.binning_strategy == "custom":
            raise ValueError("custom bins have no bounds here; take quartiles or deciles")
        return self


class StepAnalyticsConfig(BaseModel):
    sequence_id_field: str = Field(min_length=1)
    timestamp_field: str = Field(min_length=1)
    step_key_source: StepKeySource = StepKeySource.ASSIGNMENT_LABEL
    step_key_field_path: str | None = None
    covariates: list[CovariateConfig] = Field(default_factory=list, max_length=20)
    max_sequence_duration_days: Annotated[int, Field(ge=1, le=365)] | None = None

    @model_validator(mode="after")
    def _has_its_field(self) -> Self:
        if self.step_key_source is StepKeySource.FIELD_PATH and self.step_key_field_path is None:
            raise ValueError("step_key_field_path says which field, where step_key_source is field_path")
        return self


class TaxonomyNode(BaseModel):
    """A class. The contract matches it by the documents of a collection; here also by vectors or texts."""

    collection_id: str | None = None
    parent_collection_id: str | None = None
    label: str | None = None
    summary: str | None = None
    keywords: list[str] | None = None
    retriever_id: str | None = None
    input_mappings: list[InputMapping] | None = None
    enrichment_fields: list[EnrichmentField] | None = None
    id: str | None = Field(None, description="Else its collection_id, else its label.")
    parent: str | None = Field(None, description="The id of the node above; parent_collection_id says the same.")
    properties: dict[str, Any] | None = Field(None, description="What its documents get; children inherit them.")
    vector: list[float] | None = None
    vectors: list[list[float]] | None = Field(None, description="Several; the nearest counts.")
    text: str | None = None
    texts: list[str] | None = Field(None, description="Several; the nearest counts.")


class _Applied(BaseModel):
    """How it is applied where nothing else is said."""

    feature_uri: str | None = Field(None, description="Which stored vector is compared; null is the only dense one.")
    content_field: str | None = Field(None, description="Compare the text of this field instead.")
    result_field: str | None = Field(None, description="Where labels go; null is `taxonomies.<name>`.")
    top_k: Annotated[int, Field(ge=1, le=50)] | None = Field(None, description="Labels a document; null is 3.")
    min_score: Annotated[float, Field(ge=0, le=1)] | None = Field(None, description="Of every node on the way.")
    max_depth: Annotated[int, Field(ge=1)] | None = None


class FlatTaxonomyConfig(_Applied):
    taxonomy_type: Literal["flat"] = "flat"
    retriever_id: str | None = None
    input_mappings: list[InputMapping] | None = None
    source_collection: SourceCollection | None = Field(None, description="Each of its documents is a label.")
    nodes: list[TaxonomyNode] | None = Field(None, description="In place of a source collection.")
    step_analytics: StepAnalyticsConfig | None = None


class HierarchyInferenceStrategy(StrEnum):
    SCHEMA = "schema"
    CLUSTER = "cluster"
    LLM = "llm"


class HierarchicalTaxonomyConfig(_Applied):
    taxonomy_type: Literal["hierarchical"] = "hierarchical"
    retriever_id: str | None = None
    input_mappings: list[InputMapping] | None = None
    hierarchical_nodes: list[TaxonomyNode] | None = None
    inference_strategy: HierarchyInferenceStrategy | None = None
    inference_collections: list[str] | None = None
    cluster_ids: list[str] | None = None
    cluster_overlap_threshold: float = Field(0.7, ge=0, le=1)
    llm_provider: Literal["openai_chat_v1"] | None = None
    llm_model: str | None = None
    llm_prompt_template: str | None = None
    llm_sample_size: int = Field(0, ge=0)
    step_analytics: StepAnalyticsConfig | None = None


def _kind(raw: Any) -> str:
    """Told by what it holds, where it does not say."""
    given = raw if isinstance(raw, dict) else {"taxonomy_type": getattr(raw, "taxonomy_type", None)}
    said = given.get("taxonomy_type")
    if isinstance(said, str):
        return said
    return "hierarchical" if "hierarchical_nodes" in given or "inference_strategy" in given else "flat"


TaxonomyConfig = Annotated[
    Annotated[FlatTaxonomyConfig, Tag("flat")] | Annotated[HierarchicalTaxonomyConfig, Tag("hierarchical")],
    Discriminator(_kind),
]


class CreateTaxonomyRequest(BaseModel):
    taxonomy_name: str
    config: TaxonomyConfig
    description: str | None = None
    metadata: dict[str, Any] | None = None


class PatchTaxonomyRequest(BaseModel):
    taxonomy_name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None


class CloneTaxonomyRequest(BaseModel):
    taxonomy_name: str = Field(min_length=1)
    config: TaxonomyConfig | None = None
    description: str | None = None


class CreateTaxonomyVersionRequest(BaseModel):
    """config: left out, it is today's."""

    config: TaxonomyConfig | None = None


class ListTaxonomiesRequest(ListRequest):
    pass


class TaxonomyResponse(BaseModel):
    taxonomy_id: str
    taxonomy_name: str
    version: int = Field(1, ge=1)
    config: TaxonomyConfig
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    ready: bool = True
    retriever_id: str | None = None
    input_mappings: list[InputMapping] | None = None
    result_field: str = Field(description="Where its labels stand in documents that it was applied to.")


class CloneTaxonomyResponse(BaseModel):
    source_taxonomy_id: str
    taxonomy: TaxonomyResponse


class TaxonomyListStats(BaseModel):
    flat_taxonomies: int = 0
    hierarchical_taxonomies: int = 0
    taxonomies_with_retrievers: int = 0
    total_taxonomies: int = 0


class ListTaxonomiesResponse(BaseModel):
    results: list[TaxonomyResponse]
    pagination: dict[str, Any]
    total_count: int
    stats: TaxonomyListStats | None = None


class JoinMode(StrEnum):
    ON_DEMAND = "on_demand"
    BATCH = "batch"


class TriedTaxonomy(BaseModel):
    """Its config is tried; the rest of the contract's model is of no effect."""

    config: TaxonomyConfig
    taxonomy_id: str | None = None
    taxonomy_name: str | None = None
    version: int | None = None


class TriedRetriever(BaseModel):
    retriever_id: str = Field(min_length=1)


class ExecuteTaxonomyRequest(BaseModel):
    """taxonomy: one whose config is tried in place of the stored one's.  retriever: a saved one, in place of the
    default one.
    """

    taxonomy: TriedTaxonomy | None = None
    retriever: TriedRetriever | None = None
    source_documents: list[dict[str, Any]] | None = None
    source_collection_id: str | None = Field(None, description="Whose first documents are taken, where none is sent.")
    target_collection_id: str | None = Field(None, description="Only null: what is tried out is not stored.")
    join_mode: JoinMode = JoinMode.ON_DEMAND
    batch_size: int = Field(1000, ge=1, le=10_000)
    scroll_filters: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _stores_nothing(self) -> Self:
        if self.join_mode is JoinMode.BATCH or self.target_collection_id is not None:
            raise ValueError(
                "this tries a taxonomy out and stores nothing; POST /v1/collections/{collection}/apply-taxonomy labels "
                "a collection's documents"
            )
        return self


class _WrittenOut(BaseModel):
    config: TaxonomyConfig


class JoinStats(BaseModel):
    batches: int = 0
    errors: int = 0
    processed_docs: int = 0


class JoinResponse(BaseModel):
    stats: JoinStats
    results: list[dict[str, Any]] | None = None
    warnings: list[str] = Field(default_factory=list)


class ApplyTaxonomyRequest(BaseModel):
    taxonomy_id: str = Field(description="Id or name.")
    scroll_filters: dict[str, Any] | None = None
    batch_size: int = Field(1000, ge=100, le=5000, description="Documents in one transaction, at most.")
    parallelism: int = Field(4, ge=1, le=20, description="Of no effect: a collection has one writer.")


class ApplyTaxonomyResponse(BaseModel):
    collection_id: str
    taxonomy_id: str
    task_id: str
    status: str
    estimated_documents: int | None = None


def taxonomy_draft(body: CreateTaxonomyRequest) -> TaxonomyDraft:
    return TaxonomyDraft(body.taxonomy_name, config_of(body.config), body.description, body.metadata or {})


def taxonomy_change(body: PatchTaxonomyRequest) -> TaxonomyChange:
    return TaxonomyChange(body.taxonomy_name, body.description, body.metadata)


def config_of(config: FlatTaxonomyConfig | HierarchicalTaxonomyConfig | None) -> dict[str, JSON]:
    """As it is stored: what it says, and no nulls."""
    if config is None:
        return {}
    said: dict[str, JSON] = config.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return {"taxonomy_type": config.taxonomy_type, **said}


def taxonomy_trial(body: ExecuteTaxonomyRequest, most: int) -> TaxonomyTrial:
    tried = None if body.taxonomy is None else config_of(body.taxonomy.config)
    retriever = None if body.retriever is None else body.retriever.retriever_id
    return TaxonomyTrial(
        tuple(body.source_documents or ()), body.source_collection_id, body.scroll_filters,
        min(body.batch_size, most), tried, retriever,
    )  # fmt: skip


def application(body: ApplyTaxonomyRequest) -> Application:
    return Application(body.taxonomy_id, body.scroll_filters, body.batch_size)


def show_taxonomy(taxonomy: Taxonomy) -> TaxonomyResponse:
    shown = _WrittenOut.model_validate({"config": dict(taxonomy.config)}).config
    return TaxonomyResponse(
        taxonomy_id=taxonomy.taxonomy_id,
        taxonomy_name=taxonomy.name,
        version=taxonomy.version,
        config=shown,
        created_at=taxonomy.created_at,
        updated_at=taxonomy.updated_at,
        description=taxonomy.description,
        metadata=dict(taxonomy.metadata),
        retriever_id=shown.retriever_id,
        input_mappings=shown.input_mappings,
        result_field=result_field_of(taxonomy),
    )


def show_stats(taxonomies: Sequence[Taxonomy]) -> TaxonomyListStats:
    flat = sum(one.config.get("taxonomy_type") == "flat" for one in taxonomies)
    return TaxonomyListStats(
        flat_taxonomies=flat,
        hierarchical_taxonomies=len(taxonomies) - flat,
        taxonomies_with_retrievers=sum(_has_retriever(one.config) for one in taxonomies),
        total_taxonomies=len(taxonomies),
    )


def _has_retriever(config: Mapping[str, JSON]) -> bool:
    nodes = config.get("hierarchical_nodes")
    own = any(isinstance(one, dict) and "retriever_id" in one for one in (nodes if isinstance(nodes, list) else ()))
    return own or "retriever_id" in config


def show_tried(tried: Tried) -> JoinResponse:
    count = len(tried.results)
    stats = JoinStats(batches=min(count, 1), errors=tried.errors, processed_docs=count)
    return JoinResponse(stats=stats, results=[dict(one) for one in tried.results], warnings=list(tried.warnings))


def show_application(collection: Collection, task: Task) -> ApplyTaxonomyResponse:
    total = task.additional_data["total_documents"]
    return ApplyTaxonomyResponse(
        collection_id=collection.collection_id,
        taxonomy_id=str(task.additional_data["taxonomy_id"]),
        task_id=task.task_id,
        status=str(task.status),
        estimated_documents=total if isinstance(total, int) else None,
    )
