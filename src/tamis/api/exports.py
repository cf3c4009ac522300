"""Executions out as files, and in again. Mounted before the saved retrievers, whose paths would take these for
names."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, status

from tamis.api.access import Reader, Writer, service
from tamis.api.bodies import JsonRoute, parse
from tamis.api.schemas.execution import AnonymousExecutionDetail
from tamis.api.schemas.execution_wire import show_anonymous
from tamis.errors import BadRequestError
from tamis.services.records.exports import ExportService

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Exports = Annotated[ExportService, Depends(service(ExportService))]
Documents = Annotated[bool, Query(description="With the contents of the documents that it saw, as far as kept.")]

LEVELS = 250
"""What a file may nest: an answer that is kept nests as deep as a request may, and the file goes around it."""

_SCHEMA = {"type": "object", "description": "An exported execution, `tamis.execution/1`."}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/json": {"schema": _SCHEMA}}}
}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}


@router.get("/executions/{execution_id}/export", response_model=None, responses=_FILE, tags=["anonymous retrievers"])
async def export_anonymous_execution(
    principal: Reader, execution_id: str, exports: Exports, documents: Documents = True
) -> Response:
    """An anonymous execution as one self-contained file, `tamis.execution/1`."""
    return _as_file(execution_id, await exports.export(principal, execution_id, None, documents))


@router.get(
    "/{retriever_id}/executions/{execution_id}/export", response_model=None, responses=_FILE, tags=["retrievers"]
)
async def export_execution(
    principal: Reader, retriever_id: str, execution_id: str, exports: Exports, documents: Documents = True
) -> Response:
    """As for an anonymous execution, of a saved retriever's."""
    return _as_file(execution_id, await exports.export(principal, execution_id, retriever_id, documents))


@router.post(
    "/executions/import", status_code=status.HTTP_201_CREATED, openapi_extra=_BODY, tags=["anonymous retrievers"]
)
async def import_execution(principal: Writer, request: Request, exports: Exports) -> AnonymousExecutionDetail:
    """Store an exported execution under its id, among the anonymous ones, with `execution_mode: imported`."""
    body = await request.body()
    value = await asyncio.to_thread(parse_file, body)
    return show_anonymous(await exports.import_file(principal, value))


def _as_file(execution_id: str, data: bytes) -> Response:
    disposition = f'attachment; filename="{execution_id}.tamis.json"'
    return Response(data, media_type="application/json", headers={"Content-Disposition": disposition})


def parse_file(body: bytes) -> Any:
    """A file's JSON, as nothing has looked at it yet. Raises: BadRequestError."""
    try:
        return parse(body, LEVELS)
    except json.JSONDecodeError as error:
        raise BadRequestError(f"the file is not valid JSON: {error}") from None
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the file cannot be read: {error}") from None
