"""Credits: what is left, what a month cost by what spent it, and where spending is to stop."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.services.access.credits import CreditService, MonthUsage, Standing
from tamis.studio import fields
from tamis.studio.visit import Visit

_MONTHS = 12
_MOST_CREDITS = 10**12
_MOST_CENTS = 10**12


async def show(visit: Visit) -> Response:
    principal = await visit.ruling()
    service = visit.service(CreditService)
    standing = await service.standing(principal)
    month = await service.month(principal, visit.asked("month") or None)
    names = {one.namespace_id: one.name for one in visit.namespaces}
    return visit.page(
        "credits.html",
        standing=standing,
        month=month,
        months=_months(datetime.now(UTC)),
        meter=_meter(standing),
        spending=_by_namespace(month, names),
    )


async def give(visit: Visit) -> Response:
    principal = await visit.ruling()
    credits = fields.whole(visit.field("credits"), "credits", 1, _MOST_CREDITS)
    if credits is None:
        raise BadRequestError("credits: how many to give, from 1", field="credits")
    await visit.service(CreditService).add(principal, credits)
    return visit.moved("/settings/credits")


async def change_caps(visit: Visit) -> Response:
    principal = await visit.ruling()
    changes: dict[str, Any] = {
        "monthly_budget_cents": _cents(visit, "budget"),
        "hard_cap_cents": _cents(visit, "cap"),
        "hard_cap_enabled": visit.field("cap_enabled") == "yes",
    }
    await visit.service(CreditService).change_caps(principal, changes)
    return visit.moved("/settings/credits")


def _cents(visit: Visit, name: str) -> int | None:
    dollars = fields.number(visit.field(name), name, _MOST_CENTS / 100)
    return None if dollars is None else round(dollars * 100)


def _meter(standing: Standing) -> dict[str, Any] | None:
    """This month against its budget, else its cap, as a drawn bar. None where neither is set."""
    caps = standing.caps
    most = max(caps.monthly_budget_cents or 0, caps.hard_cap_cents or 0)
    if not most:
        return None
    marks = [("budget", caps.monthly_budget_cents), ("cap", caps.hard_cap_cents if caps.hard_cap_enabled else None)]
    return {
        "share": min(100.0, 100 * standing.month_cents / most),
        "marks": [(kind, 100 * cents / most, cents) for kind, cents in marks if cents is not None],
        "is_over": caps.monthly_budget_cents is not None and standing.month_cents >= caps.monthly_budget_cents,
    }


def _by_namespace(month: MonthUsage, names: dict[str, str]) -> list[dict[str, Any]]:
    most = max((one.credits for one in month.spent), default=0) or 1.0
    return [
        {"operation": one.operation, "namespace": names.get(one.namespace_id, one.namespace_id),
         "credits": one.credits, "executions": one.executions, "share": 100 * one.credits / most}
        for one in sorted(month.spent, key=lambda one: (-one.credits, one.namespace_id, one.operation))
    ]  # fmt: skip


def _months(now: datetime) -> list[str]:
    """The newest first, as `2026-11`."""
    count = now.year * 12 + now.month - 1
    return [f"{(count - n) // 12}-{(count - n) % 12 + 1:02d}" for n in range(_MONTHS)]
