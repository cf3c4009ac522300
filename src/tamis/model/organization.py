"""An organisation, its users and its keys."""

from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.json import JSON
from tamis.model.principal import Permission


@dataclass(frozen=True, slots=True)
class Organization:
    organization_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, JSON] = field(default_factory=dict)
    billing_email: str | None = None
    logo_url: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    user_id: str
    organization_id: str
    email: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its hash, never itself. `prefix` is what people recognise it by."""

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

    def status(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"
