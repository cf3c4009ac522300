"""Search for resources, whatever they are."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tamis.api.access import RetrieverReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.resource import SearchRequest, SearchResponse, show_found
from tamis.services.data.resource_search import ResourceSearch

router = APIRouter(prefix="/v1/resources", tags=["resources"], route_class=JsonRoute)

Resources = Annotated[ResourceSearch, Depends(service(ResourceSearch))]


@router.post("/search")
async def search_resources(principal: RetrieverReader, body: SearchRequest, resources: Resources) -> SearchResponse:
    """The namespace's resources, and the organisation's namespaces, by words of what is said of them."""
    page = await resources.search(principal, body.query, body.resource_types, body.limit, body.offset)
    return SearchResponse(
        limit=page.limit, offset=page.offset, results=[show_found(one) for one in page.items], total=page.total
    )
