"""Who may do what, what they did, and what it cost: the services around keys."""

from collections.abc import Sequence
from typing import Any

from tamis.auth.gate import Gate
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata
from tamis.outside.vault import Vault
from tamis.services.access.audit import AuditService
from tamis.services.access.credits import CreditService
from tamis.services.access.idempotency import IdempotencyService
from tamis.services.access.keys import KeyService
from tamis.services.access.organizations import OrganizationService
from tamis.services.access.secrets import SecretService
from tamis.services.access.usage import Bookkeeper, UsageMeter
from tamis.services.access.users import UserService
from tamis.services.access.versions import VersionService
from tamis.services.upkeep.patient_clock import PatientClock
from tamis.settings import Settings
from tamis.wiring.limits import tiers_of
from tamis.wiring.secrets import key_ring_of


def access_of(settings: Settings, metadata: Metadata, clock: Clock, gate: Gate, vault: Vault) -> Sequence[Any]:
    """Raises: ConfigurationError."""
    secrets = SecretService(metadata, key_ring_of(settings), vault)
    audit, usage = AuditService(metadata), UsageMeter(metadata, clock)
    return (
        OrganizationService(metadata, tiers_of(settings), gate.forget),
        IdempotencyService(metadata, clock),
        VersionService(metadata),
        KeyService(metadata, gate.forget),
        UserService(metadata, gate.forget),
        CreditService(metadata, clock, settings.credit_rate_usd),
        secrets,
        audit,
        usage,
        Bookkeeper(
            PatientClock(clock), (usage.flush, secrets.load, audit.refresh), (audit.forget_due, usage.forget_due)
        ),
    )
