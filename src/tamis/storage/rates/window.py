"""What one subject took in a span of time that slides by twentieths."""

import math
from collections.abc import Iterable

from tamis.engine.ports.rates import Claim, Standing

PARTS = 20
"""What was taken is given back by the twentieth of a window: a minute's three seconds late at most."""
SLACK = 1e-9
"""Parts of credits are sums of fractions."""


class Window:
    """By the part of the window that it was taken in; `parts`: [number, amount], oldest first."""

    __slots__ = ("part_s", "parts", "used", "window_s")

    def __init__(self, window_s: float, parts: Iterable[list[float]] = ()) -> None:
        self.window_s = window_s
        self.part_s = window_s / PARTS
        self.parts: list[list[float]] = list(parts)
        self.used = math.fsum(amount for _, amount in self.parts)

    def settle(self, now: float) -> None:
        parts = self.parts
        while parts and self._given_back_at(parts[0][0]) <= now:
            self.used -= parts.pop(0)[1]
        if not parts:
            self.used = 0.0

    def add(self, now: float, amount: float) -> None:
        if not amount:
            return
        number = math.floor(now / self.part_s)
        if self.parts and self.parts[-1][0] >= number:
            self.parts[-1][1] += amount
        else:
            self.parts.append([number, amount])
        self.used += amount

    def standing(self, now: float, claim: Claim, *, is_taken: bool = False) -> Standing:
        """is_taken: whether the claim's amount is in it already."""
        wait_s = 0.0 if is_taken else self._wait_s(now, claim.amount, claim.rate.limit)
        return Standing(claim, self.used, self._reset_s(now), wait_s)

    def _reset_s(self, now: float) -> float:
        return self._given_back_at(self.parts[-1][0]) - now if self.parts else 0.0

    def _wait_s(self, now: float, amount: float, limit: float) -> float:
        """Until `amount` fits under `limit`."""
        too_much = self.used + amount - limit
        if too_much <= SLACK:
            return 0.0
        if amount > limit + SLACK:
            return math.inf
        for number, taken in self.parts:
            too_much -= taken
            if too_much <= SLACK:
                return self._given_back_at(number) - now
        return self._reset_s(now)

    def _given_back_at(self, number: float) -> float:
        """Its last moment is then a whole window ago."""
        return (number + 1) * self.part_s + self.window_s
