"""What the system of record keeps about its use: who changed what, how much was asked, what it cost; and secrets."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from tamis.model.audit import AuditEvent, AuditQuery
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.stored_secret import StoredSecret
from tamis.model.usage import Spending, UsageCount, UsageRow, UsageSlot, UsageWindow


class Audit(Protocol):
    """Every change of a resource is noted by the store itself, in the change's own transaction."""

    def note(self, principal: Principal, events: Sequence[AuditEvent]) -> None:
        """What is no change: that something was read."""
        ...

    def get(self, principal: Principal, audit_id: str) -> AuditEvent | None: ...
    def page(self, principal: Principal, query: AuditQuery) -> Page[AuditEvent]:
        """Newest first."""
        ...

    def trim(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete the oldest of those from before then, at most `limit`; how many there were."""
        ...


class Usage(Protocol):
    def add(self, counts: Mapping[UsageSlot, UsageCount], used_at: Mapping[tuple[str, str], datetime]) -> None:
        """Of every tenant, by what each slot names. used_at: when (organisation, key) was used last."""
        ...

    def rows(self, principal: Principal, window: UsageWindow, key_id: str | None = None) -> Sequence[UsageRow]:
        """By day, then endpoint, then key."""
        ...

    def last_used(self, principal: Principal) -> Mapping[str, datetime]:
        """By key id, of keys that were used."""
        ...

    def trim(self, principal: Principal, before: date, limit: int) -> int:
        """Delete the oldest rows from before that day, at most `limit`; how many there were."""
        ...


class Credits(Protocol):
    """What executions cost, counted in the transaction that keeps their record, and what else is charged."""

    def charge(self, principal: Principal, operation: str, day: date, credits: float) -> None:
        """For what is no execution, on this day of UTC. credits: from 0 on; 0 leaves no trace."""
        ...

    def spent(self, principal: Principal, window: UsageWindow | None = None) -> Sequence[Spending]:
        """In all namespaces of the organisation; None is all of time."""
        ...


class StoredSecrets(Protocol):
    def put(self, principal: Principal, secret: StoredSecret) -> None:
        """Under its name, in place of one that is there."""
        ...

    def get(self, principal: Principal, name: str) -> StoredSecret | None: ...
    def list(self, principal: Principal) -> Sequence[StoredSecret]:
        """By name."""
        ...

    def delete(self, principal: Principal, name: str) -> bool: ...
    def everyones(self) -> Sequence[tuple[Principal, StoredSecret]]:
        """Of every tenant: what the server opens to use it."""
        ...
