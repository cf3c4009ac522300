"""Triggers of clusters: runs by the hour, by new documents, by a condition."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response, status

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.cluster_trigger import (
    ClusterTriggerHistoryResponse,
    ClusterTriggerModel,
    CreateClusterTriggerRequest,
    ListClusterTriggersRequest,
    ListClusterTriggersResponse,
    TriggerHistoryRequest,
    UpdateClusterTriggerRequest,
    read_trigger,
    show_history,
    show_trigger,
)
from tamis.model.cluster import RunStatus
from tamis.model.trigger import TriggerStatus
from tamis.services.learning.cluster_triggers import ClusterTriggerService
from tamis.services.learning.triggers import TriggerChange

router = APIRouter(prefix="/v1/clusters/triggers", tags=["cluster triggers"], route_class=JsonRoute)

Triggers = Annotated[ClusterTriggerService, Depends(service(ClusterTriggerService))]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_cluster_trigger(
    principal: Writer, body: CreateClusterTriggerRequest, triggers: Triggers
) -> ClusterTriggerModel:
    """Run a cluster by itself: by cron, at an interval, after new documents, or when they drift away."""
    return show_trigger(await triggers.create(principal, read_trigger(body)), principal)


@router.post("/list")
async def list_cluster_triggers(
    principal: Reader, triggers: Triggers, body: ListClusterTriggersRequest | None = None
) -> ListClusterTriggersResponse:
    """The namespace's triggers of clusters."""
    asked = body or ListClusterTriggersRequest()
    page = await triggers.list(principal, asked.query(), asked.cluster_id)
    shown = [show_trigger(one, principal) for one in page.items]
    return ListClusterTriggersResponse(triggers=shown, total=page.total, limit=page.limit, offset=page.offset)


@router.get("/{trigger_id}")
async def get_cluster_trigger(principal: Reader, trigger_id: str, triggers: Triggers) -> ClusterTriggerModel:
    """When it fires next, what it counted, and how the runs that it started went."""
    return show_trigger(await triggers.get(principal, trigger_id), principal)


@router.patch("/{trigger_id}")
async def update_cluster_trigger(
    principal: Writer, trigger_id: str, body: UpdateClusterTriggerRequest, triggers: Triggers
) -> ClusterTriggerModel:
    """Change when it fires, or what it says of itself."""
    changed = await triggers.change(principal, trigger_id, body.change())
    return show_trigger(changed, principal)


@router.delete("/{trigger_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_cluster_trigger(principal: Deleter, trigger_id: str, triggers: Triggers) -> Response:
    """It fires no more; the runs that it started stay."""
    await triggers.delete(principal, trigger_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/{trigger_id}/history")
async def get_cluster_trigger_history(
    principal: Reader, trigger_id: str, triggers: Triggers, body: TriggerHistoryRequest | None = None
) -> ClusterTriggerHistoryResponse:
    """The runs that it started, newest first, as far as their cluster keeps them."""
    asked = body or TriggerHistoryRequest()
    wanted = RunStatus(asked.status_filter) if asked.status_filter else None
    page = await triggers.history(principal, trigger_id, wanted, asked.limit, asked.offset)
    return ClusterTriggerHistoryResponse(
        executions=[show_history(one) for one in page.items],
        total=page.total,
        limit=page.limit,
        offset=page.offset,
        trigger_id=trigger_id,
    )


@router.post("/{trigger_id}/pause")
async def pause_cluster_trigger(principal: Writer, trigger_id: str, triggers: Triggers) -> ClusterTriggerModel:
    """It fires no more until it is resumed; a run that it started goes on."""
    return show_trigger(
        await triggers.change(principal, trigger_id, TriggerChange(status=TriggerStatus.PAUSED)), principal
    )


@router.post("/{trigger_id}/resume")
async def resume_cluster_trigger(principal: Writer, trigger_id: str, triggers: Triggers) -> ClusterTriggerModel:
    """It begins its wait anew, also where it was stopped for failing."""
    return show_trigger(
        await triggers.change(principal, trigger_id, TriggerChange(status=TriggerStatus.ACTIVE)), principal
    )
