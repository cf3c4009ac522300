"""An execution promoted to a retriever or into an evaluation data set."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Writer, service
from tamis.api.admission import making
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.dataset import show_dataset
from tamis.api.schemas.promotion import PromoteRequest, PromoteResponse
from tamis.api.schemas.retriever_wire import show_config
from tamis.model.principal import Principal
from tamis.services.learning.promotion import PromotionService

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Promotions = Annotated[PromotionService, Depends(service(PromotionService))]


@router.post("/executions/{execution_id}/promote", tags=["anonymous retrievers"])
async def promote_anonymous(
    principal: Writer, request: Request, execution_id: str, body: PromoteRequest, promotions: Promotions
) -> PromoteResponse:
    """Make it a saved retriever, or a query of an evaluation data set with its documents as the pool to judge."""
    return await _promote(request, principal, execution_id, body, promotions)


@router.post("/{retriever_id}/executions/{execution_id}/promote", tags=["retrievers"])
async def promote_saved(
    principal: Writer,
    request: Request,
    retriever_id: str,
    execution_id: str,
    body: PromoteRequest,
    promotions: Promotions,
) -> PromoteResponse:
    """As for an anonymous execution; as a retriever it is the version that ran."""
    return await _promote(request, principal, execution_id, body, promotions, retriever_id)


async def _promote(
    request: Request,
    principal: Principal,
    execution_id: str,
    body: PromoteRequest,
    promotions: PromotionService,
    owner: str | None = None,
) -> PromoteResponse:
    body.check_named()
    if body.to == "retriever":
        with making(request, principal, "retrievers"):
            made = await promotions.to_retriever(
                principal, execution_id, body.retriever_name or "", body.description, tuple(body.tags), owner
            )
        return PromoteResponse(execution_id=execution_id, to="retriever", created=True, retriever=show_config(made))
    promoted = await promotions.to_dataset(principal, execution_id, body.dataset_name or "", owner)
    return PromoteResponse(
        execution_id=execution_id,
        to="dataset",
        created=promoted.created,
        dataset=show_dataset(promoted.dataset, principal.namespace_id, principal.organization_id),
        query_id=promoted.query.query_id,
    )
