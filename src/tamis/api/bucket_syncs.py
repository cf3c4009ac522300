"""Syncs: buckets kept in step with folders of storages that a connection leads to."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.bucket_sync import (
    ListSyncConfigurationsRequest,
    SyncConfigurationModel,
    SyncCreateRequest,
    SyncDeleteResponse,
    SyncedFilesResponse,
    SyncListResponse,
    SyncTriggerResponse,
    SyncUpdateRequest,
    read_sync,
    read_sync_change,
    show_sync,
    show_synced_file,
)
from tamis.model.bucket_sync import FileState
from tamis.model.page import Page
from tamis.services.data.bucket_syncs import BucketSyncService

router = APIRouter(prefix="/v1/buckets/{bucket_id}/syncs", tags=["bucket syncs"], route_class=JsonRoute)

Syncs = Annotated[BucketSyncService, Depends(service(BucketSyncService))]


@router.post("")
async def create_sync_configuration(
    principal: Writer, bucket_id: str, body: SyncCreateRequest, syncs: Syncs
) -> SyncConfigurationModel:
    """Keep this bucket in step with what lies below a path of a storage; the first run begins at once."""
    return show_sync(await syncs.create(principal, bucket_id, read_sync(body)), principal)


@router.post("/list")
async def list_sync_configurations(
    principal: Reader,
    request: Request,
    bucket_id: str,
    syncs: Syncs,
    paging: Paging,
    body: ListSyncConfigurationsRequest | None = None,
) -> SyncListResponse:
    """The bucket's syncs, newest first."""
    query, asked = paging.query(), body or ListSyncConfigurationsRequest()
    found = [one for one in await syncs.list(principal, bucket_id) if asked.fits(one)]
    page = Page(found[query.offset : query.offset + query.limit], len(found), query.limit, query.offset)
    shown = [show_sync(one, principal) for one in page.items]
    return SyncListResponse(results=shown, pagination=pagination(page, request, query), total=page.total)


@router.get("/{sync_config_id}")
async def get_sync_configuration(
    principal: Reader, bucket_id: str, sync_config_id: str, syncs: Syncs
) -> SyncConfigurationModel:
    """What it brings, how its runs went, and when the next one begins."""
    return show_sync(await syncs.get(principal, bucket_id, sync_config_id), principal)


@router.patch("/{sync_config_id}")
async def update_sync_configuration(
    principal: Writer, bucket_id: str, sync_config_id: str, body: SyncUpdateRequest, syncs: Syncs
) -> SyncConfigurationModel:
    """Change how often it looks, or stop it."""
    return show_sync(await syncs.change(principal, bucket_id, sync_config_id, read_sync_change(body)), principal)


@router.delete("/{sync_config_id}")
async def delete_sync_configuration(
    principal: Deleter, bucket_id: str, sync_config_id: str, syncs: Syncs
) -> SyncDeleteResponse:
    """Keep the bucket in step no more; the objects that it brought stay."""
    await syncs.delete(principal, bucket_id, sync_config_id)
    return SyncDeleteResponse(sync_config_id=sync_config_id, message="the sync was deleted; its objects stay")


@router.post("/{sync_config_id}/pause")
async def pause_sync_configuration(
    principal: Writer, bucket_id: str, sync_config_id: str, syncs: Syncs
) -> SyncConfigurationModel:
    """No run begins until it is resumed; one under way goes on to its end."""
    return show_sync(await syncs.pause(principal, bucket_id, sync_config_id), principal)


@router.post("/{sync_config_id}/resume")
async def resume_sync_configuration(
    principal: Writer, bucket_id: str, sync_config_id: str, syncs: Syncs
) -> SyncConfigurationModel:
    """Go on; only what has changed since is read."""
    return show_sync(await syncs.resume(principal, bucket_id, sync_config_id), principal)


@router.post("/{sync_config_id}/trigger")
async def trigger_sync_configuration(
    principal: Writer, bucket_id: str, sync_config_id: str, syncs: Syncs
) -> SyncTriggerResponse:
    """Begin a run now."""
    begun = await syncs.trigger(principal, bucket_id, sync_config_id)
    return SyncTriggerResponse(
        status=begun.status, sync_config_id=begun.sync_id, sync_job_id=begun.run_id or "", task_id=begun.task_id or ""
    )


@router.get("/{sync_config_id}/files")
async def list_synced_files(
    principal: Reader,
    bucket_id: str,
    sync_config_id: str,
    syncs: Syncs,
    state: FileState | None = None,
    after: Annotated[str, Query(max_length=2048)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> SyncedFilesResponse:
    """What became of each file, by path: the object that it is, or why it is none."""
    found = await syncs.files(principal, bucket_id, sync_config_id, state, after, limit)
    following = found[-1].path if len(found) == limit else None
    return SyncedFilesResponse(files=[show_synced_file(one) for one in found], next_after=following)
