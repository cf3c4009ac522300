"""What the servers of one installation know together."""

from datetime import datetime
from typing import Protocol

from tamis.model.principal import Principal


class Installation(Protocol):
    def secret(self, offered: bytes) -> bytes:
        """The secret that links and sessions are signed with: the one that was offered first, whoever asks."""
        ...


class EndedSessions(Protocol):
    """Sessions that somebody signed out of, remembered until they would have ended anyway."""

    def add(self, principal: Principal, session_id: str, ends_at: datetime, now: datetime) -> None:
        """Forgets those of the organisation that have ended by now."""
        ...

    def has(self, principal: Principal, session_id: str) -> bool: ...
