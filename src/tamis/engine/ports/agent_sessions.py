"""Sessions with agents, and what was said in them, in the system of record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.agent_session import AgentMessage, AgentSession
from tamis.model.page import Page
from tamis.model.principal import Principal


class AgentSessions(Protocol):
    """A session that the caller's scopes do not hold is not there."""

    def insert(self, principal: Principal, session: AgentSession) -> None: ...
    def get(self, principal: Principal, session_id: str) -> AgentSession | None: ...
    def list(self, principal: Principal) -> Sequence[AgentSession]:
        """Newest first. Cost: all of the namespace's."""
        ...

    def page(self, principal: Principal, limit: int, offset: int) -> Page[AgentSession]:
        """Newest first; only for who sees the whole namespace, whose pages the index cuts."""
        ...

    def replace(self, principal: Principal, session: AgentSession) -> None:
        """Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, session_id: str) -> bool:
        """With all that was said in it."""
        ...

    def answering(self) -> Sequence[tuple[Principal, AgentSession]]:
        """Of every tenant, those in which a message is being answered."""
        ...

    def over(self, before: datetime, limit: int) -> Sequence[tuple[Principal, AgentSession]]:
        """Of every tenant, those that expired before then, the oldest first."""
        ...

    def say(self, principal: Principal, session_id: str, message: AgentMessage) -> None:
        """Store a message at its place, or put it there in place of what it was."""
        ...

    def said(self, principal: Principal, session_id: str, limit: int, offset: int) -> Page[AgentMessage]:
        """In order."""
        ...

    def last_said(self, principal: Principal, session_id: str, limit: int) -> Sequence[AgentMessage]:
        """The newest, in order."""
        ...

    def message(self, principal: Principal, session_id: str, message_id: str) -> AgentMessage | None: ...
