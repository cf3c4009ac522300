"""Saved retrievers. Literal paths below `/retrievers` belong to `executions` and `stages`, which are mounted first."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, status

from tamis.api.access import Deleter, RetrieverReader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.retriever import (
    CloneRetrieverRequest,
    CloneRetrieverResponse,
    CreateRetrieverRequest,
    CreateRetrieverResponse,
    DroppedCache,
    ListRetrieversRequest,
    ListRetrieversResponse,
    PatchRetrieverRequest,
    PatchRetrieverResponse,
    RetrieverModel,
)
from tamis.api.schemas.retriever_wire import read_changes, read_draft, show_config, show_retriever
from tamis.services.runs.retrievers import RetrieverService

router = APIRouter(prefix="/v1/retrievers", tags=["retrievers"], route_class=JsonRoute)

Retrievers = Annotated[RetrieverService, Depends(service(RetrieverService))]


@router.post("")
async def create_retriever(
    principal: Writer, body: CreateRetrieverRequest, retrievers: Retrievers
) -> CreateRetrieverResponse:
    """Save a pipeline, checked as it would be before a run."""
    config = show_config(await retrievers.create(principal, read_draft(body)))
    return CreateRetrieverResponse(retriever=config, **dict(config))


@router.post("/list")
async def list_retrievers(
    principal: RetrieverReader,
    request: Request,
    retrievers: Retrievers,
    paging: Paging,
    body: ListRetrieversRequest | None = None,
) -> ListRetrieversResponse:
    """The namespace's retrievers, newest first where no order is asked for."""
    query = paging.query(body)
    page = await retrievers.list(principal, query)
    published = await retrievers.published_ids(principal)
    shown = [show_retriever(retriever, retriever.retriever_id in published) for retriever in page.items]
    return ListRetrieversResponse(
        retrievers=shown, results=shown, total=page.total, pagination=pagination(page, request, query)
    )


@router.get("", include_in_schema=False)
async def list_retrievers_as_later_clients_do(
    principal: RetrieverReader, request: Request, retrievers: Retrievers, paging: Paging
) -> ListRetrieversResponse:
    return await list_retrievers(principal, request, retrievers, paging)


@router.get("/{retriever_id}")
async def get_retriever(principal: RetrieverReader, retriever_id: str, retrievers: Retrievers) -> RetrieverModel:
    """A retriever by id or name."""
    found = await retrievers.get(principal, retriever_id)
    return show_retriever(found, found.retriever_id in await retrievers.published_ids(principal))


@router.patch("/{retriever_id}")
async def patch_retriever(
    principal: Writer, retriever_id: str, body: PatchRetrieverRequest, retrievers: Retrievers
) -> PatchRetrieverResponse:
    """Change what is sent; a change to what is run makes the next version."""
    changed = await retrievers.patch(principal, retriever_id, read_changes(body))
    return PatchRetrieverResponse(retriever=show_config(changed))


@router.delete("/{retriever_id}/cache")
async def drop_retriever_cache(principal: Writer, retriever_id: str, retrievers: Retrievers) -> DroppedCache:
    """Let no answer that was kept for this retriever be given again. A write of documents needs no such call."""
    dropped = await retrievers.drop_cache(principal, retriever_id)
    return DroppedCache(retriever_id=dropped.retriever_id, last_invalidated_at=dropped.updated_at)


@router.delete("/{retriever_id}")
async def delete_retriever(principal: Deleter, retriever_id: str, retrievers: Retrievers) -> GenericDeleteResponse:
    """Delete a retriever; its executions' records stay."""
    await retrievers.delete(principal, retriever_id)
    return GenericDeleteResponse()


@router.post("/{retriever_id}/clone", status_code=status.HTTP_201_CREATED)
async def clone_retriever(
    principal: Writer, retriever_id: str, body: CloneRetrieverRequest, retrievers: Retrievers
) -> CloneRetrieverResponse:
    """Copy a retriever under a new name; what is sent stands over the source's."""
    clone, source_id = await retrievers.clone(principal, retriever_id, read_changes(body))
    return CloneRetrieverResponse(retriever=show_config(clone), source_retriever_id=source_id)
