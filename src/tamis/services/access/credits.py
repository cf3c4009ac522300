"""An organisation's credits: what it was given, what it spent this month and ever, and where it is to stop."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError, ValidationError
from tamis.model.organization import Organization, SpendingCaps
from tamis.model.principal import Principal
from tamis.model.usage import Spending, UsageWindow

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MOST_CREDITS = 10**15
_USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """How an organisation stands. balance: None where it was never given credits, and may spend what it likes.

    month_cents: what this month's executions cost.
    """

    balance: float | None
    month_cents: float
    caps: SpendingCaps

    @property
    def is_capped(self) -> bool:
        cap = self.caps.hard_cap_cents
        return self.caps.hard_cap_enabled and cap is not None and self.month_cents >= cap


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """month: as `2026-11`.  ends_at: the first moment that is no longer in it."""

    month: str
    starts_at: datetime
    ends_at: datetime
    spent: Sequence[Spending]
    credit_rate_usd: float

    @property
    def credits(self) -> float:
        return sum(one.credits for one in self.spent)

    @property
    def cost_usd(self) -> float:
        return round(self.credits * self.credit_rate_usd, 6)


@dataclass(frozen=True, slots=True)
class Spent:
    """Between two days, both inside."""

    window: UsageWindow
    spent: Sequence[Spending]
    credit_rate_usd: float


class CreditService:
    """credit_rate_usd: what a credit is worth."""

    def __init__(self, metadata: Metadata, clock: Clock, credit_rate_usd: float) -> None:
        self._metadata = metadata
        self._clock = clock
        self._rate = credit_rate_usd

    async def standing(self, principal: Principal) -> Standing:
        window = _days(self._clock.now())

        def read(session: Session) -> Standing:
            organization = _organization(session, principal)
            month = sum(one.credits for one in session.credits.spent(principal, window))
            return Standing(balance_of(session, principal, organization), month * self._rate * 100, organization.caps)

        return await self._metadata.read(read)

    async def add(self, principal: Principal, credits: int) -> tuple[float, float]:
        """The balance before and after. From the first credits on an organisation stops when it has spent them.

        Raises: ValidationError.
        """

        def write(session: Session) -> tuple[float, float]:
            before = _organization(session, principal)
            granted = before.credits_granted
            # What was spent before there were credits is no debt.
            start = math.ceil(_spent(session, principal)) if granted is None else granted
            if start + credits > _MOST_CREDITS:
                raise ValidationError.at(["body", "credits"], f"an organisation has at most {_MOST_CREDITS} credits")
            after = replace(before, credits_granted=start + credits, updated_at=self._clock.now())
            session.organizations.replace(principal, after)
            balance = balance_of(session, principal, after) or 0.0
            return max(0.0, balance - credits), balance

        return await self._metadata.write(write)

    async def change_caps(self, principal: Principal, changes: Mapping[str, Any]) -> Standing:
        """changes: fields of SpendingCaps by name. Raises: ValidationError."""

        def write(session: Session) -> None:
            before = _organization(session, principal)
            caps = replace(before.caps, **changes)
            if caps.hard_cap_enabled and caps.hard_cap_cents is None:
                raise ValidationError.at(["body", "hard_spending_cap"], "a hard cap that is enabled has an amount")
            session.organizations.replace(principal, replace(before, caps=caps, updated_at=self._clock.now()))

        await self._metadata.write(write)
        return await self.standing(principal)

    async def month(self, principal: Principal, month: str | None = None) -> MonthUsage:
        """month: as `2026-11`; None is this one. Raises: ValidationError."""
        first = _first_of(self._clock.now().date()) if month is None else _read_month(month)
        window = UsageWindow(first, _next(first) - timedelta(days=1))
        spent = await self._metadata.read(lambda session: session.credits.spent(principal, window))
        return MonthUsage(f"{first:%Y-%m}", _midnight(first), _midnight(_next(first)), spent, self._rate)

    async def spent(self, principal: Principal, start: datetime | None, end: datetime | None) -> Spent:
        """Whole days of UTC, the last 30 where nothing is said. Raises: ValidationError."""
        last = (end or self._clock.now()).date()
        first = last - timedelta(days=_USUAL_DAYS - 1) if start is None else start.date()
        if first > last:
            raise ValidationError.at(
                ["query", "start_date"], "not after 'end_date', which is today where it is left out"
            )
        window = UsageWindow(first, last)
        return Spent(
            window, await self._metadata.read(lambda session: session.credits.spent(principal, window)), self._rate
        )


def balance_of(session: Session, principal: Principal, organization: Organization) -> float | None:
    """None where it was never given credits."""
    granted = organization.credits_granted
    return None if granted is None else granted - _spent(session, principal)


def _spent(session: Session, principal: Principal) -> float:
    return sum(one.credits for one in session.credits.spent(principal))


def _organization(session: Session, principal: Principal) -> Organization:
    found = session.organizations.get(principal)
    if found is None:
        raise NotFoundError.of("organization", principal.organization_id)
    return found


def _days(now: datetime) -> UsageWindow:
    first = _first_of(now.date())
    return UsageWindow(first, _next(first) - timedelta(days=1))


def _first_of(day: date) -> date:
    return day.replace(day=1)


def _next(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _read_month(text: str) -> date:
    found = _MONTH.fullmatch(text)
    if found is None or not 1970 <= int(found[1]) <= 9998:
        raise ValidationError.at(["query", "billing_month"], "a month, as 2026-11")
    return date(int(found[1]), int(found[2]), 1)
