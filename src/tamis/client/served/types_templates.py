# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `templates` sends and gets."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class BaseTemplateModel(TypedDict):
    category: NotRequired[str | None]
    configuration: dict[str, Any]
    created_at: str
    created_by: NotRequired[str | None]
    description: str
    internal_id: str
    is_active: NotRequired[bool]
    is_public: NotRequired[bool]
    name: str
    requirements: NotRequired[list[str]]
    scope: TemplateScope
    source_resource_id: NotRequired[str | None]
    tags: NotRequired[list[str]]
    template_id: str
    template_type: TemplateType
    updated_at: str
    use_cases: NotRequired[list[str]]


class CreateTemplateFromResourceRequest(TypedDict):
    category: NotRequired[str | None]
    description: NotRequired[str | None]
    is_public: NotRequired[bool]
    scope: NotRequired[TemplateScope]
    tags: NotRequired[list[str]]
    template_name: str


class CreateTemplateFromResourceResponse(TypedDict):
    created_at: str
    scope: TemplateScope
    source_resource_id: str
    template_id: str
    template_name: str
    template_type: TemplateType


class InstantiateBucketTemplateRequest(TypedDict):
    bucket_name: str
    description: NotRequired[str | None]


class InstantiateClusterTemplateRequest(TypedDict):
    cluster_name: str
    collection_ids: list[str]
    description: NotRequired[str | None]


class InstantiateCollectionTemplateRequest(TypedDict):
    bucket_ids: NotRequired[list[str] | None]
    collection_id: NotRequired[str | None]
    collection_name: str
    description: NotRequired[str | None]
    tags: NotRequired[list[str]]


class InstantiateRetrieverTemplateRequest(TypedDict):
    collection_identifiers: list[str]
    description: NotRequired[str | None]
    retriever_name: str
    tags: NotRequired[list[str]]


class InstantiateTaxonomyTemplateRequest(TypedDict):
    collection_config: dict[str, str]
    description: NotRequired[str | None]
    taxonomy_name: str


class InstantiateTemplateRequest(TypedDict):
    description: NotRequired[str | None]
    namespace_name: str


class InstantiatedBucketTemplateResponse(TypedDict):
    bucket_id: str
    bucket_name: str
    created_at: str
    status: NotRequired[str]
    template_id: str


class InstantiatedClusterTemplateResponse(TypedDict):
    cluster_id: str
    cluster_name: str
    created_at: str
    status: NotRequired[str]
    template_id: str


class InstantiatedCollectionTemplateResponse(TypedDict):
    collection_id: str
    collection_name: str
    created_at: str
    status: NotRequired[str]
    template_id: str


class InstantiatedRetrieverTemplateResponse(TypedDict):
    created_at: str
    retriever_id: str
    retriever_name: str
    status: NotRequired[str]
    template_id: str


class InstantiatedTaxonomyTemplateResponse(TypedDict):
    created_at: str
    status: NotRequired[str]
    taxonomy_id: str
    taxonomy_name: str
    template_id: str


class InstantiatedTemplateResponse(TypedDict):
    created_at: str
    namespace_id: str
    namespace_name: str
    status: NotRequired[str]
    task_id: NotRequired[str | None]
    template_id: str


TemplateScope: TypeAlias = Literal["system", "organization", "user"]

TemplateType: TypeAlias = Literal["namespace", "retriever", "cluster", "collection", "bucket", "taxonomy"]
