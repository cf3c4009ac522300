"""Alerts: whoever is named hears of what a saved retriever finds for new documents."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import ListParameters, Paging, pagination
from tamis.api.schemas.alert import (
    AlertExecutionListResponse,
    AlertResponse,
    CreateAlertRequest,
    ExecuteAlertRequest,
    ListAlertsRequest,
    ListAlertsResponse,
    PatchAlertRequest,
    alert_changes,
    alert_draft,
    alert_watch,
    show_alert,
    show_execution,
    show_stats,
)
from tamis.api.schemas.batch import task_model
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.task import TaskResponse
from tamis.model.principal import Principal
from tamis.services.data.alerts import AlertService

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], route_class=JsonRoute)

Alerts = Annotated[AlertService, Depends(service(AlertService))]


@router.post("")
async def create_alert(principal: Writer, body: CreateAlertRequest, alerts: Alerts) -> AlertResponse:
    """Name a saved retriever and who is told; collections apply it by their `alert_applications`."""
    return show_alert(await alerts.create(principal, alert_draft(body)), principal.namespace_id)


@router.post("/list")
async def list_alerts(
    principal: Reader, request: Request, alerts: Alerts, paging: Paging, body: ListAlertsRequest | None = None
) -> ListAlertsResponse:
    """The namespace's alerts, newest first where no order is asked for."""
    query = paging.query(body)
    page = await alerts.list(principal, query)
    return ListAlertsResponse(
        results=[show_alert(one, principal.namespace_id) for one in page.items],
        pagination=pagination(page, request, query),
        total_count=page.total,
        stats=show_stats(page.items),
    )


@router.get("/executions")
async def list_all_alert_executions(
    principal: Reader, request: Request, alerts: Alerts, paging: Paging
) -> AlertExecutionListResponse:
    """What every alert of the namespace came to, newest first."""
    return await _executions(principal, request, alerts, paging, None)


@router.get("/{alert_identifier}")
async def get_alert(principal: Reader, alert_identifier: str, alerts: Alerts) -> AlertResponse:
    """An alert by id or name."""
    return show_alert(await alerts.get(principal, alert_identifier), principal.namespace_id)


@router.patch("/{alert_identifier}")
async def patch_alert(
    principal: Writer, alert_identifier: str, body: PatchAlertRequest, alerts: Alerts
) -> AlertResponse:
    """Change what is asked, who is told, what it may spend; or switch it off."""
    return show_alert(await alerts.patch(principal, alert_identifier, alert_changes(body)), principal.namespace_id)


@router.delete("/{alert_identifier}")
async def delete_alert(principal: Deleter, alert_identifier: str, alerts: Alerts) -> GenericDeleteResponse:
    """With what it came to; the records of its executions stay."""
    await alerts.delete(principal, alert_identifier)
    return GenericDeleteResponse()


@router.get("/{alert_identifier}/executions")
async def list_alert_executions(
    principal: Reader, request: Request, alert_identifier: str, alerts: Alerts, paging: Paging
) -> AlertExecutionListResponse:
    """What it came to for each document, newest first: the newest ten thousand are kept."""
    return await _executions(principal, request, alerts, paging, alert_identifier)


@router.post("/{alert_identifier}/execute")
async def execute_alert(
    principal: Writer, alert_identifier: str, body: ExecuteAlertRequest, alerts: Alerts
) -> TaskResponse:
    """Ask for documents that are there already; a task tells how far it is, and goes on after a crash."""
    return task_model(await alerts.execute(principal, alert_identifier, alert_watch(body)))


async def _executions(
    principal: Principal, request: Request, alerts: AlertService, paging: ListParameters, identifier: str | None
) -> AlertExecutionListResponse:
    query = paging.query()
    page = await alerts.executions(principal, identifier, query.limit, query.offset)
    return AlertExecutionListResponse(
        results=[show_execution(one) for one in page.items],
        pagination=pagination(page, request, query),
        total_count=page.total,
    )
