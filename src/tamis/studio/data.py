"""What a namespace holds: its collections and its buckets, and where to begin while it holds nothing."""

from starlette.responses import Response

from tamis.services.data.buckets import BucketService
from tamis.services.data.collections import CollectionService
from tamis.services.listing import ListQuery
from tamis.studio.content_kinds import kinds_here
from tamis.studio.lineage import names_of
from tamis.studio.places import page_number
from tamis.studio.visit import Visit

PAGE_SIZE = 20


async def show(visit: Visit) -> Response:
    text, at = visit.asked("text"), page_number(visit, "collections")
    buckets_at = page_number(visit, "buckets")
    collections = await visit.service(CollectionService).list(visit.principal, _query(text, at))
    buckets = await visit.service(BucketService).list(visit.principal, _query(text, buckets_at))
    names = {one.bucket.bucket_id: one.bucket.name for one in buckets.items} | await names_of(visit)
    return visit.page(
        "data.html",
        collections=collections,
        buckets=buckets,
        names=names,
        kinds=kinds_here(visit),
        text=text,
        collections_at=at,
        buckets_at=buckets_at,
        page_size=PAGE_SIZE,
    )


def _query(text: str, page: int) -> ListQuery:
    return ListQuery(search=text or None, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
