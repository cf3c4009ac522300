"""The records of executions, anonymous and of saved retrievers. Mounted before the saved retrievers, whose paths would
take these for names."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from tamis.api.access import Reader, RetrieverReader, service
from tamis.api.answers import json_response, show_detail
from tamis.api.bodies import JsonRoute
from tamis.api.links import links
from tamis.api.paging import Paging
from tamis.api.schemas.execution import (
    AnonymousExecutionDetail,
    ExecutionDetail,
    ListAnonymousExecutionsRequest,
    ListAnonymousExecutionsResponse,
    ListExecutionsRequest,
    ListExecutionsResponse,
)
from tamis.api.schemas.execution_wire import (
    anonymous_query,
    saved_query,
    show_anonymous,
    show_anonymous_page,
    show_saved_page,
)
from tamis.services.records.execution_records import ExecutionRecords

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Records = Annotated[ExecutionRecords, Depends(service(ExecutionRecords))]


@router.post("/executions/list", tags=["anonymous retrievers"])
async def list_anonymous_executions(
    principal: Reader, records: Records, paging: Paging, body: ListAnonymousExecutionsRequest | None = None
) -> ListAnonymousExecutionsResponse:
    """Anonymous executions, newest first."""
    query, count_only = anonymous_query(body or ListAnonymousExecutionsRequest(), paging)
    return show_anonymous_page(await records.list_anonymous(principal, query, count_only))


@router.get("/executions/{execution_id}", tags=["anonymous retrievers"])
async def get_anonymous_execution(principal: Reader, execution_id: str, records: Records) -> AnonymousExecutionDetail:
    """The record of an anonymous execution; a saved retriever's has its own path."""
    return show_anonymous(await records.get_anonymous(principal, execution_id))


@router.post("/{retriever_id}/executions/list", tags=["retrievers"])
async def list_executions(
    principal: RetrieverReader,
    retriever_id: str,
    records: Records,
    paging: Paging,
    body: ListExecutionsRequest | None = None,
) -> ListExecutionsResponse:
    """A saved retriever's executions, newest first where no order is asked for."""
    query, count_only = saved_query(body or ListExecutionsRequest(), paging)
    return show_saved_page(await records.list_saved(principal, retriever_id, query, count_only))


@router.get("/{retriever_id}/executions/{execution_id}", response_model=ExecutionDetail, tags=["retrievers"])
async def get_execution(
    principal: RetrieverReader,
    request: Request,
    retriever_id: str,
    execution_id: str,
    records: Records,
    return_urls: bool | None = None,
) -> Response:
    """The record of a saved retriever's execution, with the documents that it returned as they are now.

    With `return_urls`, they have links to their files, made for this answer.
    """
    found = await records.get_saved(principal, retriever_id, execution_id)
    return json_response(show_detail(found, links(request, principal, return_urls)))
