"""The audit log: who changed what."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.audit import (
    AuditEventListResponse,
    AuditEventResponse,
    AuditSettingsModel,
    AuditSettingsUpdateRequest,
    event_response,
    page_response,
    settings_response,
)
from tamis.api.users import Limit, Skip
from tamis.errors import ValidationError
from tamis.model.audit import AuditQuery
from tamis.model.instants import instant
from tamis.services.access.audit import AuditService

router = APIRouter(prefix="/v1/organizations/audit", tags=["audit"], route_class=JsonRoute)

Audit = Annotated[AuditService, Depends(service(AuditService))]
Word = Annotated[str | None, Query(max_length=320)]


@router.get("/logs")
async def list_audit_logs(
    principal: OrganizationAdmin,
    audit: Audit,
    resource_type: Word = None,
    resource_id: Word = None,
    actor_id: Word = None,
    action: Word = None,
    start: Word = None,
    end: Word = None,
    skip: Skip = 0,
    limit: Limit = 50,
) -> AuditEventListResponse:
    """The organisation's audit log, newest first."""
    query = AuditQuery(
        resource_type, resource_id, actor_id, action, _moment("start", start), _moment("end", end), skip, limit
    )
    return page_response(await audit.page(principal, query))


@router.get("/logs/{audit_id}")
async def get_audit_log(principal: OrganizationAdmin, audit_id: str, audit: Audit) -> AuditEventResponse:
    """One event."""
    return event_response(await audit.get(principal, audit_id))


@router.get("/settings")
async def get_audit_settings(principal: OrganizationAdmin, audit: Audit) -> AuditSettingsModel:
    """Whether reading is noted too, and for how long events are kept."""
    return settings_response(await audit.settings(principal))


@router.patch("/settings")
async def update_audit_settings(
    principal: OrganizationAdmin, body: AuditSettingsUpdateRequest, audit: Audit
) -> AuditSettingsModel:
    """Change the fields that are sent."""
    settings = await audit.settings(principal)
    if body.read_auditing_enabled is not None:
        settings = replace(settings, reads=body.read_auditing_enabled)
    if "retention_days" in body.model_fields_set:
        settings = replace(settings, retention_days=body.retention_days)
    return settings_response(await audit.change_settings(principal, settings))


def _moment(name: str, text: str | None) -> datetime | None:
    moment = None if text is None else instant(text)
    if text is not None and moment is None:
        raise ValidationError.at(["query", name], "a time of RFC 3339 or a date, as 2026-01-31T12:00:00Z")
    return moment
