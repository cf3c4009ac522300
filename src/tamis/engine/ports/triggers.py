"""What begins work by itself, each time that it did, and what batches ask for, in the system of record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.trigger import DueRun, Firing, Trigger


class Triggers(Protocol):
    def insert(self, principal: Principal, trigger: Trigger) -> None: ...
    def get(self, principal: Principal, trigger_id: str) -> Trigger | None: ...
    def list(self, principal: Principal) -> Sequence[Trigger]:
        """Newest first."""
        ...

    def replace(self, principal: Principal, trigger: Trigger) -> None:
        """Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, trigger_id: str) -> bool:
        """With its history."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[tuple[Principal, Trigger]]:
        """Of every tenant, active ones whose time has come, the oldest first."""
        ...


class Firings(Protocol):
    """Times that triggers fired, and how the work that they began ended."""

    def insert(self, principal: Principal, firing: Firing) -> None:
        """Raises: AlreadyExistsError where its trigger fired for that moment."""
        ...

    def page(self, principal: Principal, trigger_id: str, limit: int, offset: int) -> Page[Firing]:
        """Newest first."""
        ...

    def settle(self, principal: Principal, firing: Firing) -> bool:
        """How it ended; false where that was known, or it is gone."""
        ...

    def open(self, limit: int) -> Sequence[tuple[Principal, Firing]]:
        """Of every tenant, whose end is not known yet, the oldest first."""
        ...

    def trim(self, principal: Principal, trigger_id: str, kept: int) -> None:
        """Forget all but the newest."""
        ...


class DueRuns(Protocol):
    """Runs of clusters that batches asked for."""

    def put(self, principal: Principal, run: DueRun) -> None:
        """Where one of the cluster waits already, that one stays."""
        ...

    def postpone(self, principal: Principal, run: DueRun) -> None:
        """To its new `due_at`."""
        ...

    def delete(self, principal: Principal, cluster_id: str) -> bool: ...
    def due(self, now: datetime, limit: int) -> Sequence[tuple[Principal, DueRun]]:
        """Of every tenant, those whose time has come, the oldest first."""
        ...
