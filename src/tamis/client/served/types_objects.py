# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `objects` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import (
        AggregationOperation,
        AggregationResult,
        BucketSchemaFieldType,
        GroupByField,
        HavingCondition,
        PaginationResponse,
        RangeBucket,
    )


class CreateBlobRequest(TypedDict):
    canonicalize_source: NotRequired[bool | None]
    checksum: NotRequired[str | None]
    data: NotRequired[Any]
    force_remirror: NotRequired[bool | None]
    key_prefix: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    property: str
    type: BucketSchemaFieldType
    upload_id: NotRequired[str | None]


CreateObjectRequest: TypeAlias = dict[str, Any]


class CreateObjectsBatchRequest(TypedDict):
    objects: list[CreateObjectRequest]


class ListObjectsRequest(TypedDict):
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


class ListObjectsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[ObjectResponse]
    stats: NotRequired[ObjectListStats | None]


class ObjectAggregationRequest(TypedDict):
    aggregations: list[AggregationOperation]
    filters: NotRequired[dict[str, Any] | None]
    group_by: list[GroupByField]
    having: NotRequired[list[HavingCondition] | None]
    limit: NotRequired[int | None]
    range_buckets: NotRequired[list[RangeBucket] | None]
    sort_by: NotRequired[str | None]
    sort_direction: NotRequired[str]
    unwind: NotRequired[str | None]


class ObjectAggregationResponse(TypedDict):
    query_info: NotRequired[dict[str, Any]]
    results: list[AggregationResult]
    total_groups: int


class ObjectListStats(TypedDict):
    avg_blobs_per_object: NotRequired[float]
    objects_by_status: NotRequired[dict[str, Any]]
    total_blobs: NotRequired[int]
    total_objects: NotRequired[int]


ObjectResponse: TypeAlias = dict[str, Any]

PatchObjectRequest: TypeAlias = dict[str, Any]


class UpdateObjectRequest(TypedDict):
    blobs: NotRequired[list[CreateBlobRequest] | None]
    key_prefix: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    skip_duplicates: NotRequired[bool | None]
