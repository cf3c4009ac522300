# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `snapshots` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_namespaces import NamespaceModel
    from tamis.client.served.types_shared import PaginationResponse


class CreateSnapshotRequest(TypedDict):
    collection_identifier: NotRequired[str | None]
    description: NotRequired[str | None]
    snapshot_name: str


class ListSnapshotsRequest(TypedDict):
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


class ListSnapshotsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[SnapshotResponse]
    total_count: int


class RestoreSnapshotRequest(TypedDict):
    name: str


class RestoreSnapshotResponse(TypedDict):
    collection_id: NotRequired[str | None]
    namespace: NotRequired[NamespaceModel | None]
    task_id: str


class SnapshotResponse(TypedDict):
    collection_id: NotRequired[str | None]
    counts: dict[str, int]
    created_at: str
    description: NotRequired[str | None]
    error: NotRequired[str | None]
    missing_files: NotRequired[list[str]]
    size_bytes: int
    snapshot_id: str
    snapshot_name: str
    status: SnapshotStatus
    taken_at: NotRequired[str | None]
    task_id: str
    updated_at: str


SnapshotStatus: TypeAlias = Literal["pending", "in_progress", "completed", "failed"]
