# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `credits` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import AccountTier


class AddCreditsRequest(TypedDict):
    credits: int


class AddCreditsResponse(TypedDict):
    credits_added: int
    new_balance: int
    new_tier: AccountTier
    previous_balance: int
    previous_tier: AccountTier
    tier_upgraded: bool


class CurrentUsageResponse(TypedDict):
    auto_billing_enabled: bool
    billing_month: str
    billing_period_end: str
    billing_period_start: str
    credit_rate: NotRequired[float]
    current_month_usage: int
    estimated_cost_usd: float
    next_invoice_date: str


class SpendingCapsResponse(TypedDict):
    budget_percentage_used: NotRequired[float | None]
    current_spending_cents: int
    current_spending_usd: float
    hard_cap_enabled: NotRequired[bool]
    hard_spending_cap: NotRequired[int | None]
    hard_spending_cap_usd: NotRequired[float | None]
    monthly_spending_budget: NotRequired[int | None]
    monthly_spending_budget_usd: NotRequired[float | None]
    spending_alert_thresholds: list[int]
    spending_alerts_enabled: NotRequired[bool]
    spending_alerts_sent: list[int]


class UpdateSpendingCapsRequest(TypedDict):
    hard_cap_enabled: NotRequired[bool | None]
    hard_spending_cap: NotRequired[int | None]
    monthly_spending_budget: NotRequired[int | None]
    spending_alert_thresholds: NotRequired[list[int] | None]
    spending_alerts_enabled: NotRequired[bool | None]


class UsageBreakdownResponse(TypedDict):
    billing_month: str
    by_extractor: dict[str, int]
    by_operation: dict[str, int]
    period_end: str
    period_start: str
    total_cost_usd: float
    total_credits: int
