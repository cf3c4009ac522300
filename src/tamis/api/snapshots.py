"""Snapshots of namespaces and collections, and namespaces that are cloned."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, status

from tamis.api.access import Deleter, OrganizationFounder, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.snapshot import (
    CloneNamespaceRequest,
    CloneNamespaceResponse,
    CreateSnapshotRequest,
    ListSnapshotsRequest,
    ListSnapshotsResponse,
    RestoreSnapshotRequest,
    RestoreSnapshotResponse,
    SnapshotResponse,
    included,
    show_clone,
    show_restored,
    show_snapshot,
)
from tamis.services.data.snapshots import SnapshotService

router = APIRouter(route_class=JsonRoute)

Snapshots = Annotated[SnapshotService, Depends(service(SnapshotService))]
_PATH = "/v1/snapshots"


@router.post(_PATH, status_code=status.HTTP_201_CREATED, tags=["snapshots"])
async def create_snapshot(principal: Writer, body: CreateSnapshotRequest, snapshots: Snapshots) -> SnapshotResponse:
    """Of the namespace, or of one collection, as it is at one moment; a task tells when it is whole."""
    made = await snapshots.create(principal, body.snapshot_name, body.collection_identifier, body.description)
    return show_snapshot(made)


@router.post(f"{_PATH}/list", tags=["snapshots"])
async def list_snapshots(
    principal: Reader,
    request: Request,
    snapshots: Snapshots,
    paging: Paging,
    body: ListSnapshotsRequest | None = None,
) -> ListSnapshotsResponse:
    """The namespace's snapshots, newest first where no order is asked for."""
    query = paging.query(body)
    page = await snapshots.list(principal, query)
    return ListSnapshotsResponse(
        pagination=pagination(page, request, query),
        results=[show_snapshot(one) for one in page.items],
        total_count=page.total,
    )


@router.get(f"{_PATH}/{{snapshot_identifier}}", tags=["snapshots"])
async def get_snapshot(principal: Reader, snapshot_identifier: str, snapshots: Snapshots) -> SnapshotResponse:
    """A snapshot by id or name."""
    return show_snapshot(await snapshots.get(principal, snapshot_identifier))


@router.post(f"{_PATH}/{{snapshot_identifier}}/restore", tags=["snapshots"])
async def restore_snapshot(
    principal: Writer, snapshot_identifier: str, body: RestoreSnapshotRequest, snapshots: Snapshots
) -> RestoreSnapshotResponse:
    """Put it back under a new name: a namespace's as a namespace, a collection's beside the others."""
    return show_restored(await snapshots.restore(principal, snapshot_identifier, body.name))


@router.delete(f"{_PATH}/{{snapshot_identifier}}", tags=["snapshots"])
async def delete_snapshot(principal: Deleter, snapshot_identifier: str, snapshots: Snapshots) -> GenericDeleteResponse:
    """With its files; what was made of it stays."""
    await snapshots.delete(principal, snapshot_identifier)
    return GenericDeleteResponse()


@router.post("/v1/namespaces/{namespace_identifier}/clone", tags=["namespaces"])
async def clone_namespace(
    principal: OrganizationFounder, namespace_identifier: str, body: CloneNamespaceRequest, snapshots: Snapshots
) -> CloneNamespaceResponse:
    """Another namespace as this one is: what is defined, or deep with its objects and documents, by a task."""
    wanted = included(body, principal.organization_id)
    made = await snapshots.clone(principal, namespace_identifier, body.namespace_name, wanted, body.description)
    return show_clone(made, body.clone_mode)
