"""Credits and spending on the wire: whole credits, rounded up; exactly in the summary of use."""

import math
from datetime import date, datetime

from pydantic import BaseModel, Field

from tamis.model.principal import AccountTier
from tamis.services.access.credits import MonthUsage, Spent, Standing

_MOST_CENTS = 10**12


class AddCreditsRequest(BaseModel):
    credits: int = Field(..., gt=0)


class AddCreditsResponse(BaseModel):
    credits_added: int
    new_balance: int
    new_tier: AccountTier
    previous_balance: int
    previous_tier: AccountTier
    tier_upgraded: bool


class SpendingCapsResponse(BaseModel):
    budget_percentage_used: float | None = None
    current_spending_cents: int
    current_spending_usd: float
    hard_cap_enabled: bool = False
    hard_spending_cap: int | None = None
    hard_spending_cap_usd: float | None = None
    monthly_spending_budget: int | None = None
    monthly_spending_budget_usd: float | None = None
    spending_alert_thresholds: list[int]
    spending_alerts_enabled: bool = True
    spending_alerts_sent: list[int]


class UpdateSpendingCapsRequest(BaseModel):
    """Amounts are US cents."""

    hard_cap_enabled: bool | None = None
    hard_spending_cap: int | None = Field(None, ge=0, le=_MOST_CENTS)
    monthly_spending_budget: int | None = Field(None, ge=0, le=_MOST_CENTS)
    spending_alert_thresholds: list[int] | None = Field(None, max_length=20)
    spending_alerts_enabled: bool | None = None


class CurrentUsageResponse(BaseModel):
    """next_invoice_date: when the month ends; nothing is invoiced."""

    auto_billing_enabled: bool
    billing_month: str
    billing_period_end: datetime
    billing_period_start: datetime
    credit_rate: float = 0.001
    current_month_usage: int
    estimated_cost_usd: float
    next_invoice_date: datetime


class UsageBreakdownResponse(BaseModel):
    """by_operation: by an execution's mode.  by_extractor: extraction costs no credits."""

    billing_month: str
    by_extractor: dict[str, int]
    by_operation: dict[str, int]
    period_end: datetime
    period_start: datetime
    total_cost_usd: float
    total_credits: int


def caps_response(standing: Standing) -> SpendingCapsResponse:
    caps, cents = standing.caps, standing.month_cents
    budget = caps.monthly_budget_cents
    used = None if not budget else round(cents / budget * 100, 2)
    reached = [] if used is None or not caps.alerts_enabled else [t for t in caps.alert_thresholds if used >= t]
    return SpendingCapsResponse(
        budget_percentage_used=used,
        current_spending_cents=math.ceil(cents),
        current_spending_usd=round(cents / 100, 6),
        hard_cap_enabled=caps.hard_cap_enabled,
        hard_spending_cap=caps.hard_cap_cents,
        hard_spending_cap_usd=_usd(caps.hard_cap_cents),
        monthly_spending_budget=budget,
        monthly_spending_budget_usd=_usd(budget),
        spending_alert_thresholds=list(caps.alert_thresholds),
        spending_alerts_enabled=caps.alerts_enabled,
        spending_alerts_sent=reached,
    )


def current_response(month: MonthUsage) -> CurrentUsageResponse:
    return CurrentUsageResponse(
        auto_billing_enabled=False,
        billing_month=month.month,
        billing_period_end=month.ends_at,
        billing_period_start=month.starts_at,
        credit_rate=month.credit_rate_usd,
        current_month_usage=math.ceil(month.credits),
        estimated_cost_usd=month.cost_usd,
        next_invoice_date=month.ends_at,
    )


def breakdown_response(month: MonthUsage) -> UsageBreakdownResponse:
    operations: dict[str, float] = {}
    for one in month.spent:
        operations[one.operation] = operations.get(one.operation, 0.0) + one.credits
    return UsageBreakdownResponse(
        billing_month=month.month,
        by_extractor={},
        by_operation={name: math.ceil(credits) for name, credits in operations.items()},
        period_end=month.ends_at,
        period_start=month.starts_at,
        total_cost_usd=month.cost_usd,
        total_credits=math.ceil(month.credits),
    )


def _usd(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


class OperationUsage(BaseModel):
    """operation_type: an execution's mode."""

    cost_usd: float
    credits: float
    executions: int
    operation_type: str


class UsageSummaryResponse(BaseModel):
    """usage: what cost most first.  executions: those that cost anything."""

    end_date: date
    start_date: date
    total_cost: float
    total_credits: float
    usage: list[OperationUsage]


def summary_response(found: Spent) -> UsageSummaryResponse:
    sums: dict[str, tuple[float, int]] = {}
    for one in found.spent:
        credits, executions = sums.get(one.operation, (0.0, 0))
        sums[one.operation] = (credits + one.credits, executions + one.executions)
    total = sum(credits for credits, _ in sums.values())
    usage = [
        OperationUsage(
            operation_type=operation,
            credits=credits,
            cost_usd=round(credits * found.credit_rate_usd, 6),
            executions=executions,
        )
        for operation, (credits, executions) in sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    ]
    return UsageSummaryResponse(
        start_date=found.window.start,
        end_date=found.window.end,
        usage=usage,
        total_credits=total,
        total_cost=round(total * found.credit_rate_usd, 6),
    )
