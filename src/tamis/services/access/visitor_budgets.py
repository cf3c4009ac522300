"""What one visitor may spend in a day: a budget of each, so that nobody spends what others are to have."""

import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tamis.engine.ports.locks import Locks, held
from tamis.engine.ports.rates import DAY_S, MINUTE_S, Claim, Rate, Rates, Standing, whole_seconds
from tamis.errors import TooManyRequestsError
from tamis.model.principal import Client, Principal

_MOST_WAITING = 8


@dataclass(slots=True)
class Purse:
    """left: credits that an execution may use at most; infinite where nothing bounds them.  spent: told at its end."""

    left: float = math.inf
    spent: float = 0.0


class VisitorBudgets:
    """One visitor's executions go one after another where he has a budget: what one spends, the next has not.

    A budget is of any 24 hours, not of a calendar's day.
    """

    def __init__(self, rates: Rates, locks: Locks) -> None:
        """locks: seen wherever the rates are."""
        self._rates = rates
        self._locks = locks
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def opened(self, principal: Principal) -> AsyncIterator[Purse]:
        """Raises: TooManyRequestsError: too many requests, nothing left, or too many at once."""
        client = principal.client
        if client is None:
            yield Purse()
            return
        await self._admit(client)
        if client.credits_per_day is None:
            yield Purse()
            return
        async with self._in_line(client.visitor):
            claim = Claim(f"visitor:{client.visitor}:credits", Rate(client.credits_per_day, DAY_S), 0.0)
            purse = Purse(await self._left(claim))
            try:
                yield purse
            finally:
                await self._rates.charge([Claim(claim.subject, claim.rate, purse.spent)])

    async def _admit(self, client: Client) -> None:
        if client.requests_per_minute is None:
            return
        rate = Rate(client.requests_per_minute, MINUTE_S)
        decision = await self._rates.take([Claim(f"visitor:{client.visitor}:requests", rate)])
        if not decision.is_granted:
            raise refusal(decision.standings[0], "this visitor", "requests a minute")

    async def _left(self, claim: Claim) -> float:
        standing = (await self._rates.look([claim])).standings[0]
        if standing.remaining <= 0:
            raise refusal(standing, "this visitor", "credits a day", standing.reset_s)
        return standing.remaining

    @asynccontextmanager
    async def _in_line(self, visitor: str) -> AsyncIterator[None]:
        if self._waiting[visitor] >= _MOST_WAITING:
            message = f"this visitor has {_MOST_WAITING} searches waiting for one another; wait for their answers"
            raise TooManyRequestsError(message, limit=_MOST_WAITING)
        self._waiting[visitor] += 1
        try:
            async with held(self._locks, f"visitor:{visitor}"):
                yield
        finally:
            self._waiting[visitor] -= 1
            if not self._waiting[visitor]:
                del self._waiting[visitor]


def refusal(standing: Standing, who: str, what: str, wait_s: float | None = None) -> TooManyRequestsError:
    """What somebody is told who has taken all that there was for now."""
    wait_s = standing.retry_after_s if wait_s is None else wait_s
    limit, seconds = standing.claim.rate.limit, whole_seconds(wait_s)
    return TooManyRequestsError(
        f"{who} may take {limit:g} {what}; try again in {seconds} s", retry_after_s=wait_s, limit=limit,
        retry_after=seconds,
    )  # fmt: skip
