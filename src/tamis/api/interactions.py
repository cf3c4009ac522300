"""Interactions. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Deleter, Reader, RetrieverSearching, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.dataset import EvaluationDataset, show_dataset
from tamis.api.schemas.interaction import (
    BulkInteractionsRequest,
    BulkInteractionsResponse,
    DeletedInteractions,
    GenerateFromInteractionsRequest,
    InteractionResponse,
    ListInteractionsRequest,
    ListInteractionsResponse,
    SearchInteraction,
    interaction_fields,
    kind_of,
    show_interaction,
)
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.engine.ports.interactions import InteractionQuery
from tamis.services.learning.click_judgements import ClickJudgements
from tamis.services.learning.interactions import InteractionService

router = APIRouter(prefix="/v1/retrievers", tags=["interactions"], route_class=JsonRoute)

Interactions = Annotated[InteractionService, Depends(service(InteractionService))]
Clicks = Annotated[ClickJudgements, Depends(service(ClickJudgements))]


@router.post("/interactions")
async def create_interaction(
    principal: RetrieverSearching, body: SearchInteraction, interactions: Interactions
) -> InteractionResponse:
    """Keep what somebody did with a document that a search showed. Who may search may tell of it."""
    (made,) = await interactions.create(principal, [_fields(body)])
    return show_interaction(made)


@router.post("/interactions/batch")
async def create_interactions(
    principal: RetrieverSearching, body: BulkInteractionsRequest, interactions: Interactions
) -> BulkInteractionsResponse:
    """As one interaction, of up to a thousand; all are kept or none."""
    made = await interactions.create(principal, [_fields(one) for one in body.interactions])
    return BulkInteractionsResponse(created=len(made), results=[show_interaction(one) for one in made])


@router.post("/interactions/list")
async def list_interactions(
    principal: Reader,
    request: Request,
    interactions: Interactions,
    paging: Paging,
    body: ListInteractionsRequest | None = None,
) -> ListInteractionsResponse:
    """Interactions, newest first where no order is asked for."""
    asked = body or ListInteractionsRequest()
    kind = None if asked.interaction_type is None else kind_of(asked.interaction_type, ["body", "interaction_type"])
    query = InteractionQuery(asked.retriever_id, asked.execution_id, asked.feature_id, asked.session_id, asked.user_id)
    listing = paging.query(asked)
    page = await interactions.list(principal, query, listing, kind)
    shown = [show_interaction(one) for one in page.items]
    return ListInteractionsResponse(pagination=pagination(page, request, listing), results=shown, items=shown)


@router.get("/interactions/{interaction_id}")
async def get_interaction(principal: Reader, interaction_id: str, interactions: Interactions) -> InteractionResponse:
    """An interaction by id."""
    return show_interaction(await interactions.get(principal, interaction_id))


@router.delete("/interactions/{interaction_id}")
async def delete_interaction(
    principal: Deleter, interaction_id: str, interactions: Interactions
) -> GenericDeleteResponse:
    """Forget it."""
    await interactions.delete(principal, interaction_id)
    return GenericDeleteResponse(message="Interaction deleted")


@router.delete("/interactions/users/{user_id}")
async def delete_user_interactions(principal: Deleter, user_id: str, interactions: Interactions) -> DeletedInteractions:
    """Forget everything that somebody did, in this namespace. Sent again after a crash, it goes on."""
    return DeletedInteractions(deleted=await interactions.delete_user(principal, user_id))


@router.post("/{retriever_id}/evaluations/generate-from-interactions")
async def generate_dataset_from_interactions(
    principal: Writer, retriever_id: str, clicks: Clicks, body: GenerateFromInteractionsRequest | None = None
) -> EvaluationDataset:
    """Work grades out of what was clicked, with where it stood taken out; what somebody judged stays as it is."""
    request = (body or GenerateFromInteractionsRequest()).request()
    dataset = await clicks.generate(principal, retriever_id, request)
    return show_dataset(dataset, principal.namespace_id, principal.organization_id)


def _fields(body: SearchInteraction) -> dict[str, Any]:
    told = {"feature_id": body.feature_id, "retriever_id": body.retriever_id, "user_id": body.user_id}
    return {**told, **interaction_fields(body)}
