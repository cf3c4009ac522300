# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `credits`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_credits import (
        AddCreditsRequest,
        AddCreditsResponse,
        CurrentUsageResponse,
        SpendingCapsResponse,
        UpdateSpendingCapsRequest,
        UsageBreakdownResponse,
    )


class Credits(Noun):
    def get_spending_caps(self) -> SpendingCapsResponse:
        """What this month cost, beside its budget and its cap."""
        return self._ask(Call("GET", "/organizations/billing/spending-caps"))

    def update_spending_caps(
        self, *, idempotency_key: str | None = None, **body: Unpack[UpdateSpendingCapsRequest]
    ) -> SpendingCapsResponse:
        """Change the fields that are sent. A hard cap that is reached stops executions until the month ends."""
        return self._ask(Call("POST", "/organizations/billing/spending-caps", body=body, key=idempotency_key or ""))

    def get_usage_breakdown(self, *, billing_month: str | None = None) -> UsageBreakdownResponse:
        """Credits of a month, as `2026-11`, by what spent them."""
        return self._ask(Call("GET", "/organizations/billing/usage/breakdown", query={"billing_month": billing_month}))

    def get_current_usage(self) -> CurrentUsageResponse:
        """Credits that this month's executions cost."""
        return self._ask(Call("GET", "/organizations/billing/usage/current"))

    def add(self, *, idempotency_key: str | None = None, **body: Unpack[AddCreditsRequest]) -> AddCreditsResponse:
        """Give the organisation credits. From the first on, executions stop when they are spent."""
        return self._ask(Call("POST", "/organizations/credits", body=body, key=idempotency_key or ""))


class AsyncCredits(AsyncNoun):
    async def get_spending_caps(self) -> SpendingCapsResponse:
        """What this month cost, beside its budget and its cap."""
        return await self._ask(Call("GET", "/organizations/billing/spending-caps"))

    async def update_spending_caps(
        self, *, idempotency_key: str | None = None, **body: Unpack[UpdateSpendingCapsRequest]
    ) -> SpendingCapsResponse:
        """Change the fields that are sent. A hard cap that is reached stops executions until the month ends."""
        return await self._ask(
            Call("POST", "/organizations/billing/spending-caps", body=body, key=idempotency_key or "")
        )

    async def get_usage_breakdown(self, *, billing_month: str | None = None) -> UsageBreakdownResponse:
        """Credits of a month, as `2026-11`, by what spent them."""
        return await self._ask(
            Call("GET", "/organizations/billing/usage/breakdown", query={"billing_month": billing_month})
        )

    async def get_current_usage(self) -> CurrentUsageResponse:
        """Credits that this month's executions cost."""
        return await self._ask(Call("GET", "/organizations/billing/usage/current"))

    async def add(self, *, idempotency_key: str | None = None, **body: Unpack[AddCreditsRequest]) -> AddCreditsResponse:
        """Give the organisation credits. From the first on, executions stop when they are spent."""
        return await self._ask(Call("POST", "/organizations/credits", body=body, key=idempotency_key or ""))
