"""Who is told of changes, and what is still to be told.

The store that makes a change notes its event in the change's own transaction, for every webhook that listens.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.webhook import Delivery, DeliveryStatus, Webhook


class Webhooks(Protocol):
    """Of an organisation."""

    def insert(self, principal: Principal, webhook: Webhook) -> None:
        """Raises: AlreadyExistsError where the name is taken."""
        ...

    def get(self, principal: Principal, identifier: str) -> Webhook | None:
        """By id, else by name."""
        ...

    def list(self, principal: Principal) -> Sequence[Webhook]:
        """Newest first."""
        ...

    def replace(self, principal: Principal, webhook: Webhook) -> None:
        """Raises: AlreadyExistsError (name), NotFoundError."""
        ...

    def delete(self, principal: Principal, webhook_id: str) -> bool:
        """With all that it has to tell and has told."""
        ...


class Deliveries(Protocol):
    """The log of what webhooks tell."""

    def page(
        self, principal: Principal, webhook_id: str, status: DeliveryStatus | None, limit: int, offset: int
    ) -> Page[Delivery]:
        """Newest first. status: None takes all."""
        ...

    def due(self, now: datetime, busy: Sequence[str], limit: int) -> Sequence[tuple[Principal, Webhook, Delivery]]:
        """Of every tenant's active webhooks but these; of each resource the oldest that waits, where it is due."""
        ...

    def settle(self, principal: Principal, delivery: Delivery) -> None:
        """How an attempt went. One that is gone stays gone."""
        ...

    def again(self, principal: Principal, webhook_id: str, delivery_ids: Sequence[str] | None, now: datetime) -> int:
        """Let these wait to be told once more, None: all that failed; how many there were."""
        ...

    def trim(self, before: datetime, limit: int) -> int:
        """Forget the oldest that ended before then, of every tenant, at most `limit`; how many there were."""
        ...
