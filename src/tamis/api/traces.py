"""What happened in an execution, whole. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, RetrieverReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import MAX_OFFSET
from tamis.api.schemas.trace import TraceResponse
from tamis.api.schemas.trace_wire import show_trace
from tamis.services.records.traces import TraceRequest, TraceService

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Traces = Annotated[TraceService, Depends(service(TraceService))]


async def _asked(
    stage: Annotated[str | None, Query(max_length=512, description="A stage's name, or its place from 0.")] = None,
    side: Annotated[Literal["in", "out"] | None, Query(description="Documents in, or documents out.")] = None,
    limit: Annotated[int, Query(ge=0, le=1000, description="Documents of each side of each stage shown.")] = 10,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="The rank before the first one shown.")] = 0,
    inputs: Annotated[Literal["references", "full"], Query(description="How large inputs are shown.")] = "references",
) -> TraceRequest:
    return TraceRequest(stage, side, offset, limit, inputs == "full")


Asked = Annotated[TraceRequest, Depends(_asked)]


@router.get("/executions/{execution_id}/trace", tags=["anonymous retrievers"])
async def trace_anonymous_execution(
    principal: Reader, execution_id: str, traces: Traces, asked: Asked
) -> TraceResponse:  # fmt: skip
    """Everything that is known of an anonymous execution; of each stage the first documents in and out, or the window
    asked for. One that still runs is shown as far as it has come."""
    return show_trace(await traces.trace(principal, execution_id, asked))


@router.get("/{retriever_id}/executions/{execution_id}/trace", tags=["retrievers"])
async def trace_execution(
    principal: RetrieverReader, retriever_id: str, execution_id: str, traces: Traces, asked: Asked
) -> TraceResponse:
    """As for an anonymous execution, of a saved retriever's."""
    return show_trace(await traces.trace(principal, execution_id, asked, retriever_id))
