"""From a document to the executions that saw it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.sighting import DocumentExecutionsResponse, sightings_model
from tamis.errors import ValidationError
from tamis.services.data.documents import DocumentService
from tamis.services.records.execution_overviews import Cursor
from tamis.services.records.sightings import SightingService

router = APIRouter(prefix="/v1", tags=["lineage"], route_class=JsonRoute)


@router.get("/collections/{collection_id}/documents/{document_id}/executions")
async def list_document_executions(
    principal: Reader,
    collection_id: str,
    document_id: str,
    documents: Annotated[DocumentService, Depends(service(DocumentService))],
    sightings: Annotated[SightingService, Depends(service(SightingService))],
    limit: Annotated[int, Query(ge=1, le=100, description="How many executions at most.")] = 10,
    after: Annotated[str | None, Query(description="The next_cursor of the answer before.")] = None,
) -> DocumentExecutionsResponse:
    """The newest executions that saw the document, with its rank, or the stage that it stopped at.

    Records are looked through from the newest on, ten thousand for an answer; `looked_at` says how many.
    """
    found = await documents.get(principal, collection_id, document_id)
    return sightings_model(await sightings.find(principal, found.document.document_id, limit, _cursor(after)))


def _cursor(after: str | None) -> Cursor | None:
    try:
        return Cursor.read(after) if after else None
    except ValueError:
        raise ValidationError.at(["query", "after"], "the next_cursor of an answer, as it was given") from None
