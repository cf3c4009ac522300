"""Limits by the settings."""

from collections.abc import Mapping

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata
from tamis.model.limits import NOUNS, RateLimits, TierLimits
from tamis.model.principal import AccountTier
from tamis.services.access.admission import Admission
from tamis.services.access.credit_stop import CreditStop
from tamis.services.access.credits import CreditService
from tamis.services.runs.turns import TurnLimits, Turns
from tamis.settings import Settings, Tier


def tiers_of(settings: Settings) -> Mapping[AccountTier, TierLimits]:
    return {tier: _limits(getattr(settings.tiers, tier.value)) for tier in AccountTier}


def _limits(tier: Tier) -> TierLimits:
    rates = tier.requests_per_minute
    given = {noun: getattr(tier, noun) for noun in NOUNS}
    quotas = {noun: most for noun, most in given.items() if most is not None}
    return TierLimits(RateLimits(**rates.model_dump()) if rates else None, tier.executions, quotas or None)


def turns_of(settings: Settings, admission: Admission, metadata: Metadata, clock: Clock) -> Turns:
    credits = CreditService(metadata, clock, settings.credit_rate_usd)
    limits = TurnLimits(
        settings.max_executions, settings.max_executions_of_key, settings.execution_queue, settings.execution_wait_s
    )
    stop = CreditStop(metadata, credits.standing, clock)
    return Turns(limits, lambda principal: admission.limits_of(principal).executions, stop)
