"""Alerts: which saved retriever is asked about new documents, who hears of what it finds, and what it came to."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.alert import Alert
from tamis.model.collection import Collection
from tamis.services.access.webhooks import WebhookService
from tamis.services.data.alert_applications import application_of
from tamis.services.data.alerts import AlertDraft, AlertService
from tamis.services.data.collections import CollectionService
from tamis.services.listing import ListQuery
from tamis.services.runs.retrievers import RetrieverService
from tamis.studio import fields
from tamis.studio.places import page_number, placed
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_MOST_CHOICES = 1000
_MOST_CREDITS = 1e9
_LONGEST_NAME, _LONGEST_DESCRIPTION = 200, 1000


async def index(visit: Visit) -> Response:
    at = page_number(visit)
    query = ListQuery(limit=PAGE_SIZE, offset=(at - 1) * PAGE_SIZE)
    page = await visit.service(AlertService).list(visit.principal, query)
    collections = await visit.service(CollectionService).all(visit.principal)
    rows = [(one, _applying(collections, one)) for one in page.items]
    return visit.page(
        "alerts.html", rows=rows, total=page.total, names=await _retriever_names(visit), at=at, page_size=PAGE_SIZE
    )


async def new(visit: Visit) -> Response:
    return placed(
        visit, "new_alert.html", retrievers=await _retriever_names(visit), webhooks=await _webhook_names(visit),
        wanted=visit.asked("retriever"),
    )  # fmt: skip


async def create(visit: Visit) -> Response:
    """Raises: BadRequestError, ValidationError naming the field, AlreadyExistsError."""
    retriever = visit.field("retriever")
    if not retriever:
        raise BadRequestError("retriever: choose one; where there is none yet, save one first", field="retriever")
    made = await visit.service(AlertService).create(visit.principal, AlertDraft(retriever=retriever, **_said(visit)))
    return visit.moved(_address(made))


async def show(visit: Visit) -> Response:
    visit, alert = await _alert_of(visit)
    at = page_number(visit)
    executions = await visit.service(AlertService).executions(
        visit.principal, alert.alert_id, PAGE_SIZE, (at - 1) * PAGE_SIZE
    )
    collections = await visit.service(CollectionService).all(visit.principal)
    return placed(
        visit, "alert.html", alert=alert, home=_address(alert), executions=executions, at=at, page_size=PAGE_SIZE,
        retriever=(await _retriever_names(visit)).get(alert.retriever_id), webhooks=await _webhook_names(visit),
        applying=_applying(collections, alert), names={one.collection_id: one.name for one in collections},
    )  # fmt: skip


async def change(visit: Visit) -> Response:
    """Raises: BadRequestError, ValidationError naming the field, AlreadyExistsError."""
    visit, alert = await _alert_of(visit)
    await visit.service(AlertService).patch(visit.principal, alert.alert_id, _said(visit))
    return visit.moved(_address(alert))


async def switch_on(visit: Visit) -> Response:
    return await _switch(visit, on=True)


async def switch_off(visit: Visit) -> Response:
    return await _switch(visit, on=False)


async def delete(visit: Visit) -> Response:
    """Raises: ConflictError while a collection applies it, or a task executes it."""
    visit, alert = await _alert_of(visit)
    await visit.service(AlertService).delete(visit.principal, alert.alert_id)
    return visit.moved("/automation/alerts")


async def _switch(visit: Visit, *, on: bool) -> Response:
    visit, alert = await _alert_of(visit)
    await visit.service(AlertService).patch(visit.principal, alert.alert_id, {"enabled": on})
    return visit.moved(_address(alert))


async def _alert_of(visit: Visit) -> tuple[Visit, Alert]:
    identifier = str(visit.request.path_params["alert_id"])
    return await visit.found("alert", lambda inside: inside.service(AlertService).get(inside.principal, identifier))


def _address(alert: Alert) -> str:
    return f"/automation/alerts/{alert.alert_id}"


def _applying(collections: Sequence[Collection], alert: Alert) -> list[tuple[Collection, str]]:
    """Collections that apply it, and when."""
    found = ((one, application_of(one, alert)) for one in collections)
    return [(one, str(applied["execution_mode"])) for one, applied in found if applied is not None]


async def _retriever_names(visit: Visit) -> Mapping[str, str]:
    """By id, in the order of their names."""
    found = await visit.service(RetrieverService).list(visit.principal, ListQuery(limit=_MOST_CHOICES))
    return {one.retriever_id: one.name for one in sorted(found.items, key=lambda one: one.name)}


async def _webhook_names(visit: Visit) -> Mapping[str, str]:
    """By id; empty for whoever is no administrator, who sees no webhooks and may yet be told one's name."""
    if not visit.may_rule:
        return {}
    return {one.webhook_id: one.name for one in await visit.service(WebhookService).list(await visit.ruling())}


def _said(visit: Visit) -> dict[str, Any]:
    """Fields of `AlertDraft` that the form has. Raises: BadRequestError naming the field."""
    name, description = visit.field("name"), visit.field("description")
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadRequestError(f"name: 1 to {_LONGEST_NAME} characters", field="name")
    if len(description) > _LONGEST_DESCRIPTION:
        raise BadRequestError(f"description: at most {_LONGEST_DESCRIPTION} characters", field="description")
    most = fields.number(visit.field("credits"), "credits", _MOST_CREDITS)
    if most == 0:
        raise BadRequestError("credits: more than 0, or nothing for no limit", field="credits")
    return {
        "name": name,
        "description": description or None,
        "webhooks": _webhooks(visit),
        "with_matches": visit.field("with_matches") == "yes",
        "with_scores": visit.field("with_scores") == "yes",
        "max_credits": most,
    }


def _webhooks(visit: Visit) -> tuple[str, ...]:
    """Those that were checked, or written by who sees none. Raises: BadRequestError where there is none."""
    chosen = tuple(one for text in visit.chosen("webhook") for one in fields.listed(text))
    if not chosen:
        raise BadRequestError("webhook: choose at least one; an administrator makes them", field="webhook")
    return chosen
