"""A bucket: files come in, objects lie there, batches turn them into documents."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.bucket import BucketObject
from tamis.model.collection import Collection
from tamis.services.data.batches import BatchService
from tamis.services.data.bucket_schema import FILE_TYPES, properties
from tamis.services.data.buckets import BucketDetails, BucketDraft, BucketService
from tamis.services.data.collections import CollectionService
from tamis.services.data.objects import ObjectService
from tamis.services.data.upload_design import UPLOADABLE
from tamis.services.listing import build_query
from tamis.studio.content_kinds import accept_of, kinds_here
from tamis.studio.faces import Face, Faces
from tamis.studio.places import page_number, placed
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_BATCHES = 8
OBJECT_STATUSES = ("DRAFT", "PENDING", "COMPLETED", "FAILED", "CANCELED")


@dataclass(frozen=True, slots=True)
class Row:
    object: BucketObject
    face: Face


async def create(visit: Visit) -> Response:
    """Raises: BadRequestError (kind), ValidationError (name), AlreadyExistsError."""
    kinds = {kind.name: kind for kind in kinds_here(visit)}
    kind = kinds.get(visit.field("kind"))
    if kind is None:
        raise BadRequestError(f"kind: one of {', '.join(kinds)}", field="kind")
    with visit.making("buckets"):
        made = await visit.service(BucketService).create(
            visit.principal, BucketDraft(visit.field("name"), dict(kind.schema))
        )
    return visit.moved(f"/data/buckets/{made.bucket.bucket_id}")


async def show(visit: Visit) -> Response:
    visit, found = await bucket_of(visit)
    if visit.asked("part") == "objects":
        return visit.page("_objects.html", bucket=found.bucket, **await _objects(visit, found))
    holders = [name for name, each in properties(found.bucket.schema).items() if each["type"] in UPLOADABLE]
    batches = await visit.service(BatchService).list(visit.principal, found.bucket.bucket_id, None, _BATCHES, 0)
    return placed(
        visit,
        "bucket.html",
        details=found,
        bucket=found.bucket,
        holders=holders,
        accept=accept_of(_type_of(found, holders)),
        fed=await fed_collections(visit, found.bucket.bucket_id),
        batches=batches,
        **await _objects(visit, found),
    )


async def delete(visit: Visit) -> Response:
    """Raises: ConflictError while a batch of it runs."""
    visit, found = await bucket_of(visit)
    await visit.service(BucketService).delete(visit.principal, found.bucket.bucket_id)
    return visit.moved("/data")


async def bucket_of(visit: Visit) -> tuple[Visit, BucketDetails]:
    """The bucket that the address names. Raises: NotFoundError."""
    identifier = str(visit.request.path_params["bucket_id"])
    return await visit.found("bucket", lambda inside: inside.service(BucketService).get(inside.principal, identifier))


async def fed_collections(visit: Visit, bucket_id: str) -> list[Collection]:
    """Those that take objects straight from the bucket."""
    every = await visit.service(CollectionService).all(visit.principal)
    return [one for one in every if bucket_id in one.source.bucket_ids]


async def _objects(visit: Visit, found: BucketDetails) -> dict[str, Any]:
    """Raises: BadRequestError naming the part of the address."""
    status, page = visit.asked("status"), page_number(visit)
    if status and status not in OBJECT_STATUSES:
        raise BadRequestError(f"status: one of {', '.join(OBJECT_STATUSES)}", field="status")
    matching = {"AND": [{"field": "status", "operator": "eq", "value": status}]} if status else None
    query = build_query(matching, visit.asked("text"), limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    objects = await visit.service(ObjectService).list(visit.principal, found.bucket.bucket_id, query)
    faces = Faces.of(visit)
    return {
        "objects": objects,
        "rows": [Row(one, faces.object(one)) for one in objects.items],
        "statuses": OBJECT_STATUSES,
        "asked": {name: visit.asked(name) for name in ("text", "status") if visit.asked(name)},
        "page_no": page,
        "page_size": PAGE_SIZE,
    }


def _type_of(found: BucketDetails, holders: list[str]) -> str:
    """Of the property that files go into, where there is only one."""
    kinds = {str(properties(found.bucket.schema)[name]["type"]) for name in holders}
    return kinds.pop() if len(kinds) == 1 and kinds <= FILE_TYPES else ""
