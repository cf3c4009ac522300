"""The organisation that the caller's key belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.organization import Organization, User
from tamis.model.principal import Principal
from tamis.services.json_values import check_json
from tamis.services.naming import check_name


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """users: none of them for a key with scopes."""

    organization: Organization
    users: Sequence[User]


class OrganizationService:
    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def get(self, principal: Principal) -> OrganizationView:
        return await self._metadata.read(lambda session: _view(session, principal))

    async def update(self, principal: Principal, changes: dict[str, Any]) -> OrganizationView:
        """changes: fields of Organization by name; metadata is replaced whole. Raises: ValidationError."""
        if "name" in changes:
            check_name(changes["name"], ["body", "organization_name"])
        check_json(changes.get("metadata"), ["body", "metadata"])

        def write(session: Session) -> OrganizationView:
            before = _view(session, principal).organization
            session.organizations.replace(principal, replace(before, **changes, updated_at=datetime.now(UTC)))
            return _view(session, principal)

        return await self._metadata.write(write)


def _view(session: Session, principal: Principal) -> OrganizationView:
    organization = session.organizations.get(principal)
    if organization is None:
        raise NotFoundError.of("organization", principal.organization_id)
    return OrganizationView(organization, () if principal.scopes else session.organizations.users(principal))
