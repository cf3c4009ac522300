"""Answers that are kept under idempotency keys, in the system of record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What became of a request that named itself by an idempotency key.

    token: a digest of that key.  fingerprint: a digest of what was asked.  created_id: of what it made, where known.
    status, body: the answer, its body sealed; None until it is kept, and for ever where the server stopped before.
    """

    token: str
    fingerprint: str
    created_at: datetime
    created_id: str | None = None
    status: int | None = None
    body: bytes | None = None


class Answers(Protocol):
    """Answers that are given again to who asks the same again, of each API key by itself."""

    def get(self, principal: Principal, token: str) -> KeptAnswer | None: ...
    def insert(self, principal: Principal, answer: KeptAnswer, over: datetime) -> None:
        """One of the same token that was kept before `over` makes room; else raises AlreadyExistsError."""
        ...

    def complete(self, principal: Principal, token: str, status: int, body: bytes) -> None: ...
    def remove(self, principal: Principal, token: str) -> None: ...
    def forget(self, principal: Principal, before: datetime, keep: int, limit: int) -> int:
        """Of the key's answers at most `limit` of those kept before then, or beyond the newest `keep`."""
        ...
