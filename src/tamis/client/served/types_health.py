# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `health` sends and gets."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class HealthCheckResponse(TypedDict):
    data: HealthServiceStatus
    errors: NotRequired[HealthServiceErrors | None]
    meta: NotRequired[dict[str, Any] | None]
    status: HealthStatus


class HealthServiceErrors(TypedDict):
    analytics: NotRequired[str | None]
    cache: NotRequired[str | None]
    inference: NotRequired[str | None]
    metadata: NotRequired[str | None]
    object_storage: NotRequired[str | None]
    task_queue: NotRequired[str | None]
    vector_store: NotRequired[str | None]


class HealthServiceStatus(TypedDict):
    analytics: NotRequired[bool | None]
    cache: bool
    inference: bool
    metadata: bool
    object_storage: bool
    task_queue: bool
    vector_store: bool


HealthStatus: TypeAlias = Literal["OK", "DEGRADED"]
