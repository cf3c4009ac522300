"""The audit log on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.model.audit import AuditEvent, AuditSettings
from tamis.model.page import Page


class AuditEventResponse(BaseModel):
    """changes: `before` and `after`; of an update the fields that differ."""

    action: str
    actor_id: str
    actor_type: str = "user"
    audit_id: str
    changes: dict[str, Any] = Field(default_factory=dict)
    ip_address: str | None = None
    key_id: str | None = None
    namespace_id: str | None = None
    request_id: str | None = None
    resource_id: str
    resource_type: str
    status: str = "success"
    timestamp: datetime
    user_agent: str | None = None


class AuditEventListResponse(BaseModel):
    limit: int
    results: list[AuditEventResponse]
    skip: int
    total: int


class AuditSettingsModel(BaseModel):
    """retention_days: null keeps events for ever."""

    read_auditing_enabled: bool = False
    retention_days: int | None = None


class AuditSettingsUpdateRequest(BaseModel):
    read_auditing_enabled: bool | None = None
    retention_days: int | None = Field(None, ge=1, le=36_500)


def event_response(event: AuditEvent) -> AuditEventResponse:
    return AuditEventResponse(
        action=event.action,
        actor_id=event.actor_id,
        actor_type=event.actor_type,
        audit_id=event.audit_id,
        changes=dict(event.changes),
        ip_address=event.address,
        key_id=event.key_id,
        namespace_id=event.namespace_id,
        request_id=event.request_id,
        resource_id=event.resource_id,
        resource_type=event.resource_type,
        status=event.status,
        timestamp=event.at,
        user_agent=event.user_agent,
    )


def page_response(page: Page[AuditEvent]) -> AuditEventListResponse:
    results = [event_response(event) for event in page.items]
    return AuditEventListResponse(results=results, total=page.total, skip=page.offset, limit=page.limit)


def settings_response(settings: AuditSettings) -> AuditSettingsModel:
    return AuditSettingsModel(read_auditing_enabled=settings.reads, retention_days=settings.retention_days)
