"""Run an execution again. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.departure import while_connected
from tamis.api.schemas.replay import ReplayRequest, ReplayResponse, show_replayed
from tamis.services.records.replays import ReplayService

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Replays = Annotated[ReplayService, Depends(service(ReplayService))]


@router.post("/executions/{execution_id}/replay", tags=["anonymous retrievers"])
async def replay_anonymous_execution(
    principal: Reader, request: Request, execution_id: str, replays: Replays, body: ReplayRequest | None = None
) -> ReplayResponse:
    """Run an anonymous execution again and say whether it comes to the same, and if not, where and why it parts.

    The replay is an execution with a record of its own, linked to the first."""
    asked = body or ReplayRequest()
    work = replays.replay(principal, execution_id, asked.mode, asked.allow_effects)
    return show_replayed(await while_connected(request, work))


@router.post("/{retriever_id}/executions/{execution_id}/replay", tags=["retrievers"])
async def replay_execution(
    principal: Reader,
    request: Request,
    retriever_id: str,
    execution_id: str,
    replays: Replays,
    body: ReplayRequest | None = None,
) -> ReplayResponse:
    """As for an anonymous execution, of a saved retriever's: the pipeline that it ran then, not today's."""
    asked = body or ReplayRequest()
    work = replays.replay(principal, execution_id, asked.mode, asked.allow_effects, retriever_id)
    return show_replayed(await while_connected(request, work))
