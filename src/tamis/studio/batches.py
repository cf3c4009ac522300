"""A batch on its way: how far it is as it happens, what failed and why, and once more."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from tamis.errors import BadRequestError, NotFoundError
from tamis.model.batch import BatchItem
from tamis.services.data.batch_following import BatchFollowing, BatchStep
from tamis.services.data.batches import TRANSIENT, BatchDetails, BatchService
from tamis.services.data.objects import ObjectService
from tamis.studio.buckets import bucket_of
from tamis.studio.faces import Faces
from tamis.studio.lineage import names_of
from tamis.studio.places import page_number, placed
from tamis.studio.security import HEADERS
from tamis.studio.templating import render
from tamis.studio.visit import Visit

PAGE_SIZE = 50
_MOST_RETRIES = 1000
_MOST_OBJECTS = 100_000


async def create(visit: Visit) -> Response:
    """Extract the objects named, all together; how far that is stands on the page that asked from then on.

    Raises: BadRequestError, ValidationError naming an unknown object, ConflictError where no collection takes them.
    """
    visit, details = await bucket_of(visit)
    batches, bucket_id = visit.service(BatchService), details.bucket.bucket_id
    made = await batches.create(visit.principal, bucket_id, _object_ids(visit.field("objects")))
    await batches.submit(visit.principal, bucket_id, made.batch.batch_id)
    submitted = await batches.get(visit.principal, bucket_id, made.batch.batch_id)
    return visit.page("_batch.html", **await _values(visit, submitted))


async def show(visit: Visit) -> Response:
    visit, details = await bucket_of(visit)
    batch_id, page = _batch_id(visit), page_number(visit)
    batches, bucket_id = visit.service(BatchService), details.bucket.bucket_id
    found = await batches.get(visit.principal, bucket_id, batch_id)
    values = await _values(visit, found)
    if visit.asked("part") == "panel":
        return visit.page("_batch.html", **values)
    failed = await batches.failed(
        visit.principal, bucket_id, batch_id, None, None, PAGE_SIZE, (page - 1) * PAGE_SIZE
    )  # fmt: skip
    return placed(
        visit,
        "batch.html",
        bucket=details.bucket,
        failed=failed,
        titles=await _titles(visit, bucket_id, failed.items),
        groups=[group for groups in found.errors.values() for group in groups],
        transient=TRANSIENT,
        page_no=page,
        page_size=PAGE_SIZE,
        **{**values, "is_batch_page": True},
    )


async def events(visit: Visit) -> Response:
    """Server-sent events: how far it is, now and after each change; the last one says that it has ended."""
    visit, details = await bucket_of(visit)
    following = visit.service(BatchFollowing)
    begun = await following.begin(visit.principal, details.bucket.bucket_id, _batch_id(visit))
    steps = following.follow(visit.principal, details.bucket.bucket_id, begun)
    headers = {**HEADERS, "x-accel-buffering": "no"}
    return StreamingResponse(_written(visit, steps), headers=headers, media_type="text/event-stream")


async def retry(visit: Visit) -> Response:
    """Raises: ConflictError while it runs."""
    visit, details = await bucket_of(visit)
    batch_id = _batch_id(visit)
    await visit.service(BatchService).retry(
        visit.principal, details.bucket.bucket_id, batch_id, visit.field("which") != "transient", None, _MOST_RETRIES
    )
    return visit.moved(f"/data/buckets/{details.bucket.bucket_id}/batches/{batch_id}")


async def cancel(visit: Visit) -> Response:
    """Raises: ConflictError where it is over already."""
    visit, details = await bucket_of(visit)
    batch_id = _batch_id(visit)
    await visit.service(BatchService).cancel(visit.principal, details.bucket.bucket_id, batch_id)
    return visit.moved(f"/data/buckets/{details.bucket.bucket_id}/batches/{batch_id}")


async def _written(visit: Visit, steps: AsyncGenerator[BatchStep | None, None]) -> AsyncGenerator[bytes, None]:
    draw = partial(_drawn, visit)
    async with aclosing(steps):
        async for step in steps:
            if step is None:
                yield b": the batch goes on\n\n"
            else:
                yield b"data: %s\n\n" % orjson.dumps({"html": draw(step), "is_final": step.status.is_final})


def _drawn(visit: Visit, step: BatchStep) -> str:
    values = {"t": visit.language, "progress": step.progress, "state": step.status, "error": step.error}
    return render("_progress.html", values)


async def _values(visit: Visit, found: BatchDetails) -> dict[str, Any]:
    batch = found.batch
    return {
        "batch": batch,
        "progress": found.progress,
        "state": batch.status,
        "error": batch.error,
        "address": f"/data/buckets/{batch.bucket_id}/batches/{batch.batch_id}",
        "names": await names_of(visit),
        "is_batch_page": False,
        "is_running": not batch.status.is_final and batch.task_id is not None,
    }


async def _titles(visit: Visit, bucket_id: str, items: Sequence[BatchItem]) -> dict[str, str]:
    """What people call the sources that failed, by id; those that are gone, and documents, keep their ids."""
    faces, objects, titles = Faces.of(visit), visit.service(ObjectService), dict[str, str]()
    for object_id in {one.source_id for one in items}:
        try:
            titles[object_id] = faces.object(await objects.get(visit.principal, bucket_id, object_id)).title
        except NotFoundError:
            continue
    return titles


def _batch_id(visit: Visit) -> str:
    return str(visit.request.path_params["batch_id"])


def _object_ids(text: str) -> list[str]:
    """Raises: BadRequestError."""
    try:
        ids = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:
        ids = None
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise BadRequestError("objects: a JSON list of ids of objects", field="objects")
    if len(ids) > _MOST_OBJECTS:
        raise BadRequestError(f"objects: at most {_MOST_OBJECTS:,} at once", field="objects")
    return ids
