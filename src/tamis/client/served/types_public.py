# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `public` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_interactions import InteractionType
    from tamis.client.served.types_shared import (
        BucketSchemaFieldOutput,
        CursorPaginationParams,
        DisplayConfigOutput,
        KeysetPaginationParams,
        OffsetPaginationParams,
        ResultPagination,
        RetrieverMetadata,
        ScrollPaginationParams,
    )


class ListPublicRetrieversResponse(TypedDict):
    page: int
    page_size: int
    results: list[PublicRetrieverListItem]
    stats: NotRequired[PublicRetrieverListStats | None]
    total_count: int
    total_pages: int


PublicDocument: TypeAlias = dict[str, Any]


class PublicExecutionAnswer(TypedDict):
    documents: list[PublicDocument]
    execution_id: str
    pagination: ResultPagination
    results: list[PublicDocument]
    status: str


class PublicInteractionBatchRequest(TypedDict):
    interactions: list[PublicInteractionRequest]


class PublicInteractionRequest(TypedDict):
    document_id: str
    document_score: NotRequired[float | None]
    execution_id: NotRequired[str | None]
    interaction_type: list[InteractionType]
    metadata: NotRequired[dict[str, Any] | None]
    position: int
    query_snapshot: NotRequired[dict[str, Any] | None]
    result_set_size: NotRequired[int | None]
    session_id: NotRequired[str | None]


class PublicRetrieverConfigResponse(TypedDict):
    display_config: DisplayConfigOutput
    password_protected: bool
    public_api_key: str
    public_name: str
    retriever_metadata: NotRequired[RetrieverMetadata | None]


class PublicRetrieverListItem(TypedDict):
    created_at: str
    description: NotRequired[str | None]
    is_active: bool
    logo_url: NotRequired[str | None]
    og_image_url: NotRequired[str | None]
    password_protected: bool
    public_name: str
    public_url: str
    title: str
    updated_at: str


class PublicRetrieverListStats(TypedDict):
    total_active: NotRequired[int]
    total_open: NotRequired[int]
    total_password_protected: NotRequired[int]


class PublicRetrieverTemplateResponse(TypedDict):
    budget_limits: dict[str, Any]
    collection_identifiers: list[str]
    description: NotRequired[str | None]
    display_config: NotRequired[DisplayConfigOutput | None]
    input_schema: dict[str, BucketSchemaFieldOutput]
    retriever_name: str
    source_public_name: str
    source_public_url: str
    stages: list[dict[str, Any]]
    tags: NotRequired[list[str]]


class RetrieverExecutionRequest(TypedDict):
    inputs: NotRequired[dict[str, Any]]
    pagination: NotRequired[
        OffsetPaginationParams | CursorPaginationParams | ScrollPaginationParams | KeysetPaginationParams | None
    ]
    stream: NotRequired[bool]


class TrackedInteractions(TypedDict):
    interaction_ids: list[str]
    success: NotRequired[bool]
    tracked: int


class VerifyPasswordRequest(TypedDict):
    password: str


class VerifyPasswordResponse(TypedDict):
    expires_at: NotRequired[str | None]
    grant: NotRequired[str | None]
    public_api_key: NotRequired[str | None]
    valid: bool
