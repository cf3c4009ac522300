"""What happened in a namespace, for those who follow it. Stores note it in the transaction of each change."""

from collections.abc import Sequence
from typing import Protocol

from tamis.model.namespace_event import NamespaceEvent, Position
from tamis.model.principal import Principal


class NamespaceEvents(Protocol):
    def after(self, principal: Principal, position: Position, limit: int) -> Sequence[NamespaceEvent]:
        """The oldest of those beyond the position. Whoever goes on from the last of them misses none."""
        ...

    def recent(self, principal: Principal, limit: int) -> Sequence[NamespaceEvent]:
        """Newest first."""
        ...

    def newest(self, principal: Principal) -> Position:
        """Of the last event; what comes from now on is beyond it."""
        ...

    def reaches(self, principal: Principal, position: Position) -> bool:
        """Whether all that came after the position is still kept; not of one that this database never gave out."""
        ...

    def forget(self, principal: Principal) -> int:
        """The oldest, beyond as many as are kept; how many there were."""
        ...

    def trim(self) -> int:
        """`forget` of each namespace that has many too many, of every tenant; how many there were."""
        ...
