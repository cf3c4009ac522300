"""Syncs of buckets: what is kept in step with a storage of somebody else's, and what became of each file."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.bucket_sync import BucketSync, FileFilters, FileState, SyncMode
from tamis.services.access.storage_connections import StorageConnectionService
from tamis.services.data.bucket_syncs import BucketSyncService, SyncChange, SyncDraft
from tamis.services.data.buckets import BucketService
from tamis.services.listing import ListQuery
from tamis.studio import fields
from tamis.studio.places import page_number, placed
from tamis.studio.trigger_forms import span
from tamis.studio.visit import Visit

PAGE_SIZE = 20
FILES = 50
_MOST_CHOICES = 1000
_SHORTEST_S, _LONGEST_S = 30, 900


async def index(visit: Visit) -> Response:
    """Of all buckets, or of one. Raises: NotFoundError."""
    at, bucket = page_number(visit), visit.asked("bucket")
    names = await _bucket_names(visit)
    service = visit.service(BucketSyncService)
    every = await (service.list(visit.principal, bucket) if bucket else service.all(visit.principal))
    return visit.page(
        "syncs.html", syncs=every[(at - 1) * PAGE_SIZE : at * PAGE_SIZE], total=len(every), names=names, span=span,
        connections=await _connection_names(visit), bucket=bucket, at=at, page_size=PAGE_SIZE,
    )  # fmt: skip


async def new(visit: Visit) -> Response:
    return placed(
        visit, "new_sync.html", buckets=await _bucket_names(visit), connections=await _connection_names(visit),
        wanted={name: visit.asked(name) for name in ("bucket", "connection", "path")}, shortest_s=_SHORTEST_S,
        longest_s=_LONGEST_S,
    )  # fmt: skip


async def create(visit: Visit) -> Response:
    """Raises: BadRequestError naming the field, and as the service does."""
    bucket = visit.field("bucket")
    if not bucket:
        raise BadRequestError("bucket: choose one; where there is none yet, make one first", field="bucket")
    made = await visit.service(BucketSyncService).create(visit.principal, bucket, _draft(visit))
    return visit.moved(_address(made))


async def show(visit: Visit) -> Response:
    """Raises: NotFoundError, BadRequestError (state)."""
    visit, sync = await _sync_of(visit)
    state, after = visit.asked("state"), visit.asked("after")
    if state and state not in list(FileState):
        raise BadRequestError(f"state: one of {', '.join(FileState)}", field="state")
    files = await visit.service(BucketSyncService).files(
        visit.principal, sync.bucket_id, sync.sync_id, FileState(state) if state else None, after, FILES + 1
    )
    names = await _bucket_names(visit)
    return placed(
        visit, "sync.html", sync=sync, home=_address(sync), bucket=names.get(sync.bucket_id, sync.bucket_id),
        connection=(await _connection_names(visit)).get(sync.connection_id), files=files[:FILES],
        more=files[FILES - 1].path if len(files) > FILES else None, state=state, after=after, states=list(FileState),
        shortest_s=_SHORTEST_S, longest_s=_LONGEST_S, span=span,
    )  # fmt: skip


async def change(visit: Visit) -> Response:
    """How often it looks, and whether what it brings is extracted."""
    visit, sync = await _sync_of(visit)
    change = SyncChange(
        interval_s=_interval_s(visit), submits=visit.field("submits") == "yes", description=visit.field("description")
    )
    await visit.service(BucketSyncService).change(visit.principal, sync.bucket_id, sync.sync_id, change)
    return visit.moved(_address(sync))


async def run(visit: Visit) -> Response:
    """Raises: ConflictError where one is under way or it is paused."""
    visit, sync = await _sync_of(visit)
    return visit.moved(
        _address(await visit.service(BucketSyncService).trigger(visit.principal, sync.bucket_id, sync.sync_id))
    )


async def pause(visit: Visit) -> Response:
    visit, sync = await _sync_of(visit)
    return visit.moved(
        _address(await visit.service(BucketSyncService).pause(visit.principal, sync.bucket_id, sync.sync_id))
    )


async def resume(visit: Visit) -> Response:
    visit, sync = await _sync_of(visit)
    service = visit.service(BucketSyncService)
    if not sync.is_active:
        await service.change(visit.principal, sync.bucket_id, sync.sync_id, SyncChange(is_active=True))
    return visit.moved(_address(await service.resume(visit.principal, sync.bucket_id, sync.sync_id)))


async def delete(visit: Visit) -> Response:
    visit, sync = await _sync_of(visit)
    await visit.service(BucketSyncService).delete(visit.principal, sync.bucket_id, sync.sync_id)
    return visit.moved("/automation/syncs")


async def _sync_of(visit: Visit) -> tuple[Visit, BucketSync]:
    bucket, identifier = (str(visit.request.path_params[name]) for name in ("bucket_id", "sync_id"))
    visit, _ = await visit.found(
        "bucket", lambda inside: inside.service(BucketService).get(inside.principal, bucket)
    )  # fmt: skip
    return visit, await visit.service(BucketSyncService).get(visit.principal, bucket, identifier)


def _address(sync: BucketSync) -> str:
    return f"/automation/syncs/{sync.bucket_id}/{sync.sync_id}"


async def _bucket_names(visit: Visit) -> Mapping[str, str]:
    """By id, in the order of their names."""
    found = await visit.service(BucketService).list(visit.principal, ListQuery(limit=_MOST_CHOICES))
    pairs = [(one.bucket.name, one.bucket.bucket_id) for one in found.items]
    return {bucket_id: name for name, bucket_id in sorted(pairs)}


async def _connection_names(visit: Visit) -> Mapping[str, str]:
    """By id; empty for whoever is no administrator, who sees no connections and may yet be told one's id."""
    if not visit.may_rule:
        return {}
    every = await visit.service(StorageConnectionService).list(await visit.ruling())
    return {one.connection_id: one.name for one in every}


def _draft(visit: Visit) -> SyncDraft:
    if not visit.field("connection"):
        raise BadRequestError(
            "connection: choose one; where there is none yet, an administrator makes one", field="connection"
        )
    values: dict[str, Any] = {
        "connection": visit.field("connection"),
        "source_path": visit.field("path"),
        "mode": fields.choice(visit.field("mode"), "mode", SyncMode),
        "filters": _filters(visit),
        "submits": visit.field("submits") == "yes",
        "keeps_deleted": visit.field("keeps") == "yes",
    }
    seconds = _interval_s(visit)
    return SyncDraft(**values) if seconds is None else SyncDraft(**values, interval_s=seconds)


def _filters(visit: Visit) -> FileFilters | None:
    """Raises: BadRequestError naming the field; of patterns, the service."""
    include, exclude, kinds = (fields.listed(visit.field(name)) for name in ("include", "exclude", "kinds"))
    most = fields.number(visit.field("largest"), "largest", 1e9)
    if not (include or exclude or kinds or most):
        return None
    return FileFilters(include, exclude, kinds, max_size_bytes=None if most is None else round(most * 1_000_000))


def _interval_s(visit: Visit) -> int | None:
    """None where nothing was written. Raises: BadRequestError."""
    return fields.whole(visit.field("seconds"), "seconds", _SHORTEST_S, _LONGEST_S)
