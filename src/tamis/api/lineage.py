"""Where documents come from, and what became of objects."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.lineage import decomposition_model, lineage_model, object_documents_model
from tamis.services.data.lineage import LineageService

router = APIRouter(prefix="/v1", tags=["lineage"], route_class=JsonRoute)

Lineages = Annotated[LineageService, Depends(service(LineageService))]


@router.get("/collections/{collection_id}/documents/{document_id}/lineage")
async def get_document_lineage(
    principal: Reader, collection_id: str, document_id: str, lineages: Lineages
) -> dict[str, Any]:
    """The chain from the object at the root to this document, and what was made of it."""
    return lineage_model(await lineages.lineage(principal, collection_id, document_id))


@router.get("/objects/{object_id}/documents")
async def get_object_documents(
    principal: Reader,
    object_id: str,
    lineages: Lineages,
    collection_ids: Annotated[list[str] | None, Query()] = None,
) -> dict[str, Any]:
    """All documents that go back to an object, in any collection."""
    return object_documents_model(object_id, await lineages.documents_of(principal, object_id, collection_ids))


@router.get("/objects/{object_id}/decomposition-tree")
async def get_decomposition_tree(
    principal: Reader, object_id: str, lineages: Lineages, include_document_ids: bool = False
) -> dict[str, Any]:
    """What became of an object, as a tree of collections."""
    return decomposition_model(await lineages.decomposition(principal, object_id), include_document_ids)
