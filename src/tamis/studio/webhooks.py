"""Webhooks: who is told of what, and how each telling went. They are the organisation's, and its administrators'."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, Response

from tamis.errors import BadRequestError
from tamis.model.principal import Principal
from tamis.model.webhook import DeliveryStatus, EventType, Target, Webhook
from tamis.services.access.webhooks import WebhookDraft, WebhookSecrets, WebhookService
from tamis.studio import fields
from tamis.studio.places import page_number
from tamis.studio.security import HEADERS
from tamis.studio.templating import render
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_MOST_URLS, _LONGEST_URL, _LONGEST_NAME, _LONGEST_HEADER = 10, 2000, 200, 4000


@dataclass(frozen=True, slots=True)
class Row:
    """waiting, failed: deliveries.  hosts: of its targets."""

    webhook: Webhook
    hosts: Sequence[str]
    waiting: int
    failed: int


async def index(visit: Visit) -> Response:
    principal = await visit.ruling()
    at = page_number(visit)
    every = await _webhooks(visit).list(principal)
    window = every[(at - 1) * PAGE_SIZE : at * PAGE_SIZE]
    rows = [await _row(visit, principal, one) for one in window]
    return visit.page("webhooks.html", rows=rows, total=len(every), at=at, page_size=PAGE_SIZE)


async def new(visit: Visit) -> Response:
    await visit.ruling()
    return visit.page("new_webhook.html", groups=_groups())


async def create(visit: Visit) -> Response:
    """Raises: BadRequestError, ValidationError naming the field, AlreadyExistsError."""
    principal = await visit.ruling()
    made = await _webhooks(visit).create(principal, _draft(visit, ()))
    return visit.moved(f"/automation/webhooks/{made.webhook_id}")


async def show(visit: Visit) -> Response:
    """Raises: NotFoundError, BadRequestError (status)."""
    principal, at, status = await visit.ruling(), page_number(visit), visit.asked("status")
    if status and status not in list(DeliveryStatus):
        raise BadRequestError(f"status: one of {', '.join(DeliveryStatus)}", field="status")
    webhook = await _webhooks(visit).get(principal, _identifier(visit))
    wanted = DeliveryStatus(status) if status else None
    deliveries = await _webhooks(visit).deliveries(
        principal, webhook.webhook_id, wanted, PAGE_SIZE, (at - 1) * PAGE_SIZE
    )
    counts = {one.value: await _count(visit, principal, webhook, one) for one in DeliveryStatus}
    return visit.page(
        "webhook.html", webhook=webhook, secret=visit.service(WebhookSecrets).shown(webhook.webhook_id),
        deliveries=deliveries, counts=counts, wanted=status, groups=_groups(), at=at, page_size=PAGE_SIZE,
        has_headers=any(one.headers for one in webhook.targets),
    )  # fmt: skip


async def change(visit: Visit) -> Response:
    """Raises: NotFoundError, BadRequestError, ValidationError naming the field, AlreadyExistsError."""
    principal = await visit.ruling()
    before = await _webhooks(visit).get(principal, _identifier(visit))
    await _webhooks(visit).replace(principal, before.webhook_id, _draft(visit, before.targets))
    return visit.moved(f"/automation/webhooks/{before.webhook_id}")


async def replay(visit: Visit) -> Response:
    """One delivery, or all that failed. Raises: NotFoundError."""
    principal, one = await visit.ruling(), visit.field("delivery")
    count = await _webhooks(visit).replay(principal, _identifier(visit), [one] if one else None)
    said = {"t": visit.language, "message": visit.language.count("webhook.again", count)}
    return HTMLResponse(render("_done.html", said), headers={**HEADERS, "hx-trigger": "changed"})


async def delete(visit: Visit) -> Response:
    principal = await visit.ruling()
    await _webhooks(visit).delete(principal, _identifier(visit))
    return visit.moved("/automation/webhooks")


def _webhooks(visit: Visit) -> WebhookService:
    return visit.service(WebhookService)


def _identifier(visit: Visit) -> str:
    return str(visit.request.path_params["webhook_id"])


async def _row(visit: Visit, principal: Principal, webhook: Webhook) -> Row:
    waiting, failed = [
        await _count(visit, principal, webhook, one) for one in (DeliveryStatus.WAITING, DeliveryStatus.FAILED)
    ]
    return Row(webhook, [urlsplit(one.url).netloc for one in webhook.targets], waiting, failed)


async def _count(visit: Visit, principal: Principal, webhook: Webhook, status: DeliveryStatus) -> int:
    return (await _webhooks(visit).deliveries(principal, webhook.webhook_id, status, 1, 0)).total


def _draft(visit: Visit, before: Sequence[Target]) -> WebhookDraft:
    """A URL that stays keeps its headers and its timeout. Raises: BadRequestError naming the field."""
    name, kinds = visit.field("name"), fields.choices(visit.chosen("event"), "event", EventType)
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadRequestError(f"name: 1 to {_LONGEST_NAME} characters", field="name")
    if not kinds:
        raise BadRequestError("event: choose at least one", field="event")
    known, headers = {one.url: one for one in before}, _headers(visit)
    targets = tuple(known.get(url, Target(url, headers)) for url in _urls(visit.field("urls")))
    return WebhookDraft(name, tuple(str(one) for one in kinds), targets, visit.field("active") == "yes")


def _urls(text: str) -> list[str]:
    """One a line. Raises: BadRequestError."""
    urls = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not 1 <= len(urls) <= _MOST_URLS or any(len(one) > _LONGEST_URL for one in urls):
        raise BadRequestError(
            f"urls: 1 to {_MOST_URLS} lines, each with a URL as https://example.com/hooks", field="urls"
        )
    return urls


def _headers(visit: Visit) -> dict[str, str]:
    value = visit.field("authorization")
    if len(value) > _LONGEST_HEADER or not value.isprintable():
        message = f"authorization: one line of at most {_LONGEST_HEADER} characters, as Bearer {{{{SECRET.name}}}}"
        raise BadRequestError(message, field="authorization")
    return {"Authorization": value} if value else {}


def _groups() -> dict[str, list[str]]:
    """Events by what they are of."""
    found: dict[str, list[Any]] = {}
    for one in EventType:
        found.setdefault(one.partition(".")[0], []).append(one.value)
    return found
