"""Health of the server and its parts; no key is needed, and nobody's data is shown."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from tamis.api.access import service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.health import (
    HealthCheckResponse,
    HealthStatus,
    ProbeResponse,
    ReadinessResponse,
    health_response,
)
from tamis.services.upkeep.health import HealthService

router = APIRouter(tags=["health"], route_class=JsonRoute)

Checks = Annotated[HealthService, Depends(service(HealthService))]


@router.get("/v1/health")
async def healthcheck(
    checks: Checks, deep: Annotated[bool, Query()] = False, metrics: Annotated[bool, Query()] = False
) -> HealthCheckResponse:
    """How each part is. `deep` also runs the embedding model, `metrics` adds what the parts say of themselves."""
    return health_response(await checks.check(deep), metrics)


@router.get("/livez", include_in_schema=False)
async def live() -> ProbeResponse:
    """The process answers."""
    return ProbeResponse(status=HealthStatus.OK)


@router.get("/readyz", include_in_schema=False)
async def ready(checks: Checks, response: Response) -> ReadinessResponse:
    """Requests can be answered; 503 where they cannot, and why."""
    waiting_for = list(await checks.ready())
    if waiting_for:
        response.status_code = 503
        response.headers["Retry-After"] = "1"
    return ReadinessResponse(status=HealthStatus.DEGRADED if waiting_for else HealthStatus.OK, waiting_for=waiting_for)
