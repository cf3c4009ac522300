"""What webhooks have to tell is told: at least once, in the order of each resource, again and again until it is heard.

Events wait in the record, noted with the change that they tell of, so no kill loses one. One that is told and whose
answer gets lost is told again under the same id.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import orjson

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Locks, held
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.outside import Fetch, Outside
from tamis.errors import TamisError
from tamis.model.principal import Principal
from tamis.model.webhook import Delivery, DeliveryStatus, Event, Webhook
from tamis.services.access.webhooks import WebhookSecrets

WAITS_S = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0, 43200.0)
"""After each attempt that failed; after the last one a delivery has failed."""
POLL_S = 1.0
_AT_ONCE = 32
_OF_ONE = 4
_KEPT = timedelta(days=30)
_TRIM_EVERY_S = 3600.0
_TRIMMED = 1000
_TRIM_FOLLOWED_EVERY_S = 60.0
_LOG = logging.getLogger(__name__)


class WebhookDeliveries:
    """locks: of several servers one tells."""

    def __init__(
        self, metadata: Metadata, outside: Outside, clock: Clock, locks: Locks, secrets: WebhookSecrets,
        waits_s: tuple[float, ...] = WAITS_S, poll_s: float = POLL_S,
    ) -> None:  # fmt: skip
        self._metadata = metadata
        self._outside = outside
        self._clock = clock
        self._locks = locks
        self._secrets = secrets
        self._waits_s = waits_s
        self._poll_s = poll_s
        self._task: asyncio.Task[None] | None = None
        self._flying: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._trim_at_ms = self._trim_followed_at_ms = 0.0

    def start(self) -> None:
        """What an earlier server left is told at once, in the background."""
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def close(self) -> None:
        """What is being told may be told again by the next start."""
        tasks = [task for _, task in self._flying.values()] + ([self._task] if self._task else [])
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                async with held(self._locks, "webhooks") as hold:
                    while await hold.stands():
                        await self._launch()
                        await self._trim()
                        await self._trim_followed()
                        await self._rest()
            except Exception:
                _LOG.exception("what webhooks have to tell could not be looked at; that is tried again")
            await asyncio.sleep(self._poll_s)

    async def _launch(self) -> None:
        """Begin to tell what is due, a few of each webhook at once, so that one that stalls keeps no other waiting."""
        room = _AT_ONCE - len(self._flying)
        if room <= 0:
            return
        of_each = Counter(webhook_id for webhook_id, _ in self._flying.values())
        busy = [webhook_id for webhook_id, count in of_each.items() if count >= _OF_ONE]
        now, limit = self._clock.now(), room + len(self._flying)
        for principal, webhook, delivery in await self._metadata.read(
            lambda session: session.deliveries.due(now, busy, limit)
        ):
            is_new = delivery.delivery_id not in self._flying
            if is_new and of_each[webhook.webhook_id] < _OF_ONE and len(self._flying) < _AT_ONCE:
                of_each[webhook.webhook_id] += 1
                task = asyncio.create_task(self._tell(principal, webhook, delivery))
                self._flying[delivery.delivery_id] = (webhook.webhook_id, task)

    async def _rest(self) -> None:
        """Until one is told, or it is time to look again."""
        if not self._flying:
            await asyncio.sleep(self._poll_s)
            return
        tasks = [task for _, task in self._flying.values()]
        await asyncio.wait(tasks, timeout=self._poll_s, return_when=asyncio.FIRST_COMPLETED)
        self._flying = {key: one for key, one in self._flying.items() if not one[1].done()}

    async def _tell(self, principal: Principal, webhook: Webhook, delivery: Delivery) -> None:
        try:
            told = await self._attempted(principal, webhook, delivery)
            await self._metadata.write(lambda session: session.deliveries.settle(principal, told))
        except Exception:
            # It waits as it did, and the round after the next poll comes to it again.
            _LOG.exception("delivery %s could not be settled; it is tried again", delivery.delivery_id)
            await asyncio.sleep(self._poll_s)

    async def _attempted(self, principal: Principal, webhook: Webhook, delivery: Delivery) -> Delivery:
        answered, error = None, None
        if delivery.target >= len(webhook.targets):
            return self._ended(delivery, DeliveryStatus.FAILED, None, "the webhook has no such channel any more")
        try:
            answered = await self._sent(principal, webhook, delivery)
            if not 200 <= answered < 300:
                error = f"the receiver answered {answered}"
        except TamisError as failure:
            error = failure.message
        if error is None:
            return self._ended(delivery, DeliveryStatus.DELIVERED, answered, None)
        if delivery.attempts >= len(self._waits_s):
            return self._ended(delivery, DeliveryStatus.FAILED, answered, error)
        due_at = self._clock.now() + timedelta(seconds=self._waits_s[delivery.attempts])
        return replace(delivery, attempts=delivery.attempts + 1, due_at=due_at, answered=answered, error=error)

    async def _sent(self, principal: Principal, webhook: Webhook, delivery: Delivery) -> int:
        """The receiver's status. Raises: OutsideRefusedError, OutsideError, SecretRefusedError."""
        target, body = webhook.targets[delivery.target], event_body(principal, delivery.event)
        at_s = int(self._clock.now().timestamp())
        ours = self._secrets.headers(webhook.webhook_id, delivery.event.event_id, at_s, body)
        fetch = Fetch(
            target.url, "POST", headers={**ours, "content-type": "application/json"}, body=body,
            secret_headers=target.headers, timeout_s=target.timeout_s, max_redirects=0,
        )  # fmt: skip
        return (await self._outside.fetch(principal, fetch)).status

    def _ended(self, delivery: Delivery, status: DeliveryStatus, answered: int | None, error: str | None) -> Delivery:
        now = self._clock.now()
        attempts = delivery.attempts + 1
        return replace(
            delivery, status=status, attempts=attempts, answered=answered, error=error, due_at=now, ended_at=now
        )

    async def _trim(self) -> None:
        """Forget what ended a month ago."""
        if self._clock.monotonic_ms() < self._trim_at_ms:
            return
        self._trim_at_ms = self._clock.monotonic_ms() + _TRIM_EVERY_S * 1000
        before = self._clock.now() - _KEPT
        while await self._metadata.write(lambda session: session.deliveries.trim(before, _TRIMMED)):
            pass

    async def _trim_followed(self) -> None:
        """Of what is kept for those who follow a namespace, forget the oldest."""
        if self._clock.monotonic_ms() < self._trim_followed_at_ms:
            return
        self._trim_followed_at_ms = self._clock.monotonic_ms() + _TRIM_FOLLOWED_EVERY_S * 1000
        await self._metadata.write(lambda session: session.namespace_events.trim())


def event_body(principal: Principal, event: Event) -> bytes:
    """What a receiver reads: the same bytes in every telling."""
    return orjson.dumps(
        {
            "id": event.event_id,
            "type": event.event_type,
            "timestamp": event.at,
            "organization_id": principal.organization_id,
            "namespace_id": event.namespace_id,
            "resource_id": event.resource_id,
            "data": event.data,
        }
    )
