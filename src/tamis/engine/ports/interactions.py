"""What was done with what searches showed, in the system of record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tamis.model.interaction import Interaction
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class InteractionQuery:
    """Which interactions: those that every condition given holds for. start: from then on."""

    retriever_id: str | None = None
    execution_id: str | None = None
    feature_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    start: datetime | None = None


class Interactions(Protocol):
    """Newest first, in every answer that has an order."""

    def insert(self, principal: Principal, some: Sequence[Interaction]) -> None: ...
    def get(self, principal: Principal, interaction_id: str) -> Interaction | None: ...
    def page(self, principal: Principal, query: InteractionQuery, listing: Listing) -> Page[Interaction]: ...
    def scan(self, principal: Principal, query: InteractionQuery) -> Iterator[Interaction]:
        """All of them, without holding them in memory."""
        ...

    def newest(self, principal: Principal, limit: int) -> Sequence[Interaction]: ...
    def of_execution(self, principal: Principal, execution_id: str) -> Sequence[Interaction]: ...
    def delete(self, principal: Principal, interaction_id: str) -> bool: ...
    def delete_user(self, principal: Principal, user_id: str, limit: int) -> int:
        """Everything of a user's, at most `limit` at a time; how many there were."""
        ...

    def trim(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete the oldest of those from before then, at most `limit`; how many there were."""
        ...
