"""Interactions. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tamis.api.access import RetrieverSearching, service
from tamis.api.bodies import JsonRoute
from tamis.api.public_retrievers import interaction_fields
from tamis.api.schemas.public_retriever import InteractionResponse, SearchInteraction
from tamis.services.interactions import InteractionService

router = APIRouter(prefix="/v1/retrievers", tags=["interactions"], route_class=JsonRoute)

Interactions = Annotated[InteractionService, Depends(service(InteractionService))]


@router.post("/interactions")
async def create_interaction(
    principal: RetrieverSearching, body: SearchInteraction, interactions: Interactions
) -> InteractionResponse:
    """Keep what somebody did with a document that a search showed. Who may search may tell of it."""
    told = {"feature_id": body.feature_id, "retriever_id": body.retriever_id, "user_id": body.user_id}
    made = await interactions.create(principal, {**told, **interaction_fields(body)})
    return InteractionResponse(
        document_score=made.document_score,
        execution_id=made.execution_id,
        feature_id=made.feature_id,
        interaction_id=made.interaction_id,
        interaction_type=list(made.types),
        metadata=made.metadata,
        position=made.position,
        query_snapshot=made.query_snapshot,
        result_set_size=made.result_set_size,
        retriever_id=made.retriever_id,
        session_id=made.session_id,
        timestamp=made.at,
        user_id=made.user_id,
    )
