"""Connections to storages of others, which buckets are kept in step with."""

import mimetypes
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.storage_connection import (
    ListFilesResponse,
    ListFoldersResponse,
    ListStorageConnectionsRequest,
    StorageConnectionCreateRequest,
    StorageConnectionListResponse,
    StorageConnectionModel,
    StorageConnectionTestResponse,
    StorageConnectionUpdateRequest,
    read_change,
    read_draft,
    show_connection,
    show_file,
    show_folder,
)
from tamis.model.page import Page
from tamis.services.access.storage_connections import StorageConnectionService

router = APIRouter(prefix="/v1/organizations/connections", tags=["storage connections"], route_class=JsonRoute)

Connections = Annotated[StorageConnectionService, Depends(service(StorageConnectionService))]
Path = Annotated[str, Query(max_length=1024)]


@router.post("")
async def create_storage_connection(
    principal: OrganizationAdmin, body: StorageConnectionCreateRequest, connections: Connections
) -> StorageConnectionModel:
    """Connect an S3-compatible store, Google Cloud Storage, Azure Blob Storage, or a folder of the server's machine."""
    made = await connections.create(principal, body.provider_type, read_draft(body), body.test_before_save)
    return show_connection(made, principal.organization_id)


@router.post("/list")
async def list_storage_connections(
    principal: OrganizationAdmin,
    request: Request,
    connections: Connections,
    paging: Paging,
    body: ListStorageConnectionsRequest | None = None,
) -> StorageConnectionListResponse:
    """The organisation's connections, newest first."""
    query, asked = paging.query(), body or ListStorageConnectionsRequest()
    found = [one for one in await connections.list(principal) if asked.fits(one)]
    page = Page(found[query.offset : query.offset + query.limit], len(found), query.limit, query.offset)
    shown = [show_connection(one, principal.organization_id) for one in page.items]
    return StorageConnectionListResponse(results=shown, pagination=pagination(page, request, query), total=page.total)


@router.get("/{connection_identifier}")
async def get_storage_connection(
    principal: OrganizationAdmin, connection_identifier: str, connections: Connections
) -> StorageConnectionModel:
    """A connection by id or name, without its credentials."""
    return show_connection(await connections.get(principal, connection_identifier), principal.organization_id)


@router.patch("/{connection_identifier}")
async def update_storage_connection(
    principal: OrganizationAdmin,
    connection_identifier: str,
    body: StorageConnectionUpdateRequest,
    connections: Connections,
) -> StorageConnectionModel:
    """Rename it, suspend it, or give it other credentials."""
    changed = await connections.change(principal, connection_identifier, read_change(body))
    return show_connection(changed, principal.organization_id)


@router.delete("/{connection_identifier}")
async def delete_storage_connection(
    principal: OrganizationAdmin, connection_identifier: str, connections: Connections
) -> dict[str, str]:
    """Forget it and its credentials. Syncs that use it stop; what they brought stays."""
    found = await connections.delete(principal, connection_identifier)
    return {"connection_id": found.connection_id, "message": f"the connection {found.name!r} was deleted"}


@router.post("/{connection_identifier}/test")
async def test_storage_connection(
    principal: OrganizationAdmin, connection_identifier: str, connections: Connections
) -> StorageConnectionTestResponse:
    """Whether the storage lets it in now."""
    found = await connections.test(principal, connection_identifier)
    return StorageConnectionTestResponse(success=found.success, message=found.message)


@router.get("/{connection_identifier}/folders")
async def list_connection_folders(
    principal: OrganizationAdmin, connection_identifier: str, connections: Connections, path: Path = "/"
) -> ListFoldersResponse:
    """Folders directly below a path, which begins with a bucket where the storage has buckets."""
    found = await connections.folder(principal, connection_identifier, path)
    return ListFoldersResponse(folders=[show_folder(one) for one in found.folders], parent_path=path)


@router.get("/{connection_identifier}/files")
async def list_connection_files(
    principal: OrganizationAdmin,
    connection_identifier: str,
    connections: Connections,
    path: Path = "/",
    max_results: Annotated[int, Query(ge=1, le=100)] = 50,
) -> ListFilesResponse:
    """Files directly in a folder, by name."""
    found = await connections.folder(principal, connection_identifier, path, max_results)
    files = [show_file(one, mimetypes.guess_type(one.name)[0] or "application/octet-stream") for one in found.files]
    return ListFilesResponse(files=files, has_more=not found.is_whole, path=path)
