"""Roll-outs: a version tried in the shadow of live executions, then on a share of them, then taken or not."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.rollout import (
    RolloutEnd,
    RolloutModel,
    RolloutRequest,
    RolloutStanding,
    ShadowRunModel,
    show_rollout,
    show_runs,
    show_standing,
)
from tamis.model.retriever import Retriever
from tamis.services.learning.rollouts import RolloutService

router = APIRouter(prefix="/v1/retrievers", tags=["retrievers"], route_class=JsonRoute)

Rollouts = Annotated[RolloutService, Depends(service(RolloutService))]


@router.put("/{retriever_id}/rollout")
async def start_rollout(
    principal: Writer, retriever_id: str, rollouts: Rollouts, body: RolloutRequest | None = None
) -> RolloutModel:
    """Begin a roll-out, or change its shares and bounds. Until it ends the baseline answers the rest, and a change to
    the retriever is live for nobody."""
    return show_rollout(await rollouts.start(principal, retriever_id, (body or RolloutRequest()).draft()))


@router.get("/{retriever_id}/rollout")
async def get_rollout(
    principal: Reader,
    retriever_id: str,
    rollouts: Rollouts,
    dataset: Annotated[str | None, Query(description="By whose judgements both versions are measured.")] = None,
) -> RolloutStanding:
    """How both versions compare on what was asked of them so far."""
    return show_standing(await rollouts.standing(principal, retriever_id, dataset))


@router.get("/{retriever_id}/rollout/runs")
async def list_shadow_runs(
    principal: Reader, retriever_id: str, rollouts: Rollouts, limit: Annotated[int, Query(ge=1, le=1000)] = 20
) -> list[ShadowRunModel]:
    """Executions with what the candidate answered, those that both agree on least first."""
    return show_runs(await rollouts.runs(principal, retriever_id, limit))


@router.post("/{retriever_id}/rollout/promote")
async def promote_rollout(principal: Writer, retriever_id: str, rollouts: Rollouts) -> RolloutEnd:
    """End it with the candidate: it answers everything from now on."""
    return _ended(await rollouts.promote(principal, retriever_id))


@router.post("/{retriever_id}/rollout/roll-back")
async def roll_back_rollout(principal: Writer, retriever_id: str, rollouts: Rollouts) -> RolloutEnd:
    """End it with the baseline: where that is not the newest version, it becomes it."""
    return _ended(await rollouts.roll_back(principal, retriever_id))


def _ended(retriever: Retriever) -> RolloutEnd:
    return RolloutEnd(
        retriever_id=retriever.retriever_id, retriever_name=retriever.name, version=retriever.version
    )  # fmt: skip
