"""What is open to the public, by the settings."""

from collections.abc import Sequence
from typing import Any

from tamis.auth.addresses import Addresses
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.rates import Rates
from tamis.engine.ports.secrets import Secrets
from tamis.services.learning.interactions import InteractionService
from tamis.services.public.passwords import Passwords
from tamis.services.public.public_limits import PublicRates
from tamis.services.public.public_retrievers import PublicRetrievers
from tamis.services.public.publishing import PublishingService
from tamis.services.runs.executions import ExecutionService
from tamis.settings import Settings


def publishing_of(
    settings: Settings, metadata: Metadata, executions: ExecutionService, rates: Rates, secret: bytes, clock: Clock,
    secrets: Secrets,
) -> Sequence[Any]:  # fmt: skip
    """Raises: ConfigurationError."""
    passwords = Passwords()
    return (
        Addresses(settings.trusted_proxies.split(",")),
        InteractionService(metadata, clock),
        PublishingService(metadata, clock, passwords, secrets, settings.max_published, settings.public_url),
        PublicRetrievers(metadata, executions, passwords, PublicRates(rates), secret, clock),
    )
