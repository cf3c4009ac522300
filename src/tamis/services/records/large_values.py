"""Values too large to stand in a record, put back where they were."""

from typing import TypeVar

from tamis.engine.ports.metadata import Session
from tamis.executions.references import restore
from tamis.model.principal import Principal

LARGEST_RESTORED_BYTES = 256 * 1024 * 1024

V = TypeVar("V")


class LargeValues:
    """Restores references out of a namespace's blobs, at most `LARGEST_RESTORED_BYTES` in all.

    The bound is for what only looks like a reference: callers may send such, over and over, in their inputs.
    """

    def __init__(self, session: Session, principal: Principal, room_bytes: int = LARGEST_RESTORED_BYTES) -> None:
        self._session = session
        self._principal = principal
        self._room_bytes = room_bytes

    def restored(self, value: V) -> V:
        """A reference whose value is gone, or for which there is no room, stays."""
        whole: V = restore(value, self._fetch)
        return whole

    def _fetch(self, sha1: str) -> bytes | None:
        data = self._session.input_blobs.get(self._principal, sha1) if self._room_bytes > 0 else None
        if data is None or len(data) > self._room_bytes:
            return None
        self._room_bytes -= len(data)
        return data
