"""Webhooks: who is told when something happens, and how the telling went."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.webhook import (
    ListDeliveriesResponse,
    ListWebhooksRequest,
    ListWebhooksResponse,
    ReplayDeliveriesRequest,
    ReplayDeliveriesResponse,
    WebhookInput,
    WebhookOutput,
    read_webhook,
    show_delivery,
    show_webhook,
)
from tamis.model.page import Page
from tamis.model.webhook import DeliveryStatus, Webhook
from tamis.services.access.webhooks import WebhookSecrets, WebhookService

router = APIRouter(prefix="/v1/organizations/webhooks", tags=["webhooks"], route_class=JsonRoute)

Webhooks = Annotated[WebhookService, Depends(service(WebhookService))]
Secrets = Annotated[WebhookSecrets, Depends(service(WebhookSecrets))]


@router.post("/", status_code=201)
async def create_webhook(
    principal: OrganizationAdmin, body: WebhookInput, webhooks: Webhooks, secrets: Secrets
) -> WebhookOutput:
    """Be told of events as they happen, signed, at least once, in the order of each resource."""
    return _shown(await webhooks.create(principal, read_webhook(body)), secrets)


@router.post("/list")
async def list_webhooks(
    principal: OrganizationAdmin,
    request: Request,
    webhooks: Webhooks,
    secrets: Secrets,
    paging: Paging,
    body: ListWebhooksRequest | None = None,
) -> ListWebhooksResponse:
    """The organisation's webhooks, newest first."""
    query, asked = paging.query(body), body or ListWebhooksRequest()
    found = [
        one
        for one in await webhooks.list(principal)
        if asked.event_type in (None, *one.event_types) and asked.is_active in (None, one.is_active)
    ]
    page = Page(found[query.offset : query.offset + query.limit], len(found), query.limit, query.offset)
    shown = [_shown(one, secrets) for one in page.items]
    return ListWebhooksResponse(results=shown, pagination=pagination(page, request, query), total=page.total)


@router.get("/{identifier}")
async def get_webhook(
    principal: OrganizationAdmin, identifier: str, webhooks: Webhooks, secrets: Secrets
) -> WebhookOutput:
    """A webhook by id or name."""
    return _shown(await webhooks.get(principal, identifier), secrets)


@router.put("/{identifier}")
async def update_webhook(
    principal: OrganizationAdmin, identifier: str, body: WebhookInput, webhooks: Webhooks, secrets: Secrets
) -> WebhookOutput:
    """Put another in its place, under its id and with its signing secret. What waits goes to the new channels."""
    return _shown(await webhooks.replace(principal, identifier, read_webhook(body)), secrets)


@router.delete("/{identifier}", status_code=204)
async def delete_webhook(principal: OrganizationAdmin, identifier: str, webhooks: Webhooks) -> Response:
    """Tell no more, and forget what was told."""
    await webhooks.delete(principal, identifier)
    return Response(status_code=204)


@router.get("/{identifier}/deliveries")
async def list_deliveries(
    principal: OrganizationAdmin,
    request: Request,
    identifier: str,
    webhooks: Webhooks,
    paging: Paging,
    status: DeliveryStatus | None = None,
) -> ListDeliveriesResponse:
    """What it told, tells and failed to tell, newest first; what ended is kept for a month."""
    query = paging.query()
    page = await webhooks.deliveries(principal, identifier, status, query.limit, query.offset)
    shown = [show_delivery(one) for one in page.items]
    return ListDeliveriesResponse(results=shown, pagination=pagination(page, request, query), total=page.total)


@router.post("/{identifier}/deliveries/replay")
async def replay_deliveries(
    principal: OrganizationAdmin, identifier: str, webhooks: Webhooks, body: ReplayDeliveriesRequest | None = None
) -> ReplayDeliveriesResponse:
    """Tell some once more, under the same event ids; without a list, all that failed."""
    ids = body.delivery_ids if body else None
    return ReplayDeliveriesResponse(replayed=await webhooks.replay(principal, identifier, ids))


def _shown(webhook: Webhook, secrets: WebhookSecrets) -> WebhookOutput:
    return show_webhook(webhook, secrets.shown(webhook.webhook_id))
