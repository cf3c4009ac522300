# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `documents` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import (
        AggregationOperation,
        AggregationResult,
        GroupByField,
        HavingCondition,
        PaginationResponse,
        RangeBucket,
    )


class BatchDeleteDocumentsRequest(TypedDict):
    document_ids: NotRequired[list[str] | None]
    filters: NotRequired[dict[str, Any] | None]


class BatchDeleteDocumentsResponse(TypedDict):
    deleted_count: int
    failed_count: NotRequired[int]
    message: NotRequired[str]
    results: NotRequired[list[BatchDocumentDeleteResult]]


class BatchDocumentDeleteResult(TypedDict):
    document_id: str
    error: NotRequired[str | None]
    success: bool


class BatchDocumentUpdate(TypedDict):
    document_id: str
    update_data: dict[str, Any]


class BatchDocumentUpdateResult(TypedDict):
    document_id: str
    error: NotRequired[str | None]
    success: bool


class BatchUpdateDocumentsRequest(TypedDict):
    filters: NotRequired[dict[str, Any] | None]
    update_data: NotRequired[dict[str, Any] | None]
    updates: NotRequired[list[BatchDocumentUpdate] | None]


class BatchUpdateDocumentsResponse(TypedDict):
    failed_count: NotRequired[int]
    message: NotRequired[str]
    results: NotRequired[list[BatchDocumentUpdateResult]]
    updated_count: int


class BulkUpdateDocumentsRequest(TypedDict):
    filters: NotRequired[dict[str, Any] | None]
    update_data: dict[str, Any]


class BulkUpdateDocumentsResponse(TypedDict):
    message: NotRequired[str]
    updated_count: int


class DocumentAggregationRequest(TypedDict):
    aggregations: list[AggregationOperation]
    filters: NotRequired[dict[str, Any] | None]
    group_by: list[GroupByField]
    having: NotRequired[list[HavingCondition] | None]
    limit: NotRequired[int | None]
    range_buckets: NotRequired[list[RangeBucket] | None]
    sort_by: NotRequired[str | None]
    sort_direction: NotRequired[str]
    unwind: NotRequired[str | None]


class DocumentAggregationResponse(TypedDict):
    query_info: NotRequired[dict[str, Any]]
    results: list[AggregationResult]
    total_groups: int


DocumentCreateRequest: TypeAlias = dict[str, Any]


class DocumentGroup(TypedDict):
    count: int
    documents: list[DocumentResponse]
    group_key: Any


class DocumentImportError(TypedDict):
    document_id: NotRequired[str | None]
    line: int
    message: str


class DocumentImportResponse(TypedDict):
    collection_id: str
    created: int
    errors: NotRequired[list[DocumentImportError]]
    failed: int
    lines: int
    replaced: int
    skipped: int


class DocumentListStats(TypedDict):
    avg_blobs_per_document: NotRequired[float]
    avg_documents_per_group: NotRequired[float | None]
    documents_with_vectors: NotRequired[int]
    total_documents: NotRequired[int]
    total_groups: NotRequired[int | None]


DocumentResponse: TypeAlias = dict[str, Any]

DocumentUpdateRequest: TypeAlias = dict[str, Any]

Existing: TypeAlias = Literal["replace", "skip", "fail"]

ExportFormat: TypeAlias = Literal["jsonl", "parquet"]


class ListDocumentsRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    group_by: NotRequired[str | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    return_url: NotRequired[bool | None]
    return_vectors: NotRequired[bool | None]
    search: NotRequired[str | None]
    select: NotRequired[list[str] | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]


class ListDocumentsResponse(TypedDict):
    group_by_field: NotRequired[str | None]
    groups: NotRequired[list[DocumentGroup] | None]
    pagination: PaginationResponse
    results: NotRequired[list[DocumentResponse] | None]
    stats: NotRequired[DocumentListStats | None]


PatchDocumentRequest: TypeAlias = dict[str, Any]
