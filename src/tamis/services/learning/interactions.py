"""What was done with what searches showed, told by those who show it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tamis.engine.learning.learned_fusion import person_of
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.interactions import InteractionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.filters import Condition, Operator, both
from tamis.model.ids import new_id
from tamis.model.interaction import Interaction, InteractionType
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.listing import ListQuery
from tamis.services.records.fusion_crediting import keep
from tamis.services.runs.learnt_weights import today
from tamis.services.runs.retrievers import find_retriever

_CHUNK = 1000


class InteractionService:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def create(self, principal: Principal, some: Sequence[Mapping[str, Any]]) -> Sequence[Interaction]:
        """All of them or none. some: fields of `Interaction` by name; a retriever by id or name.

        Where none is named it is the one whose execution is, as far as the caller sees it.
        Raises: NotFoundError (retriever).
        """

        def insert(session: Session) -> Sequence[Interaction]:
            named = _retriever_ids(session, principal, (fields.get("retriever_id") for fields in some))
            unnamed = (fields.get("execution_id") for fields in some if not fields.get("retriever_id"))
            ran = _ran_by(session, principal, unnamed)
            made = [
                Interaction(
                    interaction_id=new_id("int"), at=self._clock.now(),
                    **{
                        **fields,
                        "retriever_id": named.get(fields.get("retriever_id") or "")
                        or ran.get(fields.get("execution_id") or ""),
                    },
                )
                for fields in some
            ]  # fmt: skip
            keep(session, principal, made, today(self._clock))
            return made

        return await self._metadata.write(insert)

    async def get(self, principal: Principal, interaction_id: str) -> Interaction:
        """Raises: NotFoundError."""
        found = await self._metadata.read(lambda session: session.interactions.get(principal, interaction_id))
        if found is None:
            raise NotFoundError.of("interaction", interaction_id)
        return found

    async def list(
        self, principal: Principal, query: InteractionQuery, listing: ListQuery, kind: InteractionType | None = None
    ) -> Page[Interaction]:
        """Newest first where the listing names no order. query: its retriever by id or name.

        Cost: with a filter, a search, a sort or a kind, all that the query's conditions leave.
        """

        def read(session: Session) -> Page[Interaction]:
            named = query.retriever_id
            owner = session.retrievers.get(principal, named) if named else None
            asked = replace(query, retriever_id=owner.retriever_id if owner else named)
            own = None if kind is None else Condition("interaction_type", Operator.EQ, kind.value)
            wanted = replace(listing.window, filter=both(listing.filter, own))
            return session.interactions.page(principal, asked, wanted)

        return await self._metadata.read(read)

    async def delete(self, principal: Principal, interaction_id: str) -> None:
        """Raises: NotFoundError."""
        if not await self._metadata.write(lambda session: session.interactions.delete(principal, interaction_id)):
            raise NotFoundError.of("interaction", interaction_id)

    async def delete_user(self, principal: Principal, user_id: str) -> int:
        """Everything that is kept of somebody, a few at a time; how many there were. Sent again, it goes on."""
        removed = 0
        while True:
            count = await self._metadata.write(
                lambda session: session.interactions.delete_user(principal, user_id, _CHUNK)
            )
            removed += count
            if count < _CHUNK:
                break
        # What others told of this user's searches names him by his own weights.
        while await self._metadata.write(
            lambda session: session.fusion_credits.forget_person(principal, person_of(user_id), _CHUNK)
        ):
            pass
        return removed


def _retriever_ids(session: Session, principal: Principal, names: Iterable[str | None]) -> dict[str, str]:
    """Raises: NotFoundError."""
    return {name: find_retriever(session, principal, name).retriever_id for name in {one for one in names if one}}


def _ran_by(session: Session, principal: Principal, execution_ids: Iterable[str | None]) -> dict[str, str]:
    """The saved retriever whose execution it was, by the execution, of those that this caller sees."""
    found = {}
    for execution_id in {one for one in execution_ids if one}:
        stored = session.executions.get(principal, execution_id)
        owner = None if stored is None else stored.header.retriever_id
        with suppress(NotFoundError):
            if owner is not None:
                found[execution_id] = find_retriever(session, principal, owner).retriever_id
    return found
