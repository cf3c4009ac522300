# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `retrievers` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import (
        BucketSchemaFieldInput,
        BucketSchemaFieldOutput,
        BudgetLimits,
        CursorPaginationParams,
        DisplayConfigInput,
        FeatureAddress,
        KeysetPaginationParams,
        OffsetPaginationParams,
        ScrollPaginationParams,
        StageConfigAnswer,
    )


class AnonymousExecuteRequest(TypedDict):
    budget_limits: NotRequired[BudgetLimits | None]
    collection_identifiers: NotRequired[list[str]]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    include_legacy_results: NotRequired[bool | None]
    input_schema: NotRequired[dict[str, BucketSchemaFieldInput]]
    inputs: NotRequired[dict[str, Any]]
    limit: NotRequired[int | None]
    page_size: NotRequired[int | None]
    pagination: NotRequired[
        OffsetPaginationParams | CursorPaginationParams | ScrollPaginationParams | KeysetPaginationParams | None
    ]
    return_urls: NotRequired[bool | None]
    return_vectors: NotRequired[bool | None]
    settings: NotRequired[dict[str, Any] | None]
    skip_cache: NotRequired[bool]
    stages: list[StageConfig]
    stream: NotRequired[bool]


class BatchQuery(TypedDict):
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    inputs: NotRequired[dict[str, Any]]


class CheckRequest(TypedDict):
    baseline_version: NotRequired[int | None]
    candidate: NotRequired[str | None]
    candidate_version: NotRequired[int | None]
    last: NotRequired[int]
    max_empty: NotRequired[int]
    max_failed: NotRequired[int]
    max_slowdown: NotRequired[float | None]
    min_overlap: NotRequired[float]


class CloneRetrieverRequest(TypedDict):
    budget_limits: NotRequired[BudgetLimits | None]
    cache_config: NotRequired[dict[str, Any] | None]
    collection_identifiers: NotRequired[list[str] | None]
    description: NotRequired[str | None]
    display_config: NotRequired[DisplayConfigInput | None]
    input_schema: NotRequired[dict[str, BucketSchemaFieldInput] | None]
    retriever_name: str
    stages: NotRequired[list[StageConfig] | None]
    tags: NotRequired[list[str] | None]


class CreateRetrieverRequest(TypedDict):
    budget_limits: NotRequired[BudgetLimits]
    cache_config: NotRequired[dict[str, Any] | None]
    collection_identifiers: NotRequired[list[str] | None]
    description: NotRequired[str | None]
    display_config: NotRequired[DisplayConfigInput | None]
    input_schema: NotRequired[dict[str, BucketSchemaFieldInput] | None]
    retriever_name: str
    stages: list[StageConfig]
    tags: NotRequired[list[str] | None]


class ExecuteBatchRequest(TypedDict):
    concurrency: NotRequired[int]
    queries: list[BatchQuery]
    return_presigned_urls: NotRequired[bool]
    return_vectors: NotRequired[bool]
    settings: NotRequired[dict[str, Any] | None]
    stream: NotRequired[bool]


class ExecuteRetrieverRequest(TypedDict):
    budget_limits: NotRequired[BudgetLimits | None]
    collection_identifiers: NotRequired[list[str]]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    include_legacy_results: NotRequired[bool | None]
    inputs: NotRequired[dict[str, Any]]
    limit: NotRequired[int | None]
    page_size: NotRequired[int | None]
    pagination: NotRequired[
        OffsetPaginationParams | CursorPaginationParams | ScrollPaginationParams | KeysetPaginationParams | None
    ]
    return_urls: NotRequired[bool | None]
    return_vectors: NotRequired[bool | None]
    settings: NotRequired[dict[str, Any] | None]
    skip_cache: NotRequired[bool]
    stream: NotRequired[bool]


class ExplainRetrieverRequest(TypedDict):
    budget_limits: NotRequired[BudgetLimits | None]
    collection_identifiers: NotRequired[list[str]]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    inputs: NotRequired[dict[str, Any]]


class ListRetrieversRequest(TypedDict):
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


class PatchRetrieverRequest(TypedDict):
    budget_limits: NotRequired[BudgetLimits | None]
    cache_config: NotRequired[dict[str, Any] | None]
    collection_identifiers: NotRequired[list[str] | None]
    description: NotRequired[str | None]
    display_config: NotRequired[DisplayConfigInput | None]
    input_schema: NotRequired[dict[str, BucketSchemaFieldInput] | None]
    retriever_name: NotRequired[str | None]
    stages: NotRequired[list[StageConfig] | None]
    tags: NotRequired[list[str] | None]


class RetrieverConfig(TypedDict):
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
    retriever_id: NotRequired[str | None]
    retriever_name: str
    stages: list[StageConfigAnswer]
    tags: NotRequired[list[str]]
    updated_at: NotRequired[str | None]
    updated_by: NotRequired[str | None]
    version: NotRequired[int]


class RolloutRequest(TypedDict):
    baseline_version: NotRequired[int | None]
    candidate: NotRequired[str | None]
    candidate_version: NotRequired[int | None]
    live_share: NotRequired[float]
    max_credits: NotRequired[float | None]
    max_runs: NotRequired[int]
    max_time_ms: NotRequired[int]
    shadow_share: NotRequired[float]


StageConfig: TypeAlias = dict[str, Any]


class TuneRequest(TypedDict):
    apply: NotRequired[bool]
    collections: NotRequired[list[str]]
    dataset: str
    folds: NotRequired[int]
    k: NotRequired[int]
    max_candidates: NotRequired[int]
    max_credits: NotRequired[float | None]
    max_seconds: NotRequired[float]
    metric: NotRequired[str]
