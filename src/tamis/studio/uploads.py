"""Files on their way into a bucket, each announced, sent and confirmed by the page: one that fails stops no other."""

import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from tamis.errors import BadRequestError, ValidationError
from tamis.model.bucket import Bucket
from tamis.services.data.bucket_schema import TEXT_TYPES, properties
from tamis.services.data.upload_design import UPLOADABLE, UploadDraft, mime_kind
from tamis.services.data.uploads import Confirmation, UploadService
from tamis.studio.buckets import bucket_of
from tamis.studio.content_kinds import NAME
from tamis.studio.security import HEADERS
from tamis.studio.visit import Visit

_READS_TEXTS = ("file", "document")
_UNKNOWN = "application/octet-stream"
_LONGEST_NAME = 255


async def announce(visit: Visit) -> Response:
    """Where to send the file. Raises: BadRequestError, ValidationError with what the bucket has against it."""
    visit, found = await bucket_of(visit)
    draft = _draft(visit, found.bucket)
    uploads = visit.service(UploadService)
    try:
        announced = await uploads.create(visit.principal, found.bucket.bucket_id, draft)
    except ValidationError as error:
        # Whoever dropped a file is told what is wrong with it, and not where in a request.
        told = "; ".join(str(one["msg"]) for one in error.problems) or error.message
        raise ValidationError(told, error.problems) from error
    url = uploads.links.url(visit.principal, announced.upload, "http://studio")
    # By path alone: a page sends to nobody but the server that it came from.
    return _answer({"upload_id": announced.upload.upload_id, "url": urlsplit(url).path})


async def confirm(visit: Visit) -> Response:
    """Make an object of the file that arrived. Raises: ConflictError, ValidationError, AlreadyExistsError."""
    visit, found = await bucket_of(visit)
    upload_id = str(visit.request.path_params["upload_id"])
    confirmation = Confirmation(upload_id)
    upload = await visit.service(UploadService).confirm(visit.principal, found.bucket.bucket_id, confirmation)
    return _answer({"object_id": upload.object_id, "is_known": upload.duplicate_of_upload_id is not None})


def _draft(visit: Visit, bucket: Bucket) -> UploadDraft:
    name, size = visit.field("filename")[-_LONGEST_NAME:], visit.field("size")
    if not name:
        raise BadRequestError("filename: the name of the file", field="filename")
    if not (size.isascii() and size.isdigit()) or not 1 <= len(size) <= 15:
        raise BadRequestError("size: the size of the file in bytes", field="size")
    if not int(size):
        raise BadRequestError("the file is empty", field="size")
    content_type = visit.field("content_type") or mimetypes.guess_type(name)[0] or _UNKNOWN
    declared = properties(bucket.schema)
    chosen = visit.field("property") or _only_holder(declared)
    return UploadDraft(
        filename=name,
        content_type=content_type,
        blob_property=chosen,
        blob_type=_blob_type(declared.get(chosen or ""), content_type),
        file_size_bytes=int(size),
        object_metadata={NAME: name} if _takes_name(declared, chosen) else None,
    )


def _only_holder(declared: Mapping[str, Mapping[str, Any]]) -> str | None:
    holders = [name for name, each in declared.items() if each["type"] in UPLOADABLE]
    return holders[0] if len(holders) == 1 else None


def _blob_type(declared: Mapping[str, Any] | None, content_type: str) -> str | None:
    """A text is a document, too, where the bucket has no better name for it; else by the file's own type."""
    kind = str(declared["type"]) if declared else ""
    return kind if kind in _READS_TEXTS and mime_kind(content_type) == "text" else None


def _takes_name(declared: Mapping[str, Mapping[str, Any]], chosen: str | None) -> bool:
    return chosen != NAME and declared.get(NAME, {}).get("type") in TEXT_TYPES


def _answer(content: Mapping[str, Any]) -> Response:
    return JSONResponse(dict(content), headers=dict(HEADERS))
