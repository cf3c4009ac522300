"""Links to stored files in answers: made when an answer is shown, never kept, and they expire."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request

from tamis.model.document import BlobRef, Document
from tamis.model.principal import Principal
from tamis.services.data.blob_links import BlobLinks

Link = Callable[[str, str | None, str | None], str | None]
"""From a blob's url, content type and file name to where it can be read; None where it cannot."""


def links(request: Request, principal: Principal, is_asked: bool | None) -> Link | None:
    """What makes links to files, if they are asked for."""
    if not is_asked:
        return None
    made: BlobLinks = request.app.state.services[BlobLinks]
    base_url = str(request.base_url)
    return lambda url, content_type, filename: made.url(principal, url, base_url, content_type, filename)


def show_blobs(document: Document, link: Link | None) -> dict[str, Any]:
    """`document_blobs`: files of its own, as thumbnails; `source_blobs`: those that it was made of. BlobURLRef."""
    return {
        "document_blobs": [_blob(blob, link) for blob in document.blobs],
        "source_blobs": [_source_blob(blob, link) for blob in document.source_blobs],
    }


def _source_blob(blob: Mapping[str, Any], link: Link | None) -> dict[str, Any]:
    if link is None or not isinstance(blob.get("url"), str):
        return dict(blob)
    return {**blob, "presigned_url": link(blob["url"], blob.get("content_type"), blob.get("filename"))}


def _blob(blob: BlobRef, link: Link | None) -> dict[str, Any]:
    return {
        "checksum": blob.checksum,
        "content_type": blob.content_type,
        "field": blob.field,
        "filename": blob.filename,
        "presigned_url": link(blob.url, blob.content_type, blob.filename) if link else None,
        "role": blob.role,
        "size_bytes": blob.size_bytes,
        "source_blob_id": blob.source_blob_id,
        "type": blob.type,
        "url": blob.url,
    }
