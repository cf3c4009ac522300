"""What somebody did with what a search showed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON


class InteractionType(StrEnum):
    VIEW = "view"
    CLICK = "click"
    POSITIVE_FEEDBACK = "positive_feedback"
    NEGATIVE_FEEDBACK = "negative_feedback"
    PURCHASE = "purchase"
    ADD_TO_CART = "add_to_cart"
    WISHLIST = "wishlist"
    LONG_VIEW = "long_view"
    SHARE = "share"
    BOOKMARK = "bookmark"
    QUERY_REFINEMENT = "query_refinement"
    ZERO_RESULTS = "zero_results"
    FILTER_TOGGLE = "filter_toggle"
    SKIP = "skip"
    RETURN_TO_RESULTS = "return_to_results"


LIKING = frozenset(
    {
        InteractionType.CLICK,
        InteractionType.LONG_VIEW,
        InteractionType.ADD_TO_CART,
        InteractionType.WISHLIST,
        InteractionType.BOOKMARK,
        InteractionType.SHARE,
        InteractionType.PURCHASE,
        InteractionType.POSITIVE_FEEDBACK,
    }
)
"""Of a document."""
DISLIKING = frozenset({InteractionType.NEGATIVE_FEEDBACK, InteractionType.RETURN_TO_RESULTS})


@dataclass(frozen=True, slots=True)
class Interaction:
    """feature_id: the document's id, as the contract calls it.  position: in the list that was shown, from 0.

    execution_id: of the search that showed it.  query_snapshot: what was asked, as the client tells it.
    """

    interaction_id: str
    feature_id: str
    types: tuple[InteractionType, ...]
    position: int
    at: datetime
    execution_id: str | None = None
    retriever_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    document_score: float | None = None
    result_set_size: int | None = None
    query_snapshot: dict[str, JSON] | None = None
    metadata: dict[str, JSON] | None = None
