"""Stored files, read by links that documents' answers carry: whole or in part, so that a browser plays a video."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from tamis.api.access import service
from tamis.api.byte_ranges import part_of
from tamis.api.media_types import presented
from tamis.services.data.blob_links import PATH, BlobLinks, StoredFile

router = APIRouter(tags=["blobs"])

Links = Annotated[BlobLinks, Depends(service(BlobLinks))]


@router.api_route(PATH + "{token}", methods=["GET", "HEAD"], include_in_schema=False)
async def read_file(token: str, request: Request, links: Links) -> Response:
    """The link is the permission."""
    file = await links.open(token)
    headers = _headers(file)
    if _is_known(request.headers.get("if-none-match"), file.etag):
        return Response(status_code=304, headers=headers)
    # A part of a file that has changed would not fit to the parts that the client has.
    held = request.headers.get("if-range")
    asked = request.headers.get("range") if held is None or held == f'"{file.etag}"' else None
    part = part_of(asked, file.size_bytes)
    if part is None:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{file.size_bytes}"})
    headers["content-length"] = str(part.end - part.start)
    if not part.is_whole:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{file.size_bytes}"
    status = 200 if part.is_whole else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(links.stream(file, part.start, part.end), status, headers)


def _headers(file: StoredFile) -> dict[str, str]:
    shown = presented(file.content_type)
    headers = {
        "content-type": shown.content_type,
        "content-disposition": shown.disposition,
        "accept-ranges": "bytes",
        "etag": f'"{file.etag}"',
        "cache-control": "private, max-age=3600",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        # The link is the permission, whatever page shows the picture.
        "cross-origin-resource-policy": "cross-origin",
    }
    if file.filename:
        headers["content-disposition"] += f"; filename*=UTF-8''{quote(file.filename, safe='')}"
    return headers


def _is_known(header: str | None, etag: str) -> bool:
    held = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return "*" in held or f'"{etag}"' in held
