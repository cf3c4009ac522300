"""Credits, spending and where it stops. There is no shop: nothing is paid for or invoiced."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.credits import (
    AddCreditsRequest,
    AddCreditsResponse,
    CurrentUsageResponse,
    SpendingCapsResponse,
    UpdateSpendingCapsRequest,
    UsageBreakdownResponse,
    breakdown_response,
    caps_response,
    current_response,
)
from tamis.errors import ValidationError
from tamis.services.access.credits import CreditService

router = APIRouter(prefix="/v1/organizations", tags=["credits"], route_class=JsonRoute)

Credits = Annotated[CreditService, Depends(service(CreditService))]

_FIELDS = {
    "hard_cap_enabled": "hard_cap_enabled",
    "hard_spending_cap": "hard_cap_cents",
    "monthly_spending_budget": "monthly_budget_cents",
    "spending_alert_thresholds": "alert_thresholds",
    "spending_alerts_enabled": "alerts_enabled",
}
_NEVER_NULL = ("hard_cap_enabled", "spending_alert_thresholds", "spending_alerts_enabled")


@router.post("/credits")
async def add_credits(principal: OrganizationAdmin, body: AddCreditsRequest, credits: Credits) -> AddCreditsResponse:
    """Give the organisation credits. From the first on, executions stop when they are spent."""
    before, after = await credits.add(principal, body.credits)
    return AddCreditsResponse(
        credits_added=body.credits,
        new_balance=math.floor(after),
        new_tier=principal.tier,
        previous_balance=math.floor(before),
        previous_tier=principal.tier,
        tier_upgraded=False,
    )


@router.get("/billing/spending-caps")
async def get_spending_caps(principal: OrganizationAdmin, credits: Credits) -> SpendingCapsResponse:
    """What this month cost, beside its budget and its cap."""
    return caps_response(await credits.standing(principal))


@router.post("/billing/spending-caps")
async def update_spending_caps(
    principal: OrganizationAdmin, body: UpdateSpendingCapsRequest, credits: Credits
) -> SpendingCapsResponse:
    """Change the fields that are sent. A hard cap that is reached stops executions until the month ends."""
    return caps_response(await credits.change_caps(principal, _changes(body)))


def _changes(body: UpdateSpendingCapsRequest) -> dict[str, Any]:
    for name in _NEVER_NULL:
        if name in body.model_fields_set and getattr(body, name) is None:
            raise ValidationError.at(["body", name], "may be left out, but not be null")
    for place, percent in enumerate(body.spending_alert_thresholds or []):
        if not 1 <= percent <= 1000:
            raise ValidationError.at(["body", "spending_alert_thresholds", place], "a percentage from 1 to 1000")
    sent = {_FIELDS[name]: getattr(body, name) for name in _FIELDS if name in body.model_fields_set}
    if "alert_thresholds" in sent:
        sent["alert_thresholds"] = tuple(sorted(set(sent["alert_thresholds"])))
    return sent


@router.get("/billing/usage/current")
async def get_current_usage(principal: OrganizationAdmin, credits: Credits) -> CurrentUsageResponse:
    """Credits that this month's executions cost."""
    return current_response(await credits.month(principal))


@router.get("/billing/usage/breakdown")
async def get_usage_breakdown(
    principal: OrganizationAdmin, credits: Credits, billing_month: Annotated[str | None, Query(max_length=20)] = None
) -> UsageBreakdownResponse:
    """Credits of a month, as `2026-11`, by what spent them."""
    return breakdown_response(await credits.month(principal, billing_month))
