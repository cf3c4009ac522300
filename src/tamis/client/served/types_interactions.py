# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `interactions` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse


class BulkInteractionsRequest(TypedDict):
    interactions: list[SearchInteraction]


class BulkInteractionsResponse(TypedDict):
    created: int
    failed: NotRequired[int]
    results: list[InteractionResponse]


class DeletedInteractions(TypedDict):
    deleted: int
    success: NotRequired[bool]


class GenerateFromInteractionsRequest(TypedDict):
    dataset_name: NotRequired[str | None]
    lookback_days: NotRequired[int]
    min_interactions: NotRequired[int]
    positive_interaction_types: NotRequired[list[str] | None]


class InteractionResponse(TypedDict):
    document_score: NotRequired[float | None]
    execution_id: NotRequired[str | None]
    feature_id: str
    interaction_id: str
    interaction_type: list[InteractionType]
    metadata: NotRequired[dict[str, Any] | None]
    position: int
    query_snapshot: NotRequired[dict[str, Any] | None]
    result_set_size: NotRequired[int | None]
    retriever_id: NotRequired[str | None]
    session_id: NotRequired[str | None]
    timestamp: NotRequired[str | None]
    user_id: NotRequired[str | None]


InteractionType: TypeAlias = Literal[
    "view",
    "click",
    "positive_feedback",
    "negative_feedback",
    "purchase",
    "add_to_cart",
    "wishlist",
    "long_view",
    "share",
    "bookmark",
    "query_refinement",
    "zero_results",
    "filter_toggle",
    "skip",
    "return_to_results",
]


class ListInteractionsRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    execution_id: NotRequired[str | None]
    feature_id: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    interaction_type: NotRequired[str | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    retriever_id: NotRequired[str | None]
    search: NotRequired[str | None]
    session_id: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]
    user_id: NotRequired[str | None]


class ListInteractionsResponse(TypedDict):
    items: list[InteractionResponse]
    pagination: PaginationResponse
    results: list[InteractionResponse]


class SearchInteraction(TypedDict):
    document_score: NotRequired[float | None]
    execution_id: NotRequired[str | None]
    feature_id: str
    interaction_type: list[InteractionType]
    metadata: NotRequired[dict[str, Any] | None]
    position: int
    query_snapshot: NotRequired[dict[str, Any] | None]
    result_set_size: NotRequired[int | None]
    retriever_id: NotRequired[str | None]
    session_id: NotRequired[str | None]
    user_id: NotRequired[str | None]
