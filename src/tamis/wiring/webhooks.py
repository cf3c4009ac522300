"""Who is told of changes: webhooks, and the worker that tells."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.outside import Outside
from tamis.services.access.webhooks import WebhookSecrets, WebhookService
from tamis.services.upkeep.webhook_deliveries import WebhookDeliveries


def webhooks_of(metadata: Metadata, outside: Outside, clock: Clock, locks: Locks, secret: bytes) -> Sequence[Any]:
    """secret: this installation's."""
    secrets = WebhookSecrets(secret)
    return (
        secrets,
        WebhookService(metadata, clock),
        WebhookDeliveries(metadata, outside, clock, locks, secrets),
    )
