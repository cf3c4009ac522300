"""How much was asked, by key, endpoint and day."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.usage import (
    EndpointUsage,
    KeyUsageResponse,
    OrganizationUsageResponse,
    endpoints,
    key_usage,
    organization_usage,
)
from tamis.errors import ValidationError
from tamis.model.instants import instant
from tamis.model.usage import UsageWindow
from tamis.services.access.usage import KEPT_DAYS, UsageMeter

router = APIRouter(prefix="/v1/organizations", tags=["usage"], route_class=JsonRoute)

Meter = Annotated[UsageMeter, Depends(service(UsageMeter))]
Day = Annotated[str | None, Query(max_length=50)]
_USUAL_DAYS = 30


def _window(start: Day = None, end: Day = None) -> UsageWindow:
    """Whole days of UTC, both inside; the last 30 where nothing is said."""
    last = _day("end", end) or datetime.now(UTC).date()
    first = _day("start", start) or last - timedelta(days=_USUAL_DAYS - 1)
    if first > last:
        raise ValidationError.at(["query", "start"], "not after 'end'")
    if (last - first).days > KEPT_DAYS:
        raise ValidationError.at(["query", "start"], f"at most {KEPT_DAYS} days before 'end': no more are kept")
    return UsageWindow(first, last)


def _day(name: str, text: str | None) -> date | None:
    moment = None if text is None else instant(text)
    if text is not None and (moment is None or not 1970 <= moment.year <= 9998):
        raise ValidationError.at(["query", name], "a date, as 2026-01-31, or a time of RFC 3339")
    return None if moment is None else moment.date()


Window = Annotated[UsageWindow, Depends(_window)]


@router.get("/usage")
async def get_organization_usage(
    principal: OrganizationAdmin, meter: Meter, window: Window
) -> OrganizationUsageResponse:
    """Requests of all keys, exact to the last one answered, and what executions cost."""
    return organization_usage(principal.organization_id, await meter.of_organization(principal, window))


@router.get("/api-keys/{key_id}/usage")
async def get_key_usage(principal: OrganizationAdmin, key_id: str, meter: Meter, window: Window) -> KeyUsageResponse:
    """Requests of one key by day, and when it was used last."""
    return key_usage(key_id, await meter.of_key(principal, key_id, window))


@router.get("/api-keys/{key_id}/usage/endpoints")
async def get_key_endpoints(
    principal: OrganizationAdmin, key_id: str, meter: Meter, window: Window
) -> list[EndpointUsage]:
    """What one key asked for, most asked first."""
    return endpoints((await meter.of_key(principal, key_id, window)).rows)
