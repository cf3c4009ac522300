"""What was done with what searches showed, told by those who show it."""

from collections.abc import Mapping
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.ids import new_id
from tamis.model.interaction import Interaction
from tamis.model.principal import Principal
from tamis.services.retrievers import find_retriever


class InteractionService:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Interaction:
        """fields: of `Interaction` by name; a retriever by id or name. Raises: NotFoundError (retriever)."""

        def insert(session: Session) -> Interaction:
            named = fields.get("retriever_id")
            retriever = find_retriever(session, principal, named) if named else None
            found = {**fields, "retriever_id": retriever.retriever_id if retriever else None}
            made = Interaction(interaction_id=new_id("int"), at=self._clock.now(), **found)
            session.interactions.insert(principal, [made])
            return made

        return await self._metadata.write(insert)
