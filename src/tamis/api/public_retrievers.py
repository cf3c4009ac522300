"""Published retrievers for their visitors: no API key comes here, and nothing leaves but what is exposed."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from tamis.api.access import service
from tamis.api.answers import json_response
from tamis.api.bodies import JsonRoute
from tamis.api.departure import while_connected
from tamis.api.schemas.display import DisplayConfig
from tamis.api.schemas.interaction import interaction_fields
from tamis.api.schemas.public_retriever import (
    ListPublicRetrieversResponse,
    PublicExecutionAnswer,
    PublicInteractionBatchRequest,
    PublicInteractionRequest,
    PublicRetrieverConfigResponse,
    PublicRetrieverListItem,
    PublicRetrieverListStats,
    PublicRetrieverTemplateResponse,
    RetrieverExecutionRequest,
    TrackedInteractions,
    VerifyPasswordRequest,
    VerifyPasswordResponse,
)
from tamis.api.schemas.published_wire import PUBLIC_PATH, describe, public_url
from tamis.api.schemas.retriever_wire import show_config
from tamis.api.visitors import LOOKED, Telling, Visiting, narrowed, tell, visitor_of
from tamis.errors import ForbiddenError, ValidationError
from tamis.model.published import PublishedRetriever
from tamis.services.data.blob_links import BlobLinks
from tamis.services.public.exposure import Link, exposed
from tamis.services.public.public_retrievers import Answered, Door, PublicRetrievers, Visit

router = APIRouter(prefix=PUBLIC_PATH, tags=["public retrievers"], route_class=JsonRoute)

Public = Annotated[PublicRetrievers, Depends(service(PublicRetrievers))]
_ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": PublicExecutionAnswer}}


@router.get("/", dependencies=[LOOKED])
async def list_public_retrievers(
    request: Request,
    public: Public,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    include_inactive: bool = False,
    search: Annotated[str | None, Query(max_length=200)] = None,
) -> ListPublicRetrieversResponse:
    """What this server shows to everybody, newest first. One that is not active is shown to nobody here."""
    found = await public.directory(search, page_size, (page - 1) * page_size)
    return ListPublicRetrieversResponse(
        page=page,
        page_size=page_size,
        results=[_item(request, one) for one in found.page.items],
        stats=PublicRetrieverListStats(
            total_active=found.open + found.locked, total_open=found.open, total_password_protected=found.locked
        ),
        total_count=found.page.total,
        total_pages=-(-found.page.total // page_size),
    )


@router.get("/{public_name}/config", dependencies=[LOOKED])
async def get_public_retriever_config(public_name: str, public: Public) -> PublicRetrieverConfigResponse:
    """What a page needs to show itself and to ask: how it looks, its inputs, its public key."""
    door = await public.find(public_name)
    published = door.published
    return PublicRetrieverConfigResponse(
        display_config=DisplayConfig.model_validate(published.display),
        password_protected=published.password_hash is not None,
        public_api_key=published.public_key,
        public_name=published.name,
        retriever_metadata=describe(await public.behind(door)) if published.shows_stages else None,
    )


@router.post("/{public_name}/verify")
async def verify_password(
    request: Request, public_name: str, body: VerifyPasswordRequest, public: Public
) -> VerifyPasswordResponse:
    """Whether this is the password; if so, a grant that stands for it for an hour."""
    door, grant, expires = await public.unlock(public_name, body.password, visitor_of(request))
    return VerifyPasswordResponse(
        expires_at=datetime.fromtimestamp(expires, UTC) if grant else None,
        grant=grant,
        public_api_key=door.published.public_key if grant else None,
        valid=grant is not None,
    )


@router.post("/{public_name}/execute", response_model=None, responses=_ANSWER)
async def execute_public_retriever(
    request: Request,
    public_name: str,
    visit: Visiting,
    body: RetrieverExecutionRequest,
    public: Public,
    return_urls: bool = True,
) -> Response:
    """Search. Answers hold the exposed fields of documents, their ids and their scores."""
    if body.stream:
        raise ValidationError.at(["body", "stream"], "published retrievers answer once, whole; leave it out")
    door = await public.find(public_name)
    visit = await narrowed(request, door, visit)
    await _admitted(request, public, door, visit)
    answered = await while_connected(request, public.execute(door, visit, body.inputs, body.page()))
    return json_response(_answer(request, answered, return_urls), {"Cache-Control": "no-store"})


@router.post("/{public_name}/interactions")
async def track_interaction(
    request: Request, public_name: str, visit: Telling, body: PublicInteractionRequest, public: Public
) -> TrackedInteractions:
    """Tell what the visitor did with a document that he was shown."""
    return await _tracked(request, public, public_name, visit, [body])


@router.post("/{public_name}/interactions/batch")
async def track_interaction_batch(
    request: Request, public_name: str, visit: Telling, body: PublicInteractionBatchRequest, public: Public
) -> TrackedInteractions:
    """As one interaction, of up to a hundred; all are kept or none."""
    return await _tracked(request, public, public_name, visit, body.interactions)


@router.get("/{public_name}/template", dependencies=[LOOKED])
async def get_public_retriever_template(
    request: Request, public_name: str, public: Public
) -> PublicRetrieverTemplateResponse:
    """The pipeline behind a published retriever, to be made one's own; only where its publisher shares it."""
    door = await public.find(public_name)
    published = door.published
    if not published.shares_template:
        raise ForbiddenError("the publisher of this retriever does not share its pipeline")
    config = show_config(await public.behind(door))
    return PublicRetrieverTemplateResponse(
        budget_limits=config.budget_limits.model_dump(),
        collection_identifiers=[],
        description=config.description,
        display_config=DisplayConfig.model_validate(published.display),
        input_schema=config.input_schema,
        retriever_name=config.retriever_name,
        source_public_name=published.name,
        source_public_url=public_url(request, published.name),
        stages=[stage.model_dump(mode="json") for stage in config.stages],
        tags=config.tags,
    )


async def _admitted(request: Request, public: PublicRetrievers, door: Door, visit: Visit) -> None:
    decision = await public.admit(door, visit)
    tell(request, decision, datetime.now(UTC).timestamp())


async def _tracked(
    request: Request, public: PublicRetrievers, name: str, visit: Visit, some: list[PublicInteractionRequest]
) -> TrackedInteractions:
    door = await public.find(name)
    fields = [{"feature_id": one.document_id, **interaction_fields(one)} for one in some]
    decision, made = await public.interact(door, visit, fields)
    tell(request, decision, datetime.now(UTC).timestamp())
    return TrackedInteractions(interaction_ids=[one.interaction_id for one in made], tracked=len(made))


def _item(request: Request, published: PublishedRetriever) -> PublicRetrieverListItem:
    display = DisplayConfig.model_validate(published.display)
    return PublicRetrieverListItem(
        created_at=published.created_at,
        description=display.description,
        is_active=published.is_active,
        logo_url=display.logo_url,
        og_image_url=display.seo.og_image_url if display.seo else None,
        password_protected=published.password_hash is not None,
        public_name=published.name,
        public_url=public_url(request, published.name),
        title=display.title,
        updated_at=published.updated_at,
    )


def _answer(request: Request, answered: Answered, with_urls: bool) -> dict[str, Any]:
    executed, door = answered.executed, answered.door
    documents = exposed(executed.documents, door.published.exposed_fields, _link(request, door, with_urls))
    return {
        "execution_id": executed.execution_id,
        "status": executed.status.value,
        "documents": documents,
        "results": documents,
        "pagination": executed.pagination,
    }


def _link(request: Request, door: Door, with_urls: bool) -> Link:
    links: BlobLinks = request.app.state.services[BlobLinks]

    def link(url: str, content_type: str | None, filename: str | None) -> str | None:
        if not with_urls:
            return None
        return links.url(door.principal, url, str(request.base_url), content_type, filename)

    return link
