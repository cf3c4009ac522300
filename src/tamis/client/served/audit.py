# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `audit`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_audit import (
        AuditEventListResponse,
        AuditEventResponse,
        AuditSettingsModel,
        AuditSettingsUpdateRequest,
    )


class Audit(Noun):
    def list_logs(
        self,
        *,
        resource_type: str | None = None,
        resource_id: str | None = None,
        actor_id: str | None = None,
        action: str | None = None,
        start: str | None = None,
        end: str | None = None,
        skip: int | None = None,
        limit: int | None = None,
    ) -> AuditEventListResponse:
        """The organisation's audit log, newest first."""
        return self._ask(
            Call(
                "GET",
                "/organizations/audit/logs",
                query={
                    "resource_type": resource_type,
                    "resource_id": resource_id,
                    "actor_id": actor_id,
                    "action": action,
                    "start": start,
                    "end": end,
                    "skip": skip,
                    "limit": limit,
                },
            )
        )

    def get_log(self, audit_id: str) -> AuditEventResponse:
        """One event."""
        return self._ask(Call("GET", f"/organizations/audit/logs/{part(audit_id)}"))

    def get_settings(self) -> AuditSettingsModel:
        """Whether reading is noted too, and for how long events are kept."""
        return self._ask(Call("GET", "/organizations/audit/settings"))

    def update_settings(self, **body: Unpack[AuditSettingsUpdateRequest]) -> AuditSettingsModel:
        """Change the fields that are sent."""
        return self._ask(Call("PATCH", "/organizations/audit/settings", body=body))


class AsyncAudit(AsyncNoun):
    async def list_logs(
        self,
        *,
        resource_type: str | None = None,
        resource_id: str | None = None,
        actor_id: str | None = None,
        action: str | None = None,
        start: str | None = None,
        end: str | None = None,
        skip: int | None = None,
        limit: int | None = None,
    ) -> AuditEventListResponse:
        """The organisation's audit log, newest first."""
        return await self._ask(
            Call(
                "GET",
                "/organizations/audit/logs",
                query={
                    "resource_type": resource_type,
                    "resource_id": resource_id,
                    "actor_id": actor_id,
                    "action": action,
                    "start": start,
                    "end": end,
                    "skip": skip,
                    "limit": limit,
                },
            )
        )

    async def get_log(self, audit_id: str) -> AuditEventResponse:
        """One event."""
        return await self._ask(Call("GET", f"/organizations/audit/logs/{part(audit_id)}"))

    async def get_settings(self) -> AuditSettingsModel:
        """Whether reading is noted too, and for how long events are kept."""
        return await self._ask(Call("GET", "/organizations/audit/settings"))

    async def update_settings(self, **body: Unpack[AuditSettingsUpdateRequest]) -> AuditSettingsModel:
        """Change the fields that are sent."""
        return await self._ask(Call("PATCH", "/organizations/audit/settings", body=body))
