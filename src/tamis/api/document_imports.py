"""Many documents in one request, a line each, with vectors of the caller's own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec
import orjson
from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import Writer, service
from tamis.api.bodies import JsonRoute, parse
from tamis.api.idempotency import HEADER as IDEMPOTENCY_HEADER
from tamis.api.schemas.document_import import DocumentImportResponse, import_response
from tamis.errors import BadRequestError, PayloadTooLargeError
from tamis.services.access.admission import Admission
from tamis.services.data.document_imports import DocumentImports, Existing, Line, LineError

router = APIRouter(tags=["documents"], route_class=JsonRoute)
PATH = "/v1/collections/{collection_identifier}/documents/import"

LINE_BYTES = 4 * 1024 * 1024
_CHUNK_LINES, _CHUNK_BYTES = 500, 2 * 1024 * 1024
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINE_SCHEMA = {
    "type": "object",
    "description": "A document; other members are fields of it, as those under `metadata` are.",
    "properties": {
        "document_id": {"type": "string"},
        "metadata": {"type": "object"},
        "vectors": {
            "type": "object",
            "description": "By feature name: numbers, base64 of little-endian float32, or indices and values.",
        },
    },
}

Imports = Annotated[DocumentImports, Depends(service(DocumentImports))]


@router.post(PATH, openapi_extra={"requestBody": {"content": {"application/x-ndjson": {"schema": _LINE_SCHEMA}}}})
async def import_documents(
    principal: Writer,
    collection_identifier: str,
    request: Request,
    imports: Imports,
    existing: Annotated[Existing, Query()] = Existing.REPLACE,
) -> DocumentImportResponse:
    """Documents as JSON lines, each with its vectors; searchable when this answers. A bad line fails alone.

    The body is read as it comes and written in chunks: what was written stays if the connection breaks.
    """
    if IDEMPOTENCY_HEADER in request.headers:
        raise BadRequestError(f"an import takes no {IDEMPOTENCY_HEADER}: lines with a document_id may be sent again")
    admission: Admission | None = request.app.state.services.get(Admission)
    room = admission.quota(principal, "documents") if admission is not None else None
    chunks = _chunks(request.stream())
    return import_response(await imports.run(principal, collection_identifier, chunks, existing, room))


async def _chunks(stream: AsyncIterator[bytes]) -> AsyncIterator[Sequence[Line | LineError]]:
    number = 1
    async for lines in _whole_lines(stream):
        # Half a thousand of them take some ten milliseconds, for which nobody else shall wait.
        yield await asyncio.to_thread(read_lines, lines, number)
        number += len(lines)


async def _whole_lines(stream: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Lines without their ends, some hundreds at a time. Raises: PayloadTooLargeError for one that does not end."""
    lines: list[bytes] = []
    size_bytes, rest = 0, b""
    async for piece in stream:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > LINE_BYTES:
            raise PayloadTooLargeError(f"a line has at most {LINE_BYTES} bytes", limit_bytes=LINE_BYTES)
        for line in whole:
            lines.append(line)
            size_bytes += len(line)
            if len(lines) == _CHUNK_LINES or size_bytes >= _CHUNK_BYTES:
                yield lines
                lines, size_bytes = [], 0
    if rest:
        lines.append(rest)
    if lines:
        yield lines


def read_lines(lines: Sequence[bytes], first: int) -> list[Line | LineError]:
    """Empty lines are passed over, but counted, so that a number is that of the file."""
    return [_line(line, number) for number, line in enumerate(lines, first) if line.strip()]


def _line(raw: bytes, number: int) -> Line | LineError:
    try:
        # Vectors are most of a line's bytes: they are read apart from what must be looked at character by character.
        members = _members.decode(raw)
        vectors = members.pop("vectors", None)
        named = orjson.loads(bytes(vectors)) if vectors is not None else None
        body = parse(b"{%s}" % b",".join(orjson.dumps(name) + b":" + bytes(value) for name, value in members.items()))
        return _document_line(number, body, named or {})
    except msgspec.ValidationError:
        return LineError(number, None, "a line is one JSON object: the fields of a document, and its vectors")
    except (msgspec.DecodeError, ValueError, BadRequestError) as error:
        return LineError(number, None, f"this line cannot be read: {_fault(raw) or error}")


def _fault(raw: bytes) -> str | None:
    """What is wrong with a whole line, in more words; None where nothing is."""
    try:
        parse(raw)
    except (ValueError, BadRequestError) as error:
        return str(error)
    return None


def _document_line(number: int, body: dict[str, Any], vectors: Any) -> Line | LineError:
    document_id = body.pop("document_id", None)
    if document_id is not None and not isinstance(document_id, str):
        return LineError(number, None, "document_id: a text")
    if not isinstance(vectors, dict):
        return LineError(number, document_id, "vectors: an object, by the names of the collection's features")
    if "features" in body:
        return LineError(number, document_id, "features: a line brings its vectors as vectors: {name: numbers}")
    return Line(number, body, vectors, document_id)
