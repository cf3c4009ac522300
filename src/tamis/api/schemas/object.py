"""Objects and their blobs on the wire."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.schemas.fields import BucketSchemaFieldType
from tamis.api.schemas.page import PaginationResponse
from tamis.api.schemas.task import TaskStatusEnum
from tamis.errors import ValidationError
from tamis.model.bucket import Blob, BucketObject
from tamis.services.data.blob_intake import BlobDraft
from tamis.services.data.object_design import ObjectChange, ObjectDraft
from tamis.services.data.objects import MAX_BATCH


class CreateBlobRequest(BaseModel):
    """data: a JSON value, text, a URL, a data: URI or base64, as the type has it. checksum: of later clients."""

    canonicalize_source: bool | None = None
    checksum: str | None = None
    data: Any | None = None
    force_remirror: bool | None = None
    key_prefix: str | None = None
    metadata: dict[str, Any] | None = None
    property: str = Field(..., min_length=1, max_length=100)
    type: BucketSchemaFieldType
    upload_id: str | None = Field(None, pattern=r"^upl_[a-zA-Z0-9_-]+$")


class CreateObjectRequest(BaseModel):
    """Every other key is metadata of the object, as is what `metadata` holds."""

    model_config = ConfigDict(extra="allow")

    blobs: list[CreateBlobRequest] = Field(default_factory=list)
    canonicalize_source: bool = True
    force_remirror: bool = False
    idempotency_key: str | None = Field(None, min_length=1, max_length=255)
    key_prefix: str | None = None
    metadata: dict[str, Any] | None = None
    skip_duplicates: bool = False


class CreateObjectsBatchRequest(BaseModel):
    objects: list[CreateObjectRequest] = Field(..., max_length=MAX_BATCH)


class UpdateObjectRequest(BaseModel):
    blobs: list[CreateBlobRequest] | None = None
    key_prefix: str | None = None
    metadata: dict[str, Any] | None = None
    skip_duplicates: bool | None = None


class PatchObjectRequest(BaseModel):
    """Every other key is metadata of the object; null takes one away."""

    model_config = ConfigDict(extra="allow")

    key_prefix: str | None = None
    metadata: dict[str, Any] | None = None
    skip_duplicates: bool | None = None


class BlobDetails(BaseModel):
    filename: str | None = None
    hash: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None


class BlobModel(BaseModel):
    """properties: the blob's metadata with its `data`, or the `url` that it stands behind."""

    blob_id: str | None = None
    details: BlobDetails = Field(default_factory=BlobDetails)
    key_prefix: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    property: str
    type: BucketSchemaFieldType


class SourceType(StrEnum):
    BUCKET = "bucket"
    COLLECTION = "collection"
    TAXONOMY = "taxonomy"
    CLUSTER = "cluster"


class SourceDetails(BaseModel):
    source_id: str
    type: SourceType


class ObjectResponse(BaseModel):
    """The object's metadata stands at the root, and again under `metadata`."""

    model_config = ConfigDict(extra="allow")

    blobs: list[BlobModel] = Field(default_factory=list)
    bucket_id: str
    content_hash: str | None = None
    created_at: datetime | None = None
    error: str | None = None
    key_prefix: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    object_id: str | None = None
    skip_duplicates: bool = False
    source_details: list[SourceDetails] = Field(default_factory=list)
    status: TaskStatusEnum = TaskStatusEnum.DRAFT
    updated_at: datetime | None = None


class ObjectListStats(BaseModel):
    avg_blobs_per_object: float = 0.0
    objects_by_status: dict[str, Any] = Field(default_factory=dict)
    total_blobs: int = 0
    total_objects: int = 0


class ListObjectsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[ObjectResponse]
    stats: ObjectListStats | None = None


def object_draft(body: CreateObjectRequest, *loc: str | int) -> ObjectDraft:
    """loc: where in the payload the body stands."""
    return ObjectDraft(
        blobs=tuple(_blob_draft(blob) for blob in body.blobs),
        fields=_fields(body.metadata, body.model_extra, loc or ("body",)),
        key_prefix=body.key_prefix,
        skip_duplicates=body.skip_duplicates,
        idempotency_key=body.idempotency_key,
    )


def object_replacement(body: UpdateObjectRequest) -> ObjectChange:
    return ObjectChange(
        blobs=None if body.blobs is None else tuple(_blob_draft(blob) for blob in body.blobs),
        fields=body.metadata,
        key_prefix=body.key_prefix,
        skip_duplicates=body.skip_duplicates,
    )


def object_patch(body: PatchObjectRequest) -> ObjectChange:
    return ObjectChange(
        fields=_fields(body.metadata, body.model_extra, ("body",)),
        key_prefix=body.key_prefix,
        skip_duplicates=body.skip_duplicates,
        merge=True,
    )


def object_response(found: BucketObject) -> ObjectResponse:
    own = {
        "blobs": [_blob_model(blob) for blob in found.blobs],
        "bucket_id": found.bucket_id,
        "content_hash": found.content_hash,
        "created_at": found.created_at,
        "error": found.error,
        "key_prefix": found.key_prefix,
        "metadata": found.fields,
        "object_id": found.object_id,
        "skip_duplicates": found.skip_duplicates,
        "source_details": [SourceDetails(source_id=found.bucket_id, type=SourceType.BUCKET)],
        "status": TaskStatusEnum(found.status),
        "updated_at": found.updated_at,
    }
    return ObjectResponse(**{**found.fields, **own})


def object_stats(page: Sequence[BucketObject]) -> ObjectListStats:
    """Over the objects of one page."""
    blobs = sum(len(found.blobs) for found in page)
    return ObjectListStats(
        avg_blobs_per_object=blobs / (len(page) or 1),
        objects_by_status=dict(Counter(found.status for found in page)),
        total_blobs=blobs,
        total_objects=len(page),
    )


_OWN = frozenset(ObjectResponse.model_fields) - {"metadata"}


def _fields(metadata: dict[str, Any] | None, extra: dict[str, Any] | None, loc: Sequence[str | int]) -> dict[str, Any]:
    """Metadata from under `metadata` and from the root, which wins. Raises: ValidationError for a system field."""
    for name in extra or {}:
        if name in _OWN:
            raise ValidationError.at([*loc, name], "set by the server, not by callers; leave it out here")
    return {**(metadata or {}), **(extra or {})}


def _blob_draft(blob: CreateBlobRequest) -> BlobDraft:
    return BlobDraft(
        property=blob.property,
        type=str(blob.type),
        data=blob.data,
        upload_id=blob.upload_id,
        key_prefix=blob.key_prefix,
        metadata=blob.metadata or {},
        checksum=blob.checksum,
    )


def _blob_model(blob: Blob) -> BlobModel:
    content = {"data": blob.data} if blob.url is None else {"url": blob.url}
    return BlobModel(
        blob_id=blob.blob_id,
        details=BlobDetails(
            filename=blob.filename, hash=blob.hash, mime_type=blob.mime_type, size_bytes=blob.size_bytes
        ),
        key_prefix=blob.key_prefix,
        properties={**blob.metadata, **content},
        property=blob.property,
        type=BucketSchemaFieldType(blob.type),
    )
