"""The operator's own hand on keys, users, secrets and the audit log: straight on the system of record."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError
from tamis.model.audit import OPERATOR
from tamis.model.organization import Organization
from tamis.model.principal import Permission, Principal
from tamis.outside.secrets import SecretStore
from tamis.outside.vault import Vault
from tamis.services.access.audit import AuditService
from tamis.services.access.keys import Created, KeyService
from tamis.services.access.secrets import SecretService
from tamis.services.access.users import UserService
from tamis.services.upkeep.first_start import add_organization
from tamis.settings import Settings
from tamis.wiring.backends import open_metadata
from tamis.wiring.secrets import key_ring_of


@dataclass(frozen=True, slots=True)
class Desk:
    """principal: the operator, in one organisation. What is changed here, a running server sees within five seconds."""

    principal: Principal
    metadata: Metadata
    keys: KeyService
    users: UserService
    audit: AuditService
    secrets: SecretService

    async def organizations(self) -> list[Organization]:
        """Of the whole server, the oldest first."""
        every = await self.metadata.read(lambda session: session.organizations.everyones())
        return sorted(every, key=lambda one: (one.created_at, one.organization_id))

    async def add_organization(self, name: str, email: str) -> tuple[Organization, Created]:
        """With an administrator and a key. Raises: ValidationError."""
        return await add_organization(self.metadata, name, email)


@contextlib.asynccontextmanager
async def open_desk(settings: Settings, organization: str | None = None) -> AsyncIterator[Desk]:
    """Beside a running server or without one. organization: id or name; else the one that the first start made.

    Raises: ConflictError before the first start, NotFoundError, ConfigurationError.
    """
    path = settings.data_dir / "tamis.sqlite3"
    if settings.database_url is None and not path.exists():
        raise ConflictError(f"{settings.data_dir} holds no data yet: start the server once with `tamis serve`")
    ring = key_ring_of(settings)
    metadata = await open_metadata(settings, path)
    try:
        principal = await metadata.read(lambda session: _operator(session, organization))
        yield Desk(
            principal,
            metadata,
            KeyService(metadata, lambda: None),
            UserService(metadata, lambda: None),
            AuditService(metadata),
            SecretService(metadata, ring, Vault(SecretStore())),
        )
    finally:
        await metadata.close()


def _operator(session: Session, organization: str | None) -> Principal:
    found = session.organizations.first()
    if found is None:
        raise ConflictError("there is no organisation yet: start the server once with `tamis serve`")
    if organization is not None:
        fitting = [one for one in session.organizations.everyones() if organization in (one.organization_id, one.name)]
        if len(fitting) > 1:
            raise ConflictError(f"several organisations are called {organization!r}: give the id")
        if not fitting:
            raise NotFoundError.of("organization", organization)
        found = fitting[0]
    return Principal(found.organization_id, permissions=frozenset({Permission.ADMIN}), user_id=OPERATOR)
