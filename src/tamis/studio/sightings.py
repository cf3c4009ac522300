"""A document's executions: which of them saw it, and what became of it there."""

from starlette.responses import Response

from tamis.services.data.documents import DocumentService
from tamis.services.records.sightings import SightingService
from tamis.studio.collections import collection_of
from tamis.studio.executions import cursor_of
from tamis.studio.faces import Faces
from tamis.studio.places import placed
from tamis.studio.visit import Visit

PAGE_SIZE = 10


async def show(visit: Visit) -> Response:
    """A page of its own, or the part that a document's page asks for once it stands."""
    visit, details = await collection_of(visit)
    collection, document_id = details.collection, str(visit.request.path_params["document_id"])
    document = (
        await visit.service(DocumentService).get(visit.principal, collection.collection_id, document_id)
    ).document
    found = await visit.service(SightingService).find(
        visit.principal, document_id, PAGE_SIZE, cursor_of(visit.asked("after"))
    )
    address = f"/data/collections/{collection.collection_id}/documents/{document_id}"
    return placed(
        visit,
        "_seen.html" if visit.is_partial else "seen.html",
        collection=collection,
        document=document,
        title=Faces.of(visit).document(document).title,
        found=found,
        address=address,
        more=f"{address}/executions?after={found.more.text}" if found.more else None,
        is_first=not visit.asked("after"),
    )
