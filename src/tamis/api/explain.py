"""What a pipeline is likely to do and to cost, and what stages cost. Mounted before the saved retrievers."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tamis.api.access import Reader, RetrieverReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.execution import AnonymousExecuteRequest
from tamis.api.schemas.execution_wire import read_options
from tamis.api.schemas.explain import (
    ExplainRetrieverRequest,
    ExplainRetrieverResponse,
    PriceList,
    show_explained,
    show_prices,
)
from tamis.api.schemas.retriever_wire import read_fields, read_stages
from tamis.engine.spending.prices import PriceTable
from tamis.services.runs.explain import ExplainService

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Explains = Annotated[ExplainService, Depends(service(ExplainService))]
Prices = Annotated[PriceTable, Depends(service(PriceTable))]


@router.get("/prices", tags=["retrievers"])
async def list_prices(prices: Prices) -> PriceList:
    """What each stage costs here. Open to all: it holds nobody's data."""
    return show_prices(prices)


@router.post("/execute/explain", tags=["anonymous retrievers"])
async def explain_anonymous_retriever(
    principal: Reader, body: AnonymousExecuteRequest, explains: Explains
) -> ExplainRetrieverResponse:
    """Plan a pipeline that is sent whole, as executing it would; nothing runs and no record is left."""
    options = read_options(body, return_vectors=False, skip_cache=False)
    explained = await explains.explain_anonymous(
        principal, read_stages(body.stages), read_fields(body.input_schema), options
    )
    return show_explained(explained)


@router.post("/{retriever_id}/execute/explain", tags=["retrievers"])
async def explain_retriever(
    principal: RetrieverReader, retriever_id: str, explains: Explains, body: ExplainRetrieverRequest | None = None
) -> ExplainRetrieverResponse:
    """Plan a saved retriever, as executing it would; nothing runs and no record is left."""
    options = (body or ExplainRetrieverRequest()).options()
    return show_explained(await explains.explain_saved(principal, retriever_id, options))
