"""Open retrievers to the public. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import Deleter, OrganizationReader, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.display import DisplayConfig
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.published import (
    OrganizationPublishStatsResponse,
    PublicNameAvailabilityResponse,
    PublishedList,
    PublishedRetriever,
    PublishedRetrieverResponse,
    PublishRetrieverRequest,
    PublishRetrieverResponse,
    RetrieverMetadata,
    UpdatePublishedRetrieverRequest,
    read_limits,
    show_limits,
)
from tamis.api.schemas.published_wire import describe, public_url
from tamis.services.public.publishing import Publication, PublishingService, Shown

router = APIRouter(prefix="/v1/retrievers", tags=["published retrievers"], route_class=JsonRoute)

Publishing = Annotated[PublishingService, Depends(service(PublishingService))]
_RENAMED = {"display_config": "display", "include_metadata": "shows_stages", "share_template": "shares_template"}
_CLEARED_BY_NULL = frozenset({"password_secret_name"})


@router.get("/publish/stats")
async def get_publish_stats(principal: OrganizationReader, publishing: Publishing) -> OrganizationPublishStatsResponse:
    """How many retrievers the organisation has published, and how many it may."""
    stats = await publishing.stats(principal)
    return OrganizationPublishStatsResponse(
        at_limit=stats.count >= stats.most,
        current_count=stats.count,
        max_allowed=stats.most,
        remaining=max(0, stats.most - stats.count),
    )


@router.get("/published")
async def list_published_retrievers(
    principal: Reader,
    publishing: Publishing,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> PublishedList:
    """The namespace's published retrievers, newest first."""
    page = await publishing.list(principal, limit, offset)
    return PublishedList(limit=limit, offset=offset, results=[_shown(one) for one in page.items], total=page.total)


@router.post("/{retriever_id}/publish")
async def publish_retriever(
    principal: Writer, request: Request, retriever_id: str, body: PublishRetrieverRequest, publishing: Publishing
) -> PublishRetrieverResponse:
    """Open a retriever to everybody under a name of its own. Only its exposed fields leave."""
    asked = Publication(
        name=body.public_name,
        display=body.display_config.model_dump(mode="json") if body.display_config else None,
        limits=read_limits(body.rate_limit_config),
        password=body.password,
        password_secret_name=body.password_secret_name,
        allowed_origins=tuple(body.allowed_origins or ()),
        shows_stages=body.include_metadata,
        shares_template=bool(body.share_template),
    )
    published = (await publishing.publish(principal, retriever_id, asked)).published
    url = public_url(request, published.name)
    return PublishRetrieverResponse(
        public_api_key=published.public_key,
        public_id=published.public_id,
        public_url=url,
        retriever_id=published.retriever_id,
        short_url=url,
    )


@router.get("/{retriever_id}/publish")
async def get_published_retriever(
    principal: Reader, retriever_id: str, publishing: Publishing
) -> PublishedRetrieverResponse:
    """How a retriever is published; 404 where it is not."""
    return _shown(await publishing.get(principal, retriever_id))


@router.patch("/{retriever_id}/publish")
async def update_published_retriever(
    principal: Writer, retriever_id: str, body: UpdatePublishedRetrieverRequest, publishing: Publishing
) -> PublishedRetriever:
    """Change what is sent; its public name and key stay."""
    shown = await publishing.update(principal, retriever_id, _changes(body))
    published = shown.published
    return PublishedRetriever(
        allowed_origins=list(published.allowed_origins),
        created_at=published.created_at,
        display_config=DisplayConfig.model_validate(published.display),
        is_active=published.is_active,
        namespace_id=principal.namespace_id,
        password_secret_name=published.password_secret_name,
        public_api_key=published.public_key,
        public_id=published.public_id,
        public_name=published.name,
        rate_limit_config=show_limits(published.limits),
        retriever_id=published.retriever_id,
        retriever_metadata=_metadata(shown),
        retriever_name=shown.retriever.name,
        share_template=published.shares_template,
        updated_at=published.updated_at,
    )


@router.delete("/{retriever_id}/publish")
async def unpublish_retriever(principal: Deleter, retriever_id: str, publishing: Publishing) -> GenericDeleteResponse:
    """Close it to the public at once; its name is free again, and its executions' records stay."""
    await publishing.unpublish(principal, retriever_id)
    return GenericDeleteResponse(message="unpublished")


@router.get("/{retriever_id}/publish/availability")
async def check_name_availability(
    principal: Reader, retriever_id: str, publishing: Publishing, name: Annotated[str, Query(max_length=255)]
) -> PublicNameAvailabilityResponse:
    """Whether a public name is still free on this server."""
    available = await publishing.is_available(principal, retriever_id, name)
    return PublicNameAvailabilityResponse(available=available, name=name)


def _changes(body: UpdatePublishedRetrieverRequest) -> dict[str, Any]:
    sent = {
        name: getattr(body, name)
        for name in body.model_fields_set
        if getattr(body, name) is not None or name in _CLEARED_BY_NULL
    }
    changes = {_RENAMED.get(name, name): value for name, value in sent.items()}
    if "rate_limit_config" in changes:
        changes["limits"] = read_limits(changes.pop("rate_limit_config"))
    if "display" in changes:
        changes["display"] = changes["display"].model_dump(mode="json")
    if "allowed_origins" in changes:
        changes["allowed_origins"] = tuple(changes["allowed_origins"])
    return changes


def _shown(shown: Shown) -> PublishedRetrieverResponse:
    published = shown.published
    return PublishedRetrieverResponse(
        allowed_origins=list(published.allowed_origins),
        created_at=published.created_at,
        display_config=DisplayConfig.model_validate(published.display),
        is_active=published.is_active,
        password_protected=published.password_hash is not None,
        public_api_key=published.public_key,
        public_id=published.public_id,
        public_name=published.name,
        rate_limit_config=show_limits(published.limits),
        retriever_id=published.retriever_id,
        retriever_metadata=_metadata(shown),
        share_template=published.shares_template,
        updated_at=published.updated_at,
    )


def _metadata(shown: Shown) -> RetrieverMetadata | None:
    return describe(shown.retriever) if shown.published.shows_stages else None
