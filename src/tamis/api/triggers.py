"""Triggers: work that begins by itself, by the hour, by new documents, by a condition."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.batch import task_model
from tamis.api.schemas.task import TaskResponse
from tamis.api.schemas.trigger import (
    CreateTriggerRequest,
    ListTriggersRequest,
    ListTriggersResponse,
    TriggerHistoryResponse,
    TriggerModel,
    UpdateTriggerRequest,
    show_history,
    show_trigger,
)
from tamis.model.trigger import TriggerStatus
from tamis.services.learning.triggers import TriggerChange, TriggerService

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], route_class=JsonRoute)

Triggers = Annotated[TriggerService, Depends(service(TriggerService))]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_trigger(principal: Writer, body: CreateTriggerRequest, triggers: Triggers) -> TriggerModel:
    """Run a cluster, apply a taxonomy or process a collection by itself: by cron, at an interval, after new documents,
    or by a condition.
    """
    return show_trigger(await triggers.create(principal, body.draft()), principal)


@router.post("/list")
async def list_triggers(
    principal: Reader, triggers: Triggers, body: ListTriggersRequest | None = None
) -> ListTriggersResponse:
    """The namespace's triggers, those of clusters among them."""
    page = await triggers.list(principal, (body or ListTriggersRequest()).query())
    shown = [show_trigger(one, principal) for one in page.items]
    return ListTriggersResponse(triggers=shown, total=page.total, limit=page.limit, offset=page.offset)


@router.get("/{trigger_id}")
async def get_trigger(principal: Reader, trigger_id: str, triggers: Triggers) -> TriggerModel:
    """When it fires next, what it counted, and how what it began last went."""
    return show_trigger(await triggers.get(principal, trigger_id), principal)


@router.patch("/{trigger_id}")
async def update_trigger(
    principal: Writer, trigger_id: str, body: UpdateTriggerRequest, triggers: Triggers
) -> TriggerModel:
    """Change when it fires, or what it says of itself; for another action make another."""
    return show_trigger(await triggers.change(principal, trigger_id, body.change()), principal)


@router.delete("/{trigger_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_trigger(principal: Deleter, trigger_id: str, triggers: Triggers) -> Response:
    """It fires no more, and its history is gone; what it began goes on."""
    await triggers.delete(principal, trigger_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/{trigger_id}/execute")
async def execute_trigger(principal: Writer, trigger_id: str, triggers: Triggers) -> TaskResponse:
    """Begin its work now, whatever its schedule and status; 409 while its work is under way."""
    return task_model(await triggers.execute(principal, trigger_id))


@router.get("/{trigger_id}/history")
async def get_trigger_history(
    principal: Reader, trigger_id: str, triggers: Triggers,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50, offset: Annotated[int, Query(ge=0)] = 0,
) -> TriggerHistoryResponse:  # fmt: skip
    """The times that it fired, newest first, and how what it began ended: the newest thousand are kept."""
    return show_history(trigger_id, await triggers.history(principal, trigger_id, limit, offset))


@router.post("/{trigger_id}/pause")
async def pause_trigger(principal: Writer, trigger_id: str, triggers: Triggers) -> TriggerModel:
    """It fires no more until it is resumed; what it began goes on."""
    paused = TriggerChange(status=TriggerStatus.PAUSED)
    return show_trigger(await triggers.change(principal, trigger_id, paused), principal)


@router.post("/{trigger_id}/resume")
async def resume_trigger(principal: Writer, trigger_id: str, triggers: Triggers) -> TriggerModel:
    """It begins its wait anew, also where it was stopped for failing."""
    resumed = TriggerChange(status=TriggerStatus.ACTIVE)
    return show_trigger(await triggers.change(principal, trigger_id, resumed), principal)
