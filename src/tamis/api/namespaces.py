"""Namespaces: create, list, get, update, patch, delete."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import OrganizationDeleter, OrganizationFounder, OrganizationReader, OrganizationWriter, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import ListRequest, Paging, pagination
from tamis.api.schemas.namespace import (
    CreateNamespaceRequest,
    ListNamespacesResponse,
    NamespaceModel,
    PatchNamespaceRequest,
    UpdateNamespaceRequest,
    namespace_changes,
    namespace_draft,
    namespace_model,
    namespace_stats,
)
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.services.data.namespaces import NamespaceService

router = APIRouter(prefix="/v1/namespaces", tags=["namespaces"], route_class=JsonRoute)

Namespaces = Annotated[NamespaceService, Depends(service(NamespaceService))]


class ListNamespacesRequest(ListRequest):
    pass


@router.post("")
async def create_namespace(
    principal: OrganizationFounder, body: CreateNamespaceRequest, namespaces: Namespaces
) -> NamespaceModel:
    """Make a namespace; it is ready when this answers."""
    return namespace_model(await namespaces.create(principal, namespace_draft(body)))


@router.post("/list")
async def list_namespaces(
    principal: OrganizationReader,
    request: Request,
    namespaces: Namespaces,
    paging: Paging,
    body: ListNamespacesRequest | None = None,
) -> ListNamespacesResponse:
    """The organisation's namespaces, newest first where no order is asked for."""
    query = paging.query(body)
    page = await namespaces.list(principal, query)
    return ListNamespacesResponse(
        pagination=pagination(page, request, query),
        results=[namespace_model(details) for details in page.items],
        stats=namespace_stats(page.items),
        total_count=page.total,
    )


@router.get("", include_in_schema=False)
async def list_namespaces_as_later_clients_do(
    principal: OrganizationReader, request: Request, namespaces: Namespaces, paging: Paging
) -> ListNamespacesResponse:
    return await list_namespaces(principal, request, namespaces, paging)


@router.get("/{namespace_identifier}")
async def get_namespace(
    principal: OrganizationReader, namespace_identifier: str, namespaces: Namespaces
) -> NamespaceModel:
    """A namespace by id or name."""
    return namespace_model(await namespaces.get(principal, namespace_identifier))


@router.put("/{namespace_identifier}")
async def update_namespace(
    principal: OrganizationWriter, namespace_identifier: str, body: UpdateNamespaceRequest, namespaces: Namespaces
) -> NamespaceModel:
    """Replace the name or the payload indexes."""
    return namespace_model(await namespaces.update(principal, namespace_identifier, namespace_changes(body)))


@router.patch("/{namespace_identifier}")
async def patch_namespace(
    principal: OrganizationWriter, namespace_identifier: str, body: PatchNamespaceRequest, namespaces: Namespaces
) -> NamespaceModel:
    """Change the fields that are sent."""
    return namespace_model(await namespaces.update(principal, namespace_identifier, namespace_changes(body)))


@router.delete("/{namespace_identifier}")
async def delete_namespace(
    principal: OrganizationDeleter, namespace_identifier: str, namespaces: Namespaces
) -> GenericDeleteResponse:
    """Delete a namespace and everything in it: buckets, files, collections, documents, retrievers, executions."""
    namespace = await namespaces.delete(principal, namespace_identifier)
    return GenericDeleteResponse(message=f"deleted namespace {namespace.name}")
