"""The hard stop: an organisation whose credits are gone, or whose month has reached its cap, runs nothing more."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.rates import DAY_S
from tamis.errors import CreditsSpentError
from tamis.model.principal import Principal
from tamis.services.access.credits import Standing

_REMEMBERED_MS = 5_000.0
"""How long credits that are added, or a cap that is raised, may go unnoticed, and what another server spends."""


@dataclass(slots=True)
class _Account:
    """left: credits when it was read, less what was spent here since; infinite where nothing stops it."""

    standing: Standing | None
    left: float
    until_ms: float


class CreditStop:
    """standing: how an organisation stands, exactly; asked only of one that has credits or a hard cap.

    What runs when the credits end is run to its end: an organisation overdraws by that at most.
    """

    def __init__(self, metadata: Metadata, standing: Callable[[Principal], Awaitable[Standing]], clock: Clock) -> None:
        self._metadata = metadata
        self._standing = standing
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    async def check(self, principal: Principal) -> None:
        """Raises: CreditsSpentError."""
        account = self._accounts.get(principal.organization_id)
        if account is None or account.until_ms <= self._clock.monotonic_ms():
            account = self._accounts[principal.organization_id] = await self._read(principal)
        if account.standing is None:
            return
        if account.standing.is_capped:
            raise _refusal("this month's hard spending cap is reached", "hard_spending_cap")
        if account.left <= 0:
            raise _refusal("this organization has no credits left", "credits")

    def spent(self, principal: Principal, credits: float) -> None:
        """An execution has cost so much."""
        account = self._accounts.get(principal.organization_id)
        if account is not None:
            account.left -= credits

    def forget(self) -> None:
        """Call where credits or caps were changed: what follows is read anew."""
        self._accounts.clear()

    async def _read(self, principal: Principal) -> _Account:
        until_ms = self._clock.monotonic_ms() + _REMEMBERED_MS
        if not await self._metadata.read_now(lambda session: _is_bounded(session, principal)):
            return _Account(None, math.inf, until_ms)
        standing = await self._standing(principal)
        return _Account(standing, math.inf if standing.balance is None else standing.balance, until_ms)


def _is_bounded(session: Session, principal: Principal) -> bool:
    organization = session.organizations.get(principal)
    return organization is not None and (organization.credits_granted is not None or organization.caps.hard_cap_enabled)


def _refusal(message: str, api_name: str) -> CreditsSpentError:
    return CreditsSpentError(
        message, retry_after_s=DAY_S, api_name=api_name, subject="organization", retry_after=int(DAY_S)
    )
