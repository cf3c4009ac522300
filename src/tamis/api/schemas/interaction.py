"""Interactions on the wire, as those who have a key tell and read them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.paging import ListRequest
from tamis.api.schemas.page import PaginationResponse
from tamis.api.schemas.public_retriever import InteractionRequest
from tamis.errors import ValidationError
from tamis.model.interaction import LIKING, Interaction, InteractionType
from tamis.services.learning.click_judgements import ClickRequest

_KINDS = tuple(kind.value for kind in InteractionType)


class SearchInteraction(InteractionRequest):
    feature_id: str = Field(..., min_length=1, max_length=255)
    retriever_id: str | None = Field(None, max_length=255)
    user_id: str | None = Field(None, max_length=255)


class InteractionResponse(SearchInteraction):
    interaction_id: str
    timestamp: datetime | None = None


class BulkInteractionsRequest(BaseModel):
    interactions: list[SearchInteraction] = Field(..., min_length=1, max_length=1000)


class BulkInteractionsResponse(BaseModel):
    created: int
    failed: int = 0
    results: list[InteractionResponse]


class ListInteractionsRequest(ListRequest):
    """Those that every condition given holds for."""

    execution_id: str | None = None
    feature_id: str | None = None
    interaction_type: str | None = None
    retriever_id: str | None = Field(None, description="Its id or name.")
    session_id: str | None = None
    user_id: str | None = None


class ListInteractionsResponse(BaseModel):
    """items: the same, for later clients."""

    pagination: PaginationResponse
    results: list[InteractionResponse]
    items: list[InteractionResponse]


class DeletedInteractions(BaseModel):
    deleted: int
    success: bool = True


class GenerateFromInteractionsRequest(BaseModel):
    """What a data set's judgements are worked out of."""

    dataset_name: str | None = Field(
        None, min_length=1, max_length=200, description="Where there is one of this name, it grows."
    )
    min_interactions: int = Field(5, ge=1, description="That a query needs.")
    lookback_days: int = Field(30, ge=1, le=365)
    positive_interaction_types: list[str] | None = Field(
        None, description=f"What counts as a click; left out: {', '.join(sorted(LIKING))}."
    )

    def request(self) -> ClickRequest:
        """Raises: ValidationError naming the place."""
        wanted = self.positive_interaction_types
        loc = "positive_interaction_types"
        liking = LIKING if wanted is None else frozenset(kind_of(one, ["body", loc]) for one in wanted)
        return ClickRequest(self.dataset_name, self.min_interactions, self.lookback_days, liking)


def kind_of(text: str, loc: list[str | int]) -> InteractionType:
    """Raises: ValidationError."""
    if text not in _KINDS:
        raise ValidationError.at(loc, f"one of {', '.join(_KINDS)}, not {text!r}")
    return InteractionType(text)


def interaction_fields(body: InteractionRequest) -> dict[str, Any]:
    """Of `model.interaction.Interaction`, what every request to keep one says."""
    return {
        "types": tuple(dict.fromkeys(body.interaction_type)),
        "position": body.position,
        "execution_id": body.execution_id,
        "document_score": body.document_score,
        "result_set_size": body.result_set_size,
        "session_id": body.session_id,
        "query_snapshot": body.query_snapshot,
        "metadata": body.metadata,
    }


def show_interaction(one: Interaction) -> InteractionResponse:
    return InteractionResponse(
        document_score=one.document_score,
        execution_id=one.execution_id,
        feature_id=one.feature_id,
        interaction_id=one.interaction_id,
        interaction_type=list(one.types),
        metadata=one.metadata,
        position=one.position,
        query_snapshot=one.query_snapshot,
        result_set_size=one.result_set_size,
        retriever_id=one.retriever_id,
        session_id=one.session_id,
        timestamp=one.at,
        user_id=one.user_id,
    )
