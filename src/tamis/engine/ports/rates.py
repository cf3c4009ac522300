"""Rates: how much a subject may take in a span of time, counted wherever all who count can see it.

A window slides: a rate of 60 in 60 s means that no span of 60 s, wherever it begins, holds more than 60. What was taken
is given back a little late, never early.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` in any `window_s` seconds. Both above 0."""

    limit: float
    window_s: float


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request takes of one subject's rate.

    subject: who pays, in the words of who asks, as `key:key_1:search`; one with two windows has two claims.
    amount: 0 or more, whole requests or parts of credits.
    """

    subject: str
    rate: Rate
    amount: float = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a claim's subject stands, after what this call took.

    used: in the window that ends now; above the limit where more was charged than there was.
    reset_s: until all of it is given back.
    retry_after_s: until the claim would be granted if nobody else came; 0 where it was, infinite where it never is.
    """

    claim: Claim
    used: float
    reset_s: float
    retry_after_s: float

    @property
    def remaining(self) -> float:
        return max(0.0, self.claim.rate.limit - self.used)


@dataclass(frozen=True, slots=True)
class Decision:
    """standings: of each claim, in their order."""

    is_granted: bool
    standings: tuple[Standing, ...]

    @property
    def tightest(self) -> Standing | None:
        """Whom to tell the caller of: who refused longest, else who has the smallest part left; None of no claims."""
        if not self.standings:
            return None
        if not self.is_granted:
            return max(self.standings, key=lambda one: one.retry_after_s)
        return min(self.standings, key=lambda one: (one.remaining / one.claim.rate.limit, -one.claim.rate.window_s))

    @property
    def retry_after_s(self) -> float:
        return max((one.retry_after_s for one in self.standings), default=0.0)


class Rates(Protocol):
    """Shared by all requests of a server, or by several servers. A wall clock that jumps changes nothing.

    The claims of one call differ in subject or window. Raises: ValueError where they do not.
    """

    async def take(self, claims: Sequence[Claim]) -> Decision:
        """Take every claim's amount, or nothing of any where one does not fit."""
        ...

    async def charge(self, claims: Sequence[Claim]) -> Decision:
        """Take every claim's amount whether it fits or not: for what is known only when it is spent."""
        ...

    async def look(self, claims: Sequence[Claim]) -> Decision:
        """What `take` would say, taking nothing."""
        ...

    async def close(self) -> None: ...


def whole_seconds(seconds: float) -> int:
    """For a header: rounded up, at least 1, at most a day."""
    return max(1, math.ceil(min(seconds, DAY_S)))
