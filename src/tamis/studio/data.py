"""What a namespace holds: its collections and its buckets, and where to begin while it holds nothing."""

from starlette.responses import Response

from tamis.services.buckets import BucketService
from tamis.services.collections import CollectionService
from tamis.services.listing import ListQuery
from tamis.studio.content_kinds import kinds_here
from tamis.studio.visit import Visit

_MOST = 100


async def show(visit: Visit) -> Response:
    query = ListQuery(search=visit.asked("text") or None, limit=_MOST)
    collections = await visit.service(CollectionService).list(visit.principal, query)
    buckets = await visit.service(BucketService).list(visit.principal, query)
    names = {one.bucket.bucket_id: one.bucket.name for one in buckets.items}
    names |= {one.collection.collection_id: one.collection.name for one in collections.items}
    return visit.page(
        "data.html",
        collections=collections,
        buckets=buckets,
        names=names,
        kinds=kinds_here(visit),
        text=visit.asked("text"),
        most=_MOST,
    )
