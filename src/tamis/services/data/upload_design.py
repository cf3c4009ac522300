"""From an announced file to an upload record: which property it fills, as which type, and whether the bucket agrees."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tamis.errors import ValidationError
from tamis.model.batch import TaskStatus
from tamis.model.bucket import Bucket, Upload
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.services.data.blob_intake import BlobDraft
from tamis.services.data.bucket_schema import FILE_TYPES, Loc, fits, properties
from tamis.services.data.object_design import ObjectDraft, prepare
from tamis.services.json_values import check_json

UPLOADABLE = FILE_TYPES | {"text", "automatic"}

_CONTENT_TYPE = re.compile(r"^[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;.*)?$", re.ASCII)
_PROPERTY = re.compile(r"^[a-zA-Z0-9_]+\Z")
_BY_MIME = {
    "application/pdf": "pdf",
    "application/json": "text",
    "application/msword": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "application/vnd.ms-excel": "spreadsheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "spreadsheet",
    "application/vnd.ms-powerpoint": "presentation",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "presentation",
}
_BY_FAMILY = {"image": "image", "video": "video", "audio": "audio", "text": "text"}


@dataclass(frozen=True, slots=True)
class UploadDraft:
    filename: str
    content_type: str
    blob_property: str | None = None
    blob_type: str | None = None
    create_object_on_confirm: bool = True
    file_hash: str | None = None
    file_size_bytes: int | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    object_metadata: dict[str, JSON] | None = None
    presigned_url_expiration: int = 3600
    skip_duplicates: bool = True


def announce(bucket: Bucket, draft: UploadDraft, max_bytes: int, loc: Loc) -> Upload:
    """The record of a file to come, refused now if the bucket would refuse its object later.

    Raises: ValidationError under `loc`.
    """
    _check_file(draft, max_bytes, loc)
    check_json([draft.metadata, draft.object_metadata], loc)
    upload_id = new_id("upl")
    now = datetime.now(UTC)
    blob_property = draft.blob_property or _property(bucket, draft)
    upload = Upload(
        upload_id=upload_id,
        bucket_id=bucket.bucket_id,
        filename=draft.filename,
        content_type=draft.content_type,
        blob_key=f"{bucket.bucket_id}/uploads/{upload_id}",
        created_at=now,
        expires_at=now + timedelta(seconds=draft.presigned_url_expiration),
        presigned_url_expiration=draft.presigned_url_expiration,
        status=TaskStatus.PENDING,
        blob_property=blob_property,
        blob_type=draft.blob_type or _type(bucket, blob_property, draft.content_type),
        create_object_on_confirm=draft.create_object_on_confirm,
        file_hash=draft.file_hash,
        file_size_bytes=draft.file_size_bytes,
        skip_duplicates=draft.skip_duplicates,
        metadata=draft.metadata,
        object_metadata=draft.object_metadata,
    )
    if upload.create_object_on_confirm:
        _check_object(bucket, upload, loc)
    return upload


def object_of(upload: Upload) -> ObjectDraft:
    """The object that a confirmed upload becomes; confirming twice gives the same one."""
    blob = BlobDraft(upload.blob_property or "", upload.blob_type or "file", upload_id=upload.upload_id)
    return ObjectDraft((blob,), dict(upload.object_metadata or {}), idempotency_key=upload.upload_id)


def _check_file(draft: UploadDraft, max_bytes: int, loc: Loc) -> None:
    name = draft.filename
    if not name.isprintable() or any(char in name for char in "/\\") or name in (".", ".."):
        raise ValidationError.at([*loc, "filename"], "the name of a file, without a path")
    if not _CONTENT_TYPE.match(draft.content_type):
        raise ValidationError.at([*loc, "content_type"], "a MIME type, such as 'image/png'")
    if draft.file_size_bytes is not None and draft.file_size_bytes > max_bytes:
        raise ValidationError.at([*loc, "file_size_bytes"], f"this server takes files of up to {max_bytes} bytes")


def _check_object(bucket: Bucket, upload: Upload, loc: Loc) -> None:
    if not upload.blob_property:
        raise ValidationError.at([*loc, "blob_property"], "name the property of the object that this file fills")
    declared = properties(bucket.schema).get(upload.blob_property)
    kind = upload.blob_type or "file"
    if declared is not None and not fits(kind, declared["type"]):
        message = f"{upload.blob_property!r} is declared as {declared['type']}, which a file of type {kind} is not"
        raise ValidationError.at([*loc, "blob_type"], message)
    try:
        prepare(bucket, object_of(upload), {upload.upload_id: upload}, loc)
    except ValidationError as error:
        raise ValidationError(error.message, [{**each, "loc": _place(each, loc)} for each in error.problems]) from error


def _place(problem: Mapping[str, object], loc: Loc) -> list[str | int]:
    """Where in an upload's payload the fault of its object lies."""
    inner = problem["loc"]
    tail = inner[len(loc) :] if isinstance(inner, list) else []
    if tail[:2] == ["blobs", 0]:
        return [*loc, "blob_property" if "property" in tail else "blob_type"]
    return [*loc, "object_metadata", *(part for part in tail if part not in ("blobs", "metadata"))]


def _property(bucket: Bucket, draft: UploadDraft) -> str | None:
    """The bucket's only property that holds files, else the file's name without its extension."""
    declared = properties(bucket.schema)
    holders = [name for name, each in declared.items() if each["type"] in UPLOADABLE]
    if len(holders) == 1:
        return holders[0]
    stem = draft.filename.rpartition(".")[0] or draft.filename
    return stem if _PROPERTY.match(stem) else None


def _type(bucket: Bucket, blob_property: str | None, content_type: str) -> str:
    guessed = mime_kind(content_type)
    declared = properties(bucket.schema).get(blob_property or "", {}).get("type")
    return declared if guessed == "file" and declared in UPLOADABLE - {"automatic"} else guessed


def mime_kind(content_type: str) -> str:
    """The field type that a MIME type's files have."""
    mime = content_type.partition(";")[0].strip().lower()
    return _BY_MIME.get(mime) or _BY_FAMILY.get(mime.partition("/")[0]) or "file"
