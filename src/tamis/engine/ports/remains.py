"""What deletes leave to be done outside of the system of record, noted in the transaction that deletes."""

from collections.abc import Sequence
from typing import Protocol

from tamis.model.principal import Principal
from tamis.model.remain import Remain


class Remains(Protocol):
    """Kept when the namespace is gone: that is when they are needed."""

    def note(self, principal: Principal, remains: Sequence[Remain]) -> None: ...
    def pending(self, limit: int) -> Sequence[tuple[Principal, Remain]]:
        """Of every tenant, oldest first."""
        ...

    def forget(self, principal: Principal, remain_ids: Sequence[str]) -> None:
        """These are gone now."""
        ...
