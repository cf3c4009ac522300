# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `audit` sends and gets."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class AuditEventListResponse(TypedDict):
    limit: int
    results: list[AuditEventResponse]
    skip: int
    total: int


class AuditEventResponse(TypedDict):
    action: str
    actor_id: str
    actor_type: NotRequired[str]
    audit_id: str
    changes: NotRequired[dict[str, Any]]
    ip_address: NotRequired[str | None]
    key_id: NotRequired[str | None]
    namespace_id: NotRequired[str | None]
    request_id: NotRequired[str | None]
    resource_id: str
    resource_type: str
    status: NotRequired[str]
    timestamp: str
    user_agent: NotRequired[str | None]


class AuditSettingsModel(TypedDict):
    read_auditing_enabled: NotRequired[bool]
    retention_days: NotRequired[int | None]


class AuditSettingsUpdateRequest(TypedDict):
    read_auditing_enabled: NotRequired[bool | None]
    retention_days: NotRequired[int | None]
