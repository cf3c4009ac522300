# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `connections` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse, TaskStatus


class FileItem(TypedDict):
    id: str
    mime_type: str
    modified_at: str
    name: str
    path: str
    size_bytes: int


class FolderItem(TypedDict):
    id: str
    mime_type: str
    name: str
    path: str


class ListFilesResponse(TypedDict):
    files: list[FileItem]
    has_more: bool
    path: str


class ListFoldersResponse(TypedDict):
    folders: list[FolderItem]
    parent_path: str


class ListStorageConnectionsRequest(TypedDict):
    is_active: NotRequired[bool | None]
    provider_type: NotRequired[StorageProvider | None]
    status: NotRequired[TaskStatus | None]


class StorageConnectionCreateRequest(TypedDict):
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    name: str
    provider_config: dict[str, Any]
    provider_type: StorageProvider
    test_before_save: NotRequired[bool]


class StorageConnectionListResponse(TypedDict):
    pagination: PaginationResponse
    results: list[StorageConnectionModel]
    total: int


class StorageConnectionModel(TypedDict):
    connection_id: str
    consecutive_failures: NotRequired[int]
    created_at: str
    created_by_user_id: str
    description: NotRequired[str | None]
    internal_id: str
    is_active: NotRequired[bool]
    last_error: NotRequired[str | None]
    last_used_at: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any]]
    name: str
    provider_config: dict[str, Any]
    provider_type: StorageProvider
    status: NotRequired[TaskStatus]
    updated_at: str


class StorageConnectionTestResponse(TypedDict):
    details: NotRequired[dict[str, Any] | None]
    message: str
    success: bool


class StorageConnectionUpdateRequest(TypedDict):
    description: NotRequired[str | None]
    is_active: NotRequired[bool | None]
    metadata: NotRequired[dict[str, Any] | None]
    name: NotRequired[str | None]
    provider_config: NotRequired[dict[str, Any] | None]
    status: NotRequired[TaskStatus | None]


StorageProvider: TypeAlias = Literal[
    "google_drive", "s3", "snowflake", "sharepoint", "tigris", "local", "gcs", "azure_blob"
]
