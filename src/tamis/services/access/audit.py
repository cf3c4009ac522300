"""The audit log, read; its settings; and what is due to be forgotten of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.audit import AuditEvent, AuditQuery, AuditSettings
from tamis.model.organization import Organization
from tamis.model.page import Page
from tamis.model.principal import Principal

_CHUNK = 500


class AuditService:
    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._reads: set[str] = set()

    async def page(self, principal: Principal, query: AuditQuery) -> Page[AuditEvent]:
        """Newest first."""
        return await self._metadata.read(lambda session: session.audit.page(principal, query))

    async def get(self, principal: Principal, audit_id: str) -> AuditEvent:
        """Raises: NotFoundError."""
        found = await self._metadata.read(lambda session: session.audit.get(principal, audit_id))
        if found is None:
            raise NotFoundError.of("audit event", audit_id)
        return found

    async def settings(self, principal: Principal) -> AuditSettings:
        return (await self._metadata.read(lambda session: _organization(session, principal))).audit

    async def change_settings(self, principal: Principal, settings: AuditSettings) -> AuditSettings:
        def write(session: Session) -> None:
            before = _organization(session, principal)
            session.organizations.replace(principal, replace(before, audit=settings, updated_at=datetime.now(UTC)))

        await self._metadata.write(write)
        await self.refresh()
        return settings

    def notes_reads(self, principal: Principal) -> bool:
        """Whether the organisation wants reading noted; asked at every request, so it asks no storage."""
        return principal.organization_id in self._reads

    async def refresh(self) -> None:
        """Look who wants reading noted: at the start and now and then."""
        every = await self._metadata.read(lambda session: session.organizations.everyones())
        self._reads = {one.organization_id for one in every if one.audit.reads}

    async def forget_due(self, now: datetime) -> int:
        """Delete what is older than its organisation keeps it; how many events."""
        every = await self._metadata.read(lambda session: session.organizations.everyones())
        return sum([await self._forget(one, now) for one in every if one.audit.retention_days is not None])

    async def _forget(self, organization: Organization, now: datetime) -> int:
        principal = Principal(organization.organization_id)
        before = now - timedelta(days=organization.audit.retention_days or 0)
        removed, count = 0, _CHUNK
        while count == _CHUNK:
            count = await self._metadata.write(lambda session: session.audit.trim(principal, before, _CHUNK))
            removed += count
        return removed


def _organization(session: Session, principal: Principal) -> Organization:
    found = session.organizations.get(principal)
    if found is None:
        raise NotFoundError.of("organization", principal.organization_id)
    return found
