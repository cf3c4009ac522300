"""The organisation that the caller's key belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError, ValidationError
from tamis.model.limits import UNBOUNDED, UNLIMITED, OperationKind, RateLimits, TierLimits
from tamis.model.organization import Organization, User
from tamis.model.principal import AccountTier, Principal
from tamis.services.access.credits import balance_of
from tamis.services.json_values import check_json
from tamis.services.naming import check_name


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """users: none of them for a key with scopes.  rate_limits: what holds; None where nothing does.

    balance: of credits; None where it was never given any.
    """

    organization: Organization
    users: Sequence[User]
    rate_limits: RateLimits | None = None
    balance: float | None = None


class OrganizationService:
    def __init__(
        self,
        metadata: Metadata,
        tiers: Mapping[AccountTier, TierLimits] | None = None,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """forget: called after every change, so that no gate remembers what no longer holds."""
        self._metadata = metadata
        self._tiers = tiers or {}
        self._forget = forget

    async def get(self, principal: Principal) -> OrganizationView:
        return await self._metadata.read(lambda session: self._view(session, principal))

    async def update(self, principal: Principal, changes: dict[str, Any]) -> OrganizationView:
        """changes: fields of Organization by name; metadata is replaced whole, rate_limits by kind of operation.

        Raises: ValidationError.
        """
        if "name" in changes:
            check_name(changes["name"], ["body", "organization_name"])
        check_json(changes.get("metadata"), ["body", "metadata"])

        def write(session: Session) -> OrganizationView:
            before = self._view(session, principal).organization
            sent = changes.get("rate_limits")
            rates = before.rate_limits if "rate_limits" not in changes else self._own_rates(before, sent)
            after = replace(before, **{**changes, "rate_limits": rates}, updated_at=datetime.now(UTC))
            session.organizations.replace(principal, after)
            return self._view(session, principal)

        view = await self._metadata.write(write)
        self._forget()
        return view

    def _view(self, session: Session, principal: Principal) -> OrganizationView:
        organization = session.organizations.get(principal)
        if organization is None:
            raise NotFoundError.of("organization", principal.organization_id)
        users = () if principal.scopes else session.organizations.users(principal)
        rates = organization.rate_limits or self._rates(organization.tier)
        return OrganizationView(organization, users, rates, balance_of(session, principal, organization))

    def _rates(self, tier: AccountTier) -> RateLimits | None:
        return self._tiers.get(tier, UNLIMITED).requests_per_minute

    def _own_rates(self, before: Organization, sent: Mapping[OperationKind, int] | None) -> RateLimits | None:
        """What is not sent stays. An organisation may bound itself, not free itself. Raises: ValidationError."""
        if sent is None:
            return None
        tiers = self._rates(before.tier)
        holding = before.rate_limits or tiers
        for kind, rate in sent.items():
            if tiers is not None and rate > tiers.of(kind):
                message = f"at most {tiers.of(kind)} a minute, which is what the organization's tier has"
                raise ValidationError.at(["body", "rate_limits", str(kind)], message)
        rates = {kind: holding.of(kind) if holding else UNBOUNDED for kind in OperationKind} | dict(sent)
        return RateLimits(**{kind.value: rate for kind, rate in rates.items()})
