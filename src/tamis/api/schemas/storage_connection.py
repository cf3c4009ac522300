"""Connections to storages of others on the wire: what is secret in them goes in and never comes out."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.page import PaginationResponse
from tamis.errors import ValidationError
from tamis.model.batch import TaskStatus
from tamis.model.storage_connection import SourceFile, StorageConnection, StorageProvider
from tamis.services.access.storage_connections import ConnectionChange


class StorageConnectionCreateRequest(BaseModel):
    """provider_config: by the provider, with its credentials; they are sealed and not shown again."""

    description: str | None = Field(None, max_length=500)
    metadata: dict[str, Any] | None = None
    name: str = Field(..., min_length=1, max_length=100)
    provider_config: dict[str, Any]
    provider_type: StorageProvider
    test_before_save: bool = True


class StorageConnectionUpdateRequest(BaseModel):
    """What is left out stays. provider_config: in place of the whole of it, tried before it is kept."""

    description: str | None = Field(None, max_length=500)
    is_active: bool | None = None
    metadata: dict[str, Any] | None = None
    name: str | None = Field(None, min_length=1, max_length=100)
    provider_config: dict[str, Any] | None = None
    status: TaskStatus | None = None


class ListStorageConnectionsRequest(BaseModel):
    is_active: bool | None = None
    provider_type: StorageProvider | None = None
    status: TaskStatus | None = None

    def fits(self, connection: StorageConnection) -> bool:
        return (
            self.is_active in (None, connection.is_active)
            and self.provider_type in (None, connection.provider)
            and self.status in (None, connection.status)
        )


class StorageConnectionModel(BaseModel):
    """provider_config: with stars for what is secret. consecutive_failures: attempts in a row that did not get in."""

    connection_id: str
    consecutive_failures: int = Field(0, ge=0)
    created_at: datetime
    created_by_user_id: str
    description: str | None = Field(None, max_length=500)
    internal_id: str
    is_active: bool = True
    last_error: str | None = Field(None, max_length=1000)
    last_used_at: datetime | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    name: str = Field(..., min_length=1, max_length=100)
    provider_config: dict[str, Any]
    provider_type: StorageProvider
    status: TaskStatus = TaskStatus.ACTIVE
    updated_at: datetime


class StorageConnectionListResponse(BaseModel):
    pagination: PaginationResponse
    results: list[StorageConnectionModel]
    total: int = Field(..., ge=0)


class StorageConnectionTestResponse(BaseModel):
    details: dict[str, Any] | None = None
    message: str
    success: bool


class FolderItem(BaseModel):
    """id: what `source_path` of a sync takes."""

    id: str
    mime_type: str
    name: str
    path: str


class ListFoldersResponse(BaseModel):
    folders: list[FolderItem]
    parent_path: str


class FileItem(BaseModel):
    id: str
    mime_type: str
    modified_at: datetime
    name: str
    path: str
    size_bytes: int


class ListFilesResponse(BaseModel):
    """has_more: whether there are more files than were asked for."""

    files: list[FileItem]
    has_more: bool
    path: str


def read_draft(body: StorageConnectionCreateRequest) -> ConnectionChange:
    return ConnectionChange(body.name, body.description, body.metadata, body.provider_config)


def read_change(body: StorageConnectionUpdateRequest) -> ConnectionChange:
    """Raises: ValidationError where `status` and `is_active` contradict each other."""
    status = body.status
    if body.is_active is not None:
        wanted = TaskStatus.ACTIVE if body.is_active else TaskStatus.SUSPENDED
        if status not in (None, wanted):
            raise ValidationError.at(["body", "is_active"], f"true is ACTIVE and false is SUSPENDED, not {status}")
        status = wanted
    return ConnectionChange(body.name, body.description, body.metadata, body.provider_config, status)


def show_connection(connection: StorageConnection, organization_id: str) -> StorageConnectionModel:
    return StorageConnectionModel(
        connection_id=connection.connection_id,
        consecutive_failures=connection.failures,
        created_at=connection.created_at,
        created_by_user_id=connection.created_by,
        description=connection.description,
        internal_id=organization_id,
        is_active=connection.is_active,
        last_error=connection.last_error,
        last_used_at=connection.last_used_at,
        metadata=dict(connection.metadata),
        name=connection.name,
        provider_config=dict(connection.config),
        provider_type=connection.provider,
        status=connection.status,
        updated_at=connection.updated_at,
    )


def show_folder(path: str) -> FolderItem:
    return FolderItem(id=path, name=path.rpartition("/")[2], path=f"/{path}", mime_type="inode/directory")


def show_file(file: SourceFile, mime_type: str) -> FileItem:
    return FileItem(
        id=file.path,
        name=file.name,
        path=f"/{file.path}",
        mime_type=mime_type,
        size_bytes=file.size_bytes,
        modified_at=file.modified_at,
    )
