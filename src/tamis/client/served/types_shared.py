# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What several nouns send and get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_stages import StageType

AccountTier: TypeAlias = Literal["free", "pro", "team", "enterprise"]

AggregationFunction: TypeAlias = Literal[
    "count", "count_distinct", "sum", "avg", "min", "max", "first", "last", "push", "add_to_set"
]


class AggregationOperation(TypedDict):
    alias: str
    distinct_field: NotRequired[str | None]
    field: NotRequired[str | None]
    function: AggregationFunction


class AggregationResult(TypedDict):
    group: dict[str, Any]
    metrics: dict[str, Any]


class BaseFeatureExtractorModelOutput(TypedDict):
    feature_extractor_id: str
    feature_extractor_name: str
    version: str


class BoolIndexParams(TypedDict):
    type: NotRequired[str]


BucketSchemaFieldInput: TypeAlias = dict[str, Any]

BucketSchemaFieldOutput: TypeAlias = dict[str, Any]

BucketSchemaFieldType: TypeAlias = Literal[
    "string",
    "number",
    "integer",
    "float",
    "boolean",
    "object",
    "array",
    "date",
    "datetime",
    "json",
    "file",
    "text",
    "image",
    "audio",
    "video",
    "pdf",
    "document",
    "spreadsheet",
    "presentation",
    "dense_vector",
    "sparse_vector",
    "int8_vector",
    "automatic",
]


class BudgetLimits(TypedDict):
    max_credits: NotRequired[float | None]
    max_time_ms: NotRequired[int | None]


class ComponentsConfig(TypedDict):
    result_card: NotRequired[ResultCardProperties]
    result_layout: NotRequired[str]
    show_filters: NotRequired[bool]
    show_search: NotRequired[bool]


ComputeTier: TypeAlias = Literal["shared", "dedicated_cpu", "dedicated_gpu"]


class CovariateConfig(TypedDict):
    binning_strategy: NotRequired[Literal["quartiles", "deciles", "custom"] | None]
    clustering_method: NotRequired[Literal["kmeans", "hdbscan"] | None]
    covariate_type: CovariateType
    field_path: str
    n_clusters: NotRequired[int | None]
    name: str


CovariateType: TypeAlias = Literal["categorical", "numeric", "embedding", "cluster_id"]


class CursorPaginationParams(TypedDict):
    cursor: NotRequired[str | None]
    limit: NotRequired[int]
    method: NotRequired[PaginationMethod]


DatePartUnit: TypeAlias = Literal["year", "month", "week", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "second"]

DateTruncUnit: TypeAlias = Literal["year", "month", "week", "day", "hour", "minute", "second"]


class DatetimeIndexParams(TypedDict):
    type: NotRequired[str]


class DisplayConfigInput(TypedDict):
    components: NotRequired[ComponentsConfig]
    description: NotRequired[str | None]
    exposed_fields: list[str]
    field_config: NotRequired[dict[str, FieldConfig]]
    inputs: list[InputRenderingConfigInput]
    layout: NotRequired[LayoutConfig]
    logo_url: NotRequired[str | None]
    markdowns: NotRequired[list[MarkdownContent]]
    seo: NotRequired[SEOConfig | None]
    theme: NotRequired[ThemeConfig]
    title: str


class DisplayConfigOutput(TypedDict):
    components: NotRequired[ComponentsConfig]
    description: NotRequired[str | None]
    exposed_fields: list[str]
    field_config: NotRequired[dict[str, FieldConfig]]
    inputs: list[InputRenderingConfigOutput]
    layout: NotRequired[LayoutConfig]
    logo_url: NotRequired[str | None]
    markdowns: NotRequired[list[MarkdownContent]]
    seo: NotRequired[SEOConfig | None]
    theme: NotRequired[ThemeConfig]
    title: str


class FeatureAddress(TypedDict):
    extractor: str
    output: NotRequired[str | None]
    scheme: NotRequired[str]
    version: str


class FieldConfig(TypedDict):
    format: FieldFormatType
    format_options: NotRequired[FieldFormatOptions]


class FieldFormatOptions(TypedDict):
    aspect_ratio: NotRequired[str | None]
    date_format: NotRequired[str]
    decimals: NotRequired[int | None]
    false_label: NotRequired[str]
    height: NotRequired[int | None]
    label: NotRequired[str | None]
    lazy_load: NotRequired[bool]
    max_items: NotRequired[int | None]
    object_fit: NotRequired[str]
    open_in_new_tab: NotRequired[bool]
    prefix: NotRequired[str | None]
    separator: NotRequired[str]
    show_domain: NotRequired[bool]
    show_empty: NotRequired[bool]
    suffix: NotRequired[str | None]
    true_label: NotRequired[str]
    truncate_chars: NotRequired[int | None]
    width: NotRequired[int | None]


FieldFormatType: TypeAlias = Literal["text", "image", "date", "number", "url", "boolean", "array", "object"]


class FloatIndexParams(TypedDict):
    type: NotRequired[str]


class GenericDeleteResponse(TypedDict):
    message: NotRequired[str]
    success: NotRequired[bool]


class GeoIndexParams(TypedDict):
    type: NotRequired[str]


class GroundTruthQuery(TypedDict):
    inferred_documents: NotRequired[list[str]]
    model_judged_documents: NotRequired[list[str]]
    pool: NotRequired[list[PooledModel]]
    query_id: str
    query_input: dict[str, Any]
    relevance_scores: NotRequired[dict[str, int] | None]
    relevant_documents: list[str]


class GroupByField(TypedDict):
    alias: NotRequired[str | None]
    date_part: NotRequired[DatePartUnit | None]
    date_trunc: NotRequired[DateTruncUnit | None]
    field: str


class HavingCondition(TypedDict):
    field: str
    operator: str
    value: int | float | str


class InputMapping(TypedDict):
    input_key: str
    override: NotRequired[Any]
    path: NotRequired[str | None]
    source_type: NotRequired[InputSourceType | None]


class InputMappingSource(TypedDict):
    path: NotRequired[str | None]
    source_type: Literal["document_field", "constant"]
    value: NotRequired[Any]


class InputRenderingConfigInput(TypedDict):
    field_name: str
    field_schema: BucketSchemaFieldInput
    helper_text: NotRequired[str | None]
    label: str
    order: NotRequired[int]
    placeholder: NotRequired[str | None]
    required: NotRequired[bool]
    suggestions: NotRequired[list[str] | None]


class InputRenderingConfigOutput(TypedDict):
    field_name: str
    field_schema: BucketSchemaFieldOutput
    helper_text: NotRequired[str | None]
    label: str
    order: NotRequired[int]
    placeholder: NotRequired[str | None]
    required: NotRequired[bool]
    suggestions: NotRequired[list[str] | None]


InputSourceType: TypeAlias = Literal["payload", "literal", "vector"]


class IntegerIndexParams(TypedDict):
    lookup: NotRequired[bool]
    range: NotRequired[bool]
    type: NotRequired[str]


class KeysetPaginationParams(TypedDict):
    after: NotRequired[dict[str, Any] | None]
    limit: NotRequired[int]
    method: NotRequired[PaginationMethod]


class KeywordIndexParams(TypedDict):
    is_tenant: NotRequired[bool]
    type: NotRequired[str]


class LayoutConfig(TypedDict):
    columns: NotRequired[int]
    gap: NotRequired[str]
    mode: NotRequired[str]


class MarkdownContent(TypedDict):
    content: str
    title: str


class OffsetPaginationParams(TypedDict):
    method: NotRequired[PaginationMethod]
    offset: NotRequired[int | None]
    page_number: NotRequired[int]
    page_size: NotRequired[int]


class PaginationMetadata(TypedDict):
    has_next: bool
    limit: int
    offset: int
    total: int


PaginationMethod: TypeAlias = Literal["offset", "cursor", "scroll", "keyset"]


class PaginationResponse(TypedDict):
    next_cursor: NotRequired[str | None]
    next_page: NotRequired[str | None]
    page: int
    page_size: int
    previous_page: NotRequired[str | None]
    total: int
    total_pages: int


class PayloadIndexConfig(TypedDict):
    field_name: str
    field_schema: NotRequired[
        TextIndexParams
        | IntegerIndexParams
        | KeywordIndexParams
        | FloatIndexParams
        | GeoIndexParams
        | DatetimeIndexParams
        | UuidIndexParams
        | BoolIndexParams
        | None
    ]
    is_protected: NotRequired[bool]
    type: PayloadSchemaType


PayloadSchemaType: TypeAlias = Literal["keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid"]


class PooledModel(TypedDict):
    document_id: str
    execution_id: str
    rank: int


class RangeBucket(TypedDict):
    boundaries: list[int | float]
    default_bucket: NotRequired[str | None]
    field: str


RecordPart: TypeAlias = Literal["inputs", "documents"]


class RecordPolicyModel(TypedDict):
    exclude: NotRequired[list[RecordPart]]
    max_age_days: NotRequired[float | None]
    max_age_s: NotRequired[float | None]
    max_count: NotRequired[int | None]


class ResultCardProperties(TypedDict):
    field_order: NotRequired[list[str]]
    layout: NotRequired[str]
    show_score: NotRequired[bool]
    show_thumbnail: NotRequired[bool]
    thumbnail_aspect_ratio: NotRequired[str]
    thumbnail_fit: NotRequired[str]
    truncate_description: NotRequired[int | None]
    truncate_title: NotRequired[int | None]


ResultPagination: TypeAlias = dict[str, Any]


class RetrieverMetadata(TypedDict):
    capabilities: NotRequired[dict[str, Any]]
    collections: NotRequired[list[dict[str, Any]]]
    stages: NotRequired[list[dict[str, Any]]]


class SEOConfig(TypedDict):
    author: NotRequired[str | None]
    canonical_url: NotRequired[str | None]
    favicon_url: NotRequired[str | None]
    keywords: NotRequired[list[str]]
    locale: NotRequired[str]
    logo_url: NotRequired[str | None]
    meta_description: NotRequired[str | None]
    meta_title: NotRequired[str | None]
    og_image_alt: NotRequired[str | None]
    og_image_url: NotRequired[str | None]
    og_type: NotRequired[str]
    robots: NotRequired[str]
    site_name: NotRequired[str]
    structured_data: NotRequired[StructuredDataConfig]
    twitter_card: NotRequired[str]
    twitter_creator: NotRequired[str | None]
    twitter_site: NotRequired[str | None]


class ScrollPaginationParams(TypedDict):
    limit: NotRequired[int]
    method: NotRequired[PaginationMethod]
    scroll_id: NotRequired[str | None]
    scroll_ttl: NotRequired[int]


class StageConfigAnswer(TypedDict):
    batch_size: NotRequired[str | int | None]
    config: dict[str, Any]
    description: NotRequired[str | None]
    parameters: dict[str, Any]
    stage_name: str
    stage_type: NotRequired[StageType | None]


class StageStatistics(TypedDict):
    cache_hit: NotRequired[bool | None]
    credits_saved: NotRequired[float]
    credits_used: NotRequired[float]
    duration_ms: float
    efficiency: float
    error: NotRequired[str | None]
    input_count: int
    llm_calls: NotRequired[int | None]
    metadata: NotRequired[dict[str, Any]]
    output_count: int
    shrunk: NotRequired[dict[str, Any]]
    tokens_used: NotRequired[int | None]


StepKeySource: TypeAlias = Literal["assignment_label", "assignment_node_id", "field_path"]


class StructuredDataConfig(TypedDict):
    additional_properties: NotRequired[dict[str, Any]]
    type: NotRequired[str]


TaskStatus: TypeAlias = Literal[
    "PENDING",
    "IN_PROGRESS",
    "PROCESSING",
    "COMPLETED",
    "COMPLETED_WITH_ERRORS",
    "FAILED",
    "CANCELED",
    "UNKNOWN",
    "SKIPPED",
    "DRAFT",
    "ACTIVE",
    "ARCHIVED",
    "SUSPENDED",
]


class TextIndexParams(TypedDict):
    lowercase: NotRequired[bool]
    max_token_len: NotRequired[int]
    min_token_len: NotRequired[int]
    tokenizer: NotRequired[TokenizerType]
    type: NotRequired[str]


class ThemeConfig(TypedDict):
    background_color: NotRequired[str]
    font_family: NotRequired[str]
    primary_color: NotRequired[str]
    secondary_color: NotRequired[str | None]
    text_color: NotRequired[str]


TokenizerType: TypeAlias = Literal["word", "whitespace", "prefix", "multilingual"]


class UuidIndexParams(TypedDict):
    is_tenant: NotRequired[bool]
    type: NotRequired[str]
