"""Uploads on the wire."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.fields import BucketSchemaFieldType
from tamis.api.schemas.page import PaginationResponse
from tamis.api.schemas.task import TaskResponse, TaskStatusEnum
from tamis.errors import ValidationError
from tamis.model.bucket import Upload
from tamis.services.data.upload_design import UPLOADABLE, UploadDraft
from tamis.services.data.uploads import MAX_BATCH, Announced, Confirmation


class CreateUploadRequest(BaseModel):
    blob_property: str | None = Field(None, pattern=r"^[a-zA-Z0-9_]+$")
    blob_type: str | None = None
    content_type: str
    create_object_on_confirm: bool = True
    file_hash: str | None = Field(None, min_length=64, max_length=64, pattern=r"^[a-f0-9]{64}$")
    file_size_bytes: int | None = Field(None, ge=1)
    filename: str = Field(..., min_length=1, max_length=255)
    metadata: dict[str, Any] = Field(default_factory=dict)
    object_metadata: dict[str, Any] | None = None
    presigned_url_expiration: int = Field(3600, ge=60, le=86400)
    skip_duplicates: bool = True


class BatchUploadRequest(BaseModel):
    shared_metadata: dict[str, Any] | None = None
    shared_object_metadata: dict[str, Any] | None = None
    uploads: list[CreateUploadRequest] = Field(..., min_length=1, max_length=MAX_BATCH)


class UploadResponse(BaseModel):
    blob_property: str | None = None
    blob_type: str | None = None
    bucket_id: str
    completed_at: datetime | None = None
    content_type: str
    create_object_on_confirm: bool
    created_at: datetime
    duplicate_of_upload_id: str | None = None
    etag: str | None = None
    expires_at: datetime
    file_hash: str | None = None
    file_size_bytes: int | None = None
    filename: str
    is_duplicate: bool = False
    message: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    object_id: str | None = None
    object_metadata: dict[str, Any] | None = None
    presigned_url: str | None = Field(None, min_length=1, max_length=2083)
    presigned_url_expiration: int
    s3_key: str
    skip_duplicates: bool = True
    status: TaskStatusEnum
    task_id: str | None = None
    upload_id: str
    verified_at: datetime | None = None


class BatchUploadResponse(BaseModel):
    total: int
    uploads: list[UploadResponse]


class ConfirmUploadRequest(BaseModel):
    etag: str | None = None
    file_size_bytes: int | None = Field(None, ge=1)


class ConfirmUploadResponse(BaseModel):
    completed_at: datetime | None = None
    etag: str | None = None
    file_hash: str | None = None
    file_size_bytes: int | None = None
    message: str | None = None
    object_id: str | None = None
    status: TaskStatusEnum
    task_id: str | None = None
    upload_id: str
    verified_at: datetime | None = None


class BatchConfirmRequest(BaseModel):
    """Each confirmation: `upload_id`, and where wished `etag` and `file_size_bytes`."""

    confirmations: list[dict[str, Any]] = Field(..., min_length=1, max_length=MAX_BATCH)


class BatchConfirmResponse(BaseModel):
    confirmations_count: int
    message: str = "Batch confirmation is being processed in the background."
    status: TaskStatusEnum
    task: TaskResponse
    task_id: str


class UploadListStats(BaseModel):
    avg_file_size_bytes: float
    total_size_bytes: int
    total_uploads: int
    unique_buckets: int
    uploads_by_status: dict[str, int]


class ListUploadsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[UploadResponse]
    stats: UploadListStats


def upload_draft(body: CreateUploadRequest, *loc: str | int) -> UploadDraft:
    """Raises: ValidationError for a blob type that no file can have."""
    kind = body.blob_type.lower() if body.blob_type else None
    if kind is not None and kind not in UPLOADABLE:
        known = ", ".join(sorted(set(UPLOADABLE) & set(BucketSchemaFieldType)))
        raise ValidationError.at([*loc, "blob_type"], f"a file is one of {known}")
    return UploadDraft(
        filename=body.filename,
        content_type=body.content_type,
        blob_property=body.blob_property,
        blob_type=kind,
        create_object_on_confirm=body.create_object_on_confirm,
        file_hash=body.file_hash,
        file_size_bytes=body.file_size_bytes,
        metadata=body.metadata,
        object_metadata=body.object_metadata,
        presigned_url_expiration=body.presigned_url_expiration,
        skip_duplicates=body.skip_duplicates,
    )


def batch_drafts(body: BatchUploadRequest) -> list[UploadDraft]:
    """What is shared lies under what each upload says itself."""
    shared, shared_object = body.shared_metadata or {}, body.shared_object_metadata or {}
    whole = [
        one.model_copy(
            update={
                "metadata": {**shared, **one.metadata},
                "object_metadata": {**shared_object, **(one.object_metadata or {})} or None,
            }
        )
        for one in body.uploads
    ]
    return [upload_draft(one, "body", "uploads", place) for place, one in enumerate(whole)]


def confirmation_of(raw: dict[str, Any], *loc: str | int) -> Confirmation:
    """Raises: ValidationError naming the field."""
    upload_id, etag, size_bytes = raw.get("upload_id"), raw.get("etag"), raw.get("file_size_bytes")
    if not isinstance(upload_id, str):
        raise ValidationError.at([*loc, "upload_id"], "the id of the upload to confirm")
    if etag is not None and not isinstance(etag, str):
        raise ValidationError.at([*loc, "etag"], "the ETag that the file's PUT was answered with")
    if size_bytes is not None and (not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or size_bytes < 1):
        raise ValidationError.at([*loc, "file_size_bytes"], "a whole number, at least 1")
    return Confirmation(upload_id, etag, size_bytes)


def upload_response(upload: Upload, presigned_url: str | None = None, is_duplicate: bool = False) -> UploadResponse:
    duplicate_of = upload.upload_id if is_duplicate else upload.duplicate_of_upload_id
    return UploadResponse(
        blob_property=upload.blob_property,
        blob_type=upload.blob_type,
        bucket_id=upload.bucket_id,
        completed_at=upload.completed_at,
        content_type=upload.content_type,
        create_object_on_confirm=upload.create_object_on_confirm,
        created_at=upload.created_at,
        duplicate_of_upload_id=duplicate_of,
        etag=upload.etag,
        expires_at=upload.expires_at,
        file_hash=upload.file_hash,
        file_size_bytes=upload.file_size_bytes,
        filename=upload.filename,
        is_duplicate=duplicate_of is not None,
        message=_message(upload, is_duplicate),
        metadata=upload.metadata,
        object_id=upload.object_id,
        object_metadata=upload.object_metadata,
        presigned_url=presigned_url,
        presigned_url_expiration=upload.presigned_url_expiration,
        s3_key=upload.blob_key,
        skip_duplicates=upload.skip_duplicates,
        status=TaskStatusEnum(upload.status),
        task_id=upload.task_id,
        upload_id=upload.upload_id,
        verified_at=upload.verified_at,
    )


def announced_response(announced: Announced, presigned_url: str | None) -> UploadResponse:
    return upload_response(announced.upload, presigned_url, announced.is_duplicate)


def confirmed_response(upload: Upload) -> ConfirmUploadResponse:
    return ConfirmUploadResponse(
        completed_at=upload.completed_at,
        etag=upload.etag,
        file_hash=upload.file_hash,
        file_size_bytes=upload.file_size_bytes,
        message=_message(upload, False),
        object_id=upload.object_id,
        status=TaskStatusEnum(upload.status),
        task_id=upload.task_id,
        upload_id=upload.upload_id,
        verified_at=upload.verified_at,
    )


def upload_stats(page: Sequence[Upload]) -> UploadListStats:
    """Over the uploads of one page."""
    sizes = [upload.file_size_bytes for upload in page if upload.file_size_bytes is not None]
    return UploadListStats(
        avg_file_size_bytes=sum(sizes) / len(sizes) if sizes else 0.0,
        total_size_bytes=sum(sizes),
        total_uploads=len(page),
        unique_buckets=len({upload.bucket_id for upload in page}),
        uploads_by_status=dict(Counter(str(upload.status) for upload in page)),
    )


def _message(upload: Upload, is_duplicate: bool) -> str | None:
    if is_duplicate:
        return "a file with these bytes is here already; nothing needs to be sent"
    if upload.duplicate_of_upload_id is not None:
        return f"the same bytes as upload {upload.duplicate_of_upload_id}, whose file is used"
    return None
