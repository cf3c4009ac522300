"""Two executions compared. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, RetrieverReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import MAX_OFFSET
from tamis.api.schemas.diff import DiffResponse
from tamis.api.schemas.diff_wire import show_diff
from tamis.services.records.diffs import DiffService, DiffView

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Diffs = Annotated[DiffService, Depends(service(DiffService))]


async def _view(
    stage: Annotated[str | None, Query(max_length=512, description="A stage's name, or its place from 0.")] = None,
    limit: Annotated[int, Query(ge=0, le=1000, description="Documents of each list of each stage.")] = 20,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> DiffView:
    return DiffView(stage, offset, limit)


View = Annotated[DiffView, Depends(_view)]


@router.get("/executions/{execution_id}/diff/{other}", tags=["anonymous retrievers"])
async def diff_anonymous_execution(
    principal: Reader, execution_id: str, other: str, diffs: Diffs, view: View
) -> DiffResponse:
    """What differs, stage by stage, between an anonymous execution (a) and any other of the namespace (b), and why."""
    return show_diff(await diffs.diff(principal, execution_id, other), view)


@router.get("/{retriever_id}/executions/{execution_id}/diff/{other}", tags=["retrievers"])
async def diff_execution(
    principal: RetrieverReader, retriever_id: str, execution_id: str, other: str, diffs: Diffs, view: View
) -> DiffResponse:
    """As for an anonymous execution, from a saved retriever's."""
    return show_diff(await diffs.diff(principal, execution_id, other, retriever_id), view)
