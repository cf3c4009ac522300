"""Collections on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tamis.api.paging import ListRequest
from tamis.api.schemas.alert import AlertApplicationConfig
from tamis.api.schemas.extractor import VectorIndexDefinition, vector_definitions
from tamis.api.schemas.fields import BucketSchema
from tamis.api.schemas.page import PaginationResponse
from tamis.errors import ValidationError
from tamis.model.collection import Collection, ExtractorConfig, Passthrough, Source
from tamis.model.filters import parse_filter
from tamis.model.json import JSON
from tamis.model.matching import check_filter
from tamis.model.vector import Quantization
from tamis.services.data.collections import CollectionChange, CollectionClone, CollectionDetails, CollectionDraft

_FILTERS: list[str | int] = ["body", "source", "source_filters", "filters"]

Name = Annotated[str, StringConstraints(min_length=3, max_length=100)]


class ClusterApplicationConfig(BaseModel):
    auto_execute_on_batch: bool = True
    cluster_id: str
    cooldown_seconds: int = Field(3600, ge=0, le=366 * 86_400)
    min_document_threshold: int | None = Field(None, ge=1)


class TaxonomyExecutionMode(StrEnum):
    ON_DEMAND = "on_demand"
    MATERIALIZE = "materialize"


class TaxonomyApplicationConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    execution_mode: TaxonomyExecutionMode = TaxonomyExecutionMode.ON_DEMAND
    scroll_filters: dict[str, Any] | None = None
    target_collection_id: str | None = None
    taxonomy_id: str


class FieldPassthrough(BaseModel):
    default: Any | None = None
    required: bool = False
    source_path: str = Field(..., min_length=1)
    target_path: str | None = None


class InputSourceType(StrEnum):
    PAYLOAD = "payload"
    LITERAL = "literal"
    VECTOR = "vector"


class InputMapping(BaseModel):
    input_key: str
    override: Any | None = None
    path: str | None = None
    source_type: InputSourceType | None = None


class ParameterType(StrEnum):
    FIXED = "fixed"
    DYNAMIC = "dynamic"


class ParameterConfig(BaseModel):
    type: ParameterType
    value: Any


class FeatureExtractorConfig(BaseModel):
    feature_extractor_name: str
    field_passthrough: list[FieldPassthrough] = Field(default_factory=list)
    include_all_source_fields: bool = False
    input_mappings: dict[str, Any] | list[InputMapping] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    version: str


class FeatureExtractorConfigInput(FeatureExtractorConfig):
    field_passthrough: list[FieldPassthrough | str] = Field(default_factory=list)  # type: ignore[assignment]  # wider
    version: str = "v1"


class FeatureExtractorConfigOutput(FeatureExtractorConfig):
    feature_extractor_id: str


class SourceFilters(BaseModel):
    filters: dict[str, Any] | None = None


class SourceType(StrEnum):
    BUCKET = "bucket"
    COLLECTION = "collection"
    TAXONOMY = "taxonomy"
    CLUSTER = "cluster"


class SourceConfig(BaseModel):
    bucket_ids: list[str] | None = Field(None, min_length=1)
    collection_id: str | None = None
    collection_ids: list[str] | None = Field(None, min_length=1)
    inherited_bucket_ids: list[str] | None = None
    source_filters: SourceFilters | None = None
    type: SourceType


class SourceConfigInput(SourceConfig):
    bucket_id: str | None = None


class CreateCollectionRequest(BaseModel):
    alert_applications: list[AlertApplicationConfig] | None = None
    cluster_applications: list[ClusterApplicationConfig] | None = None
    collection_name: str
    description: str | None = None
    enabled: bool = True
    feature_extractor: FeatureExtractorConfigInput
    input_schema: BucketSchema | None = None
    metadata: dict[str, Any] | None = None
    quantization: Quantization = Quantization.INT8
    source: SourceConfigInput
    taxonomy_applications: list[TaxonomyApplicationConfig] | None = None


class PatchCollectionRequest(BaseModel):
    model_config = ConfigDict(extra="allow")

    alert_applications: list[AlertApplicationConfig] | None = None
    cluster_applications: list[ClusterApplicationConfig] | None = None
    collection_name: str | None = None
    description: str | None = None
    enabled: bool | None = None
    metadata: dict[str, Any] | None = None
    taxonomy_applications: list[TaxonomyApplicationConfig] | None = None


class CloneCollectionRequest(BaseModel):
    collection_name: str = Field(min_length=1)
    description: str | None = None
    enabled: bool | None = None
    feature_extractor: FeatureExtractorConfigInput | None = None
    metadata: dict[str, Any] | None = None
    source: SourceConfigInput | None = None
    taxonomy_applications: list[TaxonomyApplicationConfig] | None = None


class ListCollectionsRequest(ListRequest):
    pass


class SingleLineageEntry(BaseModel):
    feature_extractor: FeatureExtractorConfigOutput
    output_schema: BucketSchema
    source_config: SourceConfig


class CollectionResponse(BaseModel):
    alert_applications: list[AlertApplicationConfig] | None = None
    cluster_applications: list[ClusterApplicationConfig] | None = None
    collection_id: str
    collection_name: Name
    created_at: datetime | None = None
    description: str | None = None
    document_count: int | None = None
    enabled: bool = True
    feature_extractor: FeatureExtractorConfigOutput
    input_schema: BucketSchema
    is_standby: bool = False
    last_schema_sync: datetime | None = None
    metadata: dict[str, Any] | None = None
    output_schema: BucketSchema
    payload_indexes: list[Any] = Field(default_factory=list)
    quantization: Quantization = Quantization.INT8
    retriever_count: int | None = None
    schema_sync_enabled: bool = False
    schema_version: int = 1
    source: SourceConfig
    source_bucket_schemas: dict[str, BucketSchema] | None = None
    source_lineage: list[SingleLineageEntry] = Field(default_factory=list)
    taxonomy_applications: list[TaxonomyApplicationConfig] | None = None
    taxonomy_count: int | None = None
    updated_at: datetime | None = None
    vector_indexes: list[VectorIndexDefinition] = Field(default_factory=list)


class CloneCollectionResponse(BaseModel):
    collection: CollectionResponse
    source_collection_id: str


class CollectionListStats(BaseModel):
    avg_documents_per_collection: float = 0.0
    collections_with_taxonomies: int = 0
    total_documents: int = 0
    total_feature_extractors: int = 0
    total_retrievers: int = 0
    total_taxonomies: int = 0


class ListCollectionsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[CollectionResponse]
    stats: CollectionListStats | None = None
    total_count: int


class TriggerCollectionRequest(BaseModel):
    include_buckets: list[str] | None = None
    include_collections: list[str] | None = None
    source_filters: dict[str, Any] | None = None


class TriggerCollectionResponse(BaseModel):
    batch_id: str
    collection_id: str
    document_count: int | None = None
    message: str
    object_count: int | None = None
    source_bucket_ids: list[str] | None = None
    source_collection_ids: list[str] | None = None
    task_id: str
    total_tiers: int


def collection_draft(body: CreateCollectionRequest) -> CollectionDraft:
    return CollectionDraft(
        name=body.collection_name,
        source=_source(body.source),
        extractor=_extractor(body.feature_extractor),
        description=body.description,
        enabled=body.enabled,
        metadata=body.metadata or {},
        taxonomy_applications=_dumped(body.taxonomy_applications) or (),
        alert_applications=_dumped(body.alert_applications) or (),
        cluster_applications=_dumped(body.cluster_applications) or (),
        input_schema=body.input_schema.model_dump(mode="json", exclude_unset=True) if body.input_schema else None,
        quantization=body.quantization,
    )


def collection_change(body: PatchCollectionRequest) -> CollectionChange:
    """Raises: ValidationError where what is fixed at creation would change."""
    for fixed in ("source", "feature_extractor", "input_schema", "output_schema", "quantization"):
        if (body.model_extra or {}).get(fixed) is not None:
            raise ValidationError.at(["body", fixed], "fixed when a collection is created; create another collection")
    return CollectionChange(
        name=body.collection_name,
        description=body.description,
        enabled=body.enabled,
        metadata=body.metadata,
        taxonomy_applications=_dumped(body.taxonomy_applications),
        alert_applications=_dumped(body.alert_applications),
        cluster_applications=_dumped(body.cluster_applications),
    )


def collection_clone(body: CloneCollectionRequest) -> CollectionClone:
    return CollectionClone(
        name=body.collection_name,
        source=None if body.source is None else _source(body.source),
        extractor=None if body.feature_extractor is None else _extractor(body.feature_extractor),
        description=body.description,
        enabled=body.enabled,
        metadata=body.metadata,
        taxonomy_applications=_dumped(body.taxonomy_applications),
    )


def collection_model(details: CollectionDetails) -> CollectionResponse:
    collection = details.collection
    taxonomies = [TaxonomyApplicationConfig.model_validate(each) for each in collection.taxonomy_applications]
    inherited = list(details.bucket_schemas) if collection.source.type == "collection" else None
    return CollectionResponse(
        alert_applications=[AlertApplicationConfig.model_validate(each) for each in collection.alert_applications],
        cluster_applications=[ClusterApplicationConfig.model_validate(x) for x in collection.cluster_applications],
        collection_id=collection.collection_id,
        collection_name=collection.name,
        created_at=collection.created_at,
        description=collection.description,
        document_count=details.document_count,
        enabled=collection.enabled,
        feature_extractor=_extractor_model(collection.extractor),
        input_schema=BucketSchema.model_validate(collection.input_schema),
        is_standby=collection.is_standby,
        last_schema_sync=collection.synced_at,
        metadata=collection.metadata,
        output_schema=BucketSchema.model_validate(collection.output_schema),
        payload_indexes=payload_indexes(collection.output_schema),
        quantization=collection.quantization,
        retriever_count=details.retriever_count,
        schema_version=collection.schema_version,
        source=_source_model(collection.source, inherited),
        source_bucket_schemas={
            bucket_id: BucketSchema.model_validate(schema) for bucket_id, schema in details.bucket_schemas.items()
        },
        source_lineage=[_lineage_entry(above) for above in details.upstream],
        taxonomy_applications=taxonomies,
        taxonomy_count=len(taxonomies),
        updated_at=collection.updated_at,
        vector_indexes=vector_definitions(collection.extractor.id, collection.features),
    )


def collection_stats(items: Sequence[CollectionDetails]) -> CollectionListStats:
    """Of the collections on this page."""
    documents = sum(each.document_count for each in items)
    applied = [len(each.collection.taxonomy_applications) for each in items]
    return CollectionListStats(
        avg_documents_per_collection=documents / len(items) if items else 0.0,
        collections_with_taxonomies=sum(bool(count) for count in applied),
        total_documents=documents,
        total_feature_extractors=len({each.collection.extractor.id for each in items}),
        total_retrievers=sum(each.retriever_count for each in items),
        total_taxonomies=sum(applied),
    )


_INDEXED = {
    "string": "keyword",
    "text": "text",
    "number": "float",
    "float": "float",
    "integer": "integer",
    "boolean": "bool",
    "date": "datetime",
    "datetime": "datetime",
}


def payload_indexes(schema: Mapping[str, Any]) -> list[dict[str, JSON]]:
    """The fields of the documents that can be filtered through the index."""
    return [
        {"field_name": name, "type": _INDEXED[field["type"]], "is_protected": False}
        for name, field in (schema.get("properties") or {}).items()
        if isinstance(field, dict) and field.get("type") in _INDEXED
    ]


def _source(body: SourceConfigInput) -> Source:
    if body.type not in (SourceType.BUCKET, SourceType.COLLECTION):
        raise ValidationError.at(["body", "source", "type"], "'bucket' or 'collection'")
    filters = body.source_filters.filters if body.source_filters else None
    check_filter(parse_filter(filters, _FILTERS), _FILTERS)
    buckets = [*(body.bucket_ids or []), *([body.bucket_id] if body.bucket_id else [])]
    collections = [*(body.collection_ids or []), *([body.collection_id] if body.collection_id else [])]
    return Source(
        type=body.type.value,
        bucket_ids=tuple(buckets) if body.type is SourceType.BUCKET else (),
        collection_ids=tuple(collections) if body.type is SourceType.COLLECTION else (),
        filters=filters,
    )


def _extractor(body: FeatureExtractorConfigInput) -> ExtractorConfig:
    loc: list[str | int] = ["body", "feature_extractor", "field_passthrough"]
    if "" in body.field_passthrough:
        raise ValidationError.at([*loc, body.field_passthrough.index("")], "the path of a field, such as 'title'")
    passed = [FieldPassthrough(source_path=p) if isinstance(p, str) else p for p in body.field_passthrough]
    return ExtractorConfig(
        name=body.feature_extractor_name,
        version=body.version,
        parameters=body.parameters,
        input_mappings=_mappings(body.input_mappings),
        passthrough=tuple(Passthrough(p.source_path, p.target_path, p.default, p.required) for p in passed),
        include_all_source_fields=body.include_all_source_fields,
    )


def _mappings(raw: dict[str, Any] | list[InputMapping]) -> dict[str, JSON]:
    """Input name -> a path, or `{"override": value}` for a literal."""
    loc: list[str | int] = ["body", "feature_extractor", "input_mappings"]
    if isinstance(raw, dict):
        for name, path in raw.items():
            if not isinstance(path, str) or not path:
                raise ValidationError.at([*loc, name], "the path of a field of the source, such as 'metadata.title'")
        return dict(raw)
    mappings: dict[str, JSON] = {}
    for position, mapping in enumerate(raw):
        if mapping.source_type is InputSourceType.VECTOR:
            raise ValidationError.at([*loc, position, "source_type"], "no extractor here takes vectors as its input")
        if mapping.override is not None:
            mappings[mapping.input_key] = {"override": mapping.override}
        elif mapping.path:
            mappings[mapping.input_key] = mapping.path
        else:
            raise ValidationError.at([*loc, position, "path"], "a mapping has a path, or an override")
    return mappings


def _extractor_model(config: ExtractorConfig) -> FeatureExtractorConfigOutput:
    mappings: dict[str, Any] | list[InputMapping] = dict(config.input_mappings)
    if any(isinstance(mapping, dict) for mapping in config.input_mappings.values()):
        mappings = [
            InputMapping(input_key=name, override=mapping["override"], source_type=InputSourceType.LITERAL)
            if isinstance(mapping, dict)
            else InputMapping(input_key=name, path=str(mapping), source_type=InputSourceType.PAYLOAD)
            for name, mapping in config.input_mappings.items()
        ]
    return FeatureExtractorConfigOutput(
        feature_extractor_id=config.id,
        feature_extractor_name=config.name,
        field_passthrough=[
            FieldPassthrough(
                source_path=p.source_path, target_path=p.target_path, default=p.default, required=p.required
            )
            for p in config.passthrough
        ],
        include_all_source_fields=config.include_all_source_fields,
        input_mappings=mappings,
        parameters=config.parameters,
        version=config.version,
    )


def _source_model(source: Source, inherited: list[str] | None = None) -> SourceConfig:
    return SourceConfig(
        bucket_ids=list(source.bucket_ids) or None,
        collection_id=source.collection_ids[0] if len(source.collection_ids) == 1 else None,
        collection_ids=list(source.collection_ids) or None,
        inherited_bucket_ids=inherited,
        source_filters=SourceFilters(filters=source.filters) if source.filters else None,
        type=SourceType(source.type),
    )


def _lineage_entry(collection: Collection) -> SingleLineageEntry:
    return SingleLineageEntry(
        feature_extractor=_extractor_model(collection.extractor),
        output_schema=BucketSchema.model_validate(collection.output_schema),
        source_config=_source_model(collection.source),
    )


def _dumped(models: Sequence[BaseModel] | None) -> tuple[dict[str, JSON], ...] | None:
    return None if models is None else tuple(model.model_dump(mode="json") for model in models)
