"""A collection's documents as a file."""

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute, parse
from tamis.api.departure import while_connected
from tamis.errors import BadRequestError, ValidationError
from tamis.model.filters import Filter, parse_filter
from tamis.model.matching import check_filter
from tamis.services.data.document_exports import DocumentExports, Wanted
from tamis.services.data.document_tables import TableFile

router = APIRouter(tags=["documents"], route_class=JsonRoute)

_PIECE_BYTES = 1 << 20
_LINES, _TABLE = "application/x-ndjson", "application/vnd.apache.parquet"
_DOCUMENTS = "Documents by id, one a line with its end, as an import takes them."
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            _LINES: {"schema": {"type": "string", "description": _DOCUMENTS}},
            _TABLE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

Exports = Annotated[DocumentExports, Depends(service(DocumentExports))]


class ExportFormat(StrEnum):
    JSONL = "jsonl"
    PARQUET = "parquet"


@router.get(
    "/v1/collections/{collection_identifier}/documents/export",
    response_model=None,
    response_class=Response,
    responses=_FILE,
)
async def export_documents(
    principal: Reader,
    collection_identifier: str,
    request: Request,
    exports: Exports,
    format: Annotated[ExportFormat, Query(description="JSON lines, or a Parquet table.")] = ExportFormat.JSONL,
    vectors: Annotated[bool, Query(description="With their vectors.")] = True,
    filters: Annotated[str | None, Query(description="As a list of documents takes them, as JSON.")] = None,
    after: Annotated[
        str | None, Query(description="Only documents with a greater id: goes on behind a file's last line.")
    ] = None,
) -> Response:
    """All documents of a collection, or those that the filters let in, by id. An import of them gives the same again.

    JSON lines are sent as they are read, a table once it is whole.
    """
    wanted = Wanted(_filter(filters), vectors, after or "")
    if format is ExportFormat.JSONL:
        lines = await exports.lines(principal, collection_identifier, wanted)
        return StreamingResponse(lines.pieces, media_type=_LINES, headers=_named(lines.collection_id, "jsonl"))
    if after is not None:
        raise ValidationError.at(["query", "after"], "goes with format=jsonl: a table is made whole")
    table = await while_connected(request, exports.table(principal, collection_identifier, wanted))
    headers = {**_named(table.collection_id, "parquet"), "Content-Length": str(table.size_bytes)}
    return StreamingResponse(_pieces(table), media_type=_TABLE, headers=headers)


async def _pieces(table: TableFile) -> AsyncIterator[bytes]:
    with table.file as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece


def _named(collection_id: str, kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{collection_id}.{kind}"'}


def _filter(text: str | None) -> Filter | None:
    if text is None:
        return None
    try:
        raw = parse(text.encode())
    except (ValueError, BadRequestError) as error:
        raise ValidationError.at(["query", "filters"], f"a filter as JSON: {error}") from None
    if not isinstance(raw, dict):
        raise ValidationError.at(["query", "filters"], 'an object, as {"field": "price", "operator": "lt", "value": 9}')
    found = parse_filter(raw, ["query", "filters"])
    check_filter(found, ["query", "filters"])
    return found
