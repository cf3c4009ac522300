# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `usage` sends and gets."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class DayUsage(TypedDict):
    day: str
    failed_requests: int
    requests: int


class EndpointUsage(TypedDict):
    avg_duration_ms: float
    endpoint: str
    failed_requests: int
    requests: int


class KeyShare(TypedDict):
    failed_requests: int
    key_id: str
    requests: int


class KeyUsageResponse(TypedDict):
    days: list[DayUsage]
    end: str
    failed_requests: int
    key_id: str
    last_used_at: NotRequired[str | None]
    requests: int
    start: str


class OrganizationUsageResponse(TypedDict):
    credits_used: float
    days: list[DayUsage]
    end: str
    endpoints: list[EndpointUsage]
    failed_requests: int
    keys: list[KeyShare]
    organization_id: str
    requests: int
    start: str
