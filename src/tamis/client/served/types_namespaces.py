# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `namespaces` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse, PayloadIndexConfig


class BaseFeatureExtractorModelInput(TypedDict):
    feature_extractor_name: str
    version: str


class BaseFeatureExtractorModelOutput(TypedDict):
    feature_extractor_id: str
    feature_extractor_name: str
    version: str


ComputeTier: TypeAlias = Literal["shared", "dedicated_cpu", "dedicated_gpu"]


class CreateNamespaceRequest(TypedDict):
    auto_create_indexes: NotRequired[bool | None]
    description: NotRequired[str | None]
    feature_extractors: NotRequired[list[BaseFeatureExtractorModelInput] | None]
    namespace_name: str
    payload_indexes: NotRequired[list[PayloadIndexConfig] | None]
    record_policy: NotRequired[RecordPolicyModel | None]


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


RecordPart: TypeAlias = Literal["inputs", "documents"]


class RecordPolicyModel(TypedDict):
    exclude: NotRequired[list[RecordPart]]
    max_age_days: NotRequired[float | None]
    max_age_s: NotRequired[float | None]
    max_count: NotRequired[int | None]


class UpdateNamespaceRequest(TypedDict):
    namespace_name: NotRequired[str | None]
    payload_indexes: NotRequired[list[PayloadIndexConfig] | None]
    record_policy: NotRequired[RecordPolicyModel | None]
