"""The search for resources on the wire."""

from datetime import datetime

from pydantic import BaseModel, Field

from tamis.services.data.resource_search import Found, ResourceKind


class SearchRequest(BaseModel):
    """query: words, each of which has to be there.  resource_types: left out, of every kind."""

    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=2**31 - 1)
    query: str = Field(..., min_length=1, max_length=1000)
    resource_types: list[ResourceKind] | None = Field(None, max_length=100)


class SearchResultItem(BaseModel):
    created_at: datetime
    description: str | None = None
    resource_id: str
    resource_name: str
    resource_type: ResourceKind
    updated_at: datetime | None = None


class SearchResponse(BaseModel):
    limit: int = Field(..., ge=1, le=100)
    offset: int = Field(..., ge=0)
    results: list[SearchResultItem]
    total: int = Field(..., ge=0)


def show_found(found: Found) -> SearchResultItem:
    return SearchResultItem(
        created_at=found.created_at,
        description=found.description,
        resource_id=found.resource_id,
        resource_name=found.name,
        resource_type=found.kind,
        updated_at=found.updated_at,
    )
