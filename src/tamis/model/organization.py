"""An organisation, its users and its keys."""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import cast

from tamis.model.audit import AuditSettings
from tamis.model.json import JSON
from tamis.model.limits import RateLimits
from tamis.model.principal import AccountTier, NamespaceOperation, Permission, Scope


class UserRole(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING = "pending"


ROLE_PERMISSIONS = {
    UserRole.ADMIN: frozenset(Permission),
    UserRole.MEMBER: frozenset({Permission.READ, Permission.WRITE, Permission.DELETE}),
    UserRole.VIEWER: frozenset({Permission.READ}),
}
"""The most that a user's keys may do, whatever they say."""


@dataclass(frozen=True, slots=True)
class SpendingCaps:
    """Of a month, in US cents. alert_thresholds: percentages of the budget."""

    monthly_budget_cents: int | None = None
    hard_cap_cents: int | None = None
    hard_cap_enabled: bool = False
    alerts_enabled: bool = True
    alert_thresholds: tuple[int, ...] = (50, 75, 90, 100)


@dataclass(frozen=True, slots=True)
class Organization:
    """credits_granted: all that it was ever given; None where it never was, and nothing stops it."""

    organization_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, JSON] = field(default_factory=dict)
    billing_email: str | None = None
    logo_url: str | None = None
    tier: AccountTier = AccountTier.ENTERPRISE
    audit: AuditSettings = field(default_factory=AuditSettings)
    rate_limits: RateLimits | None = None
    credits_granted: int | None = None
    caps: SpendingCaps = field(default_factory=SpendingCaps)


@dataclass(frozen=True, slots=True)
class User:
    """role: of users from before there were roles, that of the first start's administrator."""

    user_id: str
    organization_id: str
    email: str
    created_at: datetime
    name: str = ""
    role: UserRole = UserRole.ADMIN
    status: UserStatus = UserStatus.ACTIVE
    updated_at: datetime | None = None
    avatar_url: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its hash, never itself. `prefix` is what people recognise it by.

    scopes: as the contract has them, each with the `namespace_id` that it lies in.
    previous_hash: of the secret before the last rotation, which opens until `previous_until`.
    token_key, previous_token_key: what client tokens signed with the secrets are verified by (`client_token`).
    """

    key_id: str
    organization_id: str
    user_id: str
    name: str
    key_hash: str
    prefix: str
    permissions: tuple[Permission, ...]
    created_at: datetime
    description: str = ""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    created_by: str | None = None
    rate_limit_override: int | None = None
    scopes: tuple[dict[str, JSON], ...] = ()
    previous_hash: str | None = None
    previous_until: datetime | None = None
    token_key: str | None = None
    previous_token_key: str | None = None

    def opens_with(self, key_hash: str, now: datetime) -> bool:
        """Whether the secret of this hash is the key's, or was until a rotation whose grace has not ended."""
        if hmac.compare_digest(self.key_hash, key_hash):
            return True
        if self.previous_hash is None or self.previous_until is None:
            return False
        return hmac.compare_digest(self.previous_hash, key_hash) and now < self.previous_until

    def verifies_with(self, key_hash: str) -> str | None:
        """The verification key of the secret of this hash; None of a key from before there were client tokens."""
        return self.token_key if hmac.compare_digest(self.key_hash, key_hash) else self.previous_token_key

    def revoked(self, by: str, at: datetime) -> "ApiKey":
        return replace(self, revoked_at=at, revoked_by=by, previous_hash=None, previous_until=None)

    def limits(self) -> tuple[Scope, ...]:
        """What a principal is held to. A scope of a kind that nothing enforces opens nothing."""
        return tuple(_limit(scope) for scope in self.scopes)

    def status(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class Holder:
    """A key with what it is a key of. user: None where it is gone, and its keys with it."""

    key: ApiKey
    organization: Organization
    user: User | None


def _limit(scope: dict[str, JSON]) -> Scope:
    kind, resource_id, namespace_id = (
        str(scope.get(name, "")) for name in ("resource_type", "resource_id", "namespace_id")
    )
    given = scope.get("operations")
    operations = None if given is None else frozenset(map(NamespaceOperation, cast(list[str], given)))
    if kind == "namespace":
        return Scope(resource_id, operations=operations)
    if kind == "collection":
        return Scope(namespace_id, operations=operations, collection_id=resource_id)
    return Scope(namespace_id, resource_id, operations) if kind == "retriever" else Scope("")
