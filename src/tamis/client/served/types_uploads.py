# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `uploads` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse
    from tamis.client.served.types_tasks import TaskResponse, TaskStatusEnum


class BatchConfirmRequest(TypedDict):
    confirmations: list[dict[str, Any]]


class BatchConfirmResponse(TypedDict):
    confirmations_count: int
    message: NotRequired[str]
    status: TaskStatusEnum
    task: TaskResponse
    task_id: str


class BatchUploadRequest(TypedDict):
    shared_metadata: NotRequired[dict[str, Any] | None]
    shared_object_metadata: NotRequired[dict[str, Any] | None]
    uploads: list[CreateUploadRequest]


class BatchUploadResponse(TypedDict):
    total: int
    uploads: list[UploadResponse]


class ConfirmUploadRequest(TypedDict):
    etag: NotRequired[str | None]
    file_size_bytes: NotRequired[int | None]


class ConfirmUploadResponse(TypedDict):
    completed_at: NotRequired[str | None]
    etag: NotRequired[str | None]
    file_hash: NotRequired[str | None]
    file_size_bytes: NotRequired[int | None]
    message: NotRequired[str | None]
    object_id: NotRequired[str | None]
    status: TaskStatusEnum
    task_id: NotRequired[str | None]
    upload_id: str
    verified_at: NotRequired[str | None]


class CreateUploadRequest(TypedDict):
    blob_property: NotRequired[str | None]
    blob_type: NotRequired[str | None]
    content_type: str
    create_object_on_confirm: NotRequired[bool]
    file_hash: NotRequired[str | None]
    file_size_bytes: NotRequired[int | None]
    filename: str
    metadata: NotRequired[dict[str, Any]]
    object_metadata: NotRequired[dict[str, Any] | None]
    presigned_url_expiration: NotRequired[int]
    skip_duplicates: NotRequired[bool]


class ListUploadsRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    return_presigned_urls: NotRequired[bool]
    search: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]


class ListUploadsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[UploadResponse]
    stats: UploadListStats


class UploadListStats(TypedDict):
    avg_file_size_bytes: float
    total_size_bytes: int
    total_uploads: int
    unique_buckets: int
    uploads_by_status: dict[str, int]


class UploadResponse(TypedDict):
    blob_property: NotRequired[str | None]
    blob_type: NotRequired[str | None]
    bucket_id: str
    completed_at: NotRequired[str | None]
    content_type: str
    create_object_on_confirm: bool
    created_at: str
    duplicate_of_upload_id: NotRequired[str | None]
    etag: NotRequired[str | None]
    expires_at: str
    file_hash: NotRequired[str | None]
    file_size_bytes: NotRequired[int | None]
    filename: str
    is_duplicate: NotRequired[bool]
    message: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any]]
    object_id: NotRequired[str | None]
    object_metadata: NotRequired[dict[str, Any] | None]
    presigned_url: NotRequired[str | None]
    presigned_url_expiration: int
    s3_key: str
    skip_duplicates: NotRequired[bool]
    status: TaskStatusEnum
    task_id: NotRequired[str | None]
    upload_id: str
    verified_at: NotRequired[str | None]
