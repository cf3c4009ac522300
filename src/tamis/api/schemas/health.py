"""Health on the wire."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from tamis.services.upkeep.health import Health


class HealthServiceStatus(BaseModel):
    """analytics is null: this server has no part of that name."""

    analytics: bool | None = None
    cache: bool
    inference: bool
    metadata: bool
    object_storage: bool
    task_queue: bool
    vector_store: bool


class HealthServiceErrors(BaseModel):
    analytics: str | None = None
    cache: str | None = None
    inference: str | None = None
    metadata: str | None = None
    object_storage: str | None = None
    task_queue: str | None = None
    vector_store: str | None = None


class HealthStatus(StrEnum):
    OK = "OK"
    DEGRADED = "DEGRADED"


class HealthCheckResponse(BaseModel):
    data: HealthServiceStatus
    errors: HealthServiceErrors | None = None
    meta: dict[str, Any] | None = None
    status: HealthStatus


class ProbeResponse(BaseModel):
    status: HealthStatus


class ReadinessResponse(BaseModel):
    """waiting_for: the parts, by their names in the contract, without which requests cannot be answered."""

    status: HealthStatus
    waiting_for: list[str]


def health_response(health: Health, with_facts: bool) -> HealthCheckResponse:
    """Everything that has no error is well."""
    well = {name: name not in health.errors for name in HealthServiceStatus.model_fields if name != "analytics"}
    return HealthCheckResponse(
        data=HealthServiceStatus(**well),
        errors=None if health.ok else HealthServiceErrors(**dict(health.errors)),
        meta=dict(health.facts) if with_facts else None,
        status=HealthStatus.OK if health.ok else HealthStatus.DEGRADED,
    )
