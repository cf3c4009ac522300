# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `resources` sends and gets."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

ResourceKind: TypeAlias = Literal[
    "bucket", "collection", "retriever", "taxonomy", "cluster", "published_retriever", "namespace", "dataset"
]


class SearchRequest(TypedDict):
    limit: NotRequired[int]
    offset: NotRequired[int]
    query: str
    resource_types: NotRequired[list[ResourceKind] | None]


class SearchResponse(TypedDict):
    limit: int
    offset: int
    results: list[SearchResultItem]
    total: int


class SearchResultItem(TypedDict):
    created_at: str
    description: NotRequired[str | None]
    resource_id: str
    resource_name: str
    resource_type: ResourceKind
    updated_at: NotRequired[str | None]
