"""The rates of one process: windows that slide by twentieths; of too many, the least recently used are forgotten."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from tamis.engine.ports.rates import Claim, Decision, Standing

_PARTS = 20
"""What was taken is given back by the twentieth of a window: a minute's three seconds late at most."""
_SLACK = 1e-9
"""Parts of credits are sums of fractions."""

_Place = tuple[str, float]


class _Window:
    """What a subject took, by the part of the window that it was taken in; `parts`: [number, amount], oldest first."""

    __slots__ = ("part_s", "parts", "used", "window_s")

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self.part_s = window_s / _PARTS
        self.parts: list[list[float]] = []
        self.used = 0.0

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

    def reset_s(self, now: float) -> float:
        return self._given_back_at(self.parts[-1][0]) - now if self.parts else 0.0

    def wait_s(self, now: float, amount: float, limit: float) -> float:
        """Until `amount` fits under `limit`."""
        too_much = self.used + amount - limit
        if too_much <= _SLACK:
            return 0.0
        if amount > limit + _SLACK:
            return math.inf
        for number, taken in self.parts:
            too_much -= taken
            if too_much <= _SLACK:
                return self._given_back_at(number) - now
        return self.reset_s(now)

    def _given_back_at(self, number: float) -> float:
        """Its last moment is then a whole window ago."""
        return (number + 1) * self.part_s + self.window_s


class MemoryRates:
    def __init__(self, capacity: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        """capacity: subjects' windows at once, of 500 to 2,000 bytes each.

        clock: seconds; where it goes back, it stands.
        """
        self._capacity = capacity
        self._clock = clock
        self._now = -math.inf
        self._windows: OrderedDict[_Place, _Window] = OrderedDict()

    async def take(self, claims: Sequence[Claim]) -> Decision:
        # Nothing here waits, so no other request comes between the look and the taking.
        now, found = self._settled(claims)
        decision = _decision(now, claims, found)
        if not decision.is_granted:
            return decision
        self._add(now, claims, found)
        return _after(now, claims, found)

    async def charge(self, claims: Sequence[Claim]) -> Decision:
        now, found = self._settled(claims)
        self._add(now, claims, found)
        return _after(now, claims, found)

    async def look(self, claims: Sequence[Claim]) -> Decision:
        now, found = self._settled(claims)
        return _decision(now, claims, found)

    async def close(self) -> None:
        self._windows.clear()

    def __len__(self) -> int:
        """Subjects' windows that are remembered."""
        return len(self._windows)

    def _settled(self, claims: Sequence[Claim]) -> tuple[float, list[_Window]]:
        self._now = now = max(self._now, self._clock())
        found: dict[_Place, _Window] = {}
        for claim in claims:
            place = (claim.subject, claim.rate.window_s)
            window = self._windows.get(place)
            if window is None:
                window = _Window(claim.rate.window_s)
            else:
                window.settle(now)
                self._windows.move_to_end(place)
            found[place] = window
        if len(found) < len(claims):
            raise ValueError("two claims of one call are of the same subject and window")
        return now, list(found.values())

    def _add(self, now: float, claims: Sequence[Claim], found: Sequence[_Window]) -> None:
        for claim, window in zip(claims, found, strict=True):
            window.add(now, claim.amount)
            if window.parts:
                self._windows[claim.subject, claim.rate.window_s] = window
        self._make_room(now)

    def _make_room(self, now: float) -> None:
        """The one that was asked for longest ago goes, and those beside it that hold nothing any more."""
        while len(self._windows) > self._capacity:
            self._windows.popitem(last=False)
        for _ in range(2):
            place = next(iter(self._windows), None)
            if place is None:
                return
            window = self._windows[place]
            window.settle(now)
            if window.parts:
                return
            del self._windows[place]


def _decision(now: float, claims: Sequence[Claim], found: Sequence[_Window]) -> Decision:
    standings = tuple(
        Standing(claim, window.used, window.reset_s(now), window.wait_s(now, claim.amount, claim.rate.limit))
        for claim, window in zip(claims, found, strict=True)
    )
    return Decision(all(one.retry_after_s == 0 for one in standings), standings)


def _after(now: float, claims: Sequence[Claim], found: Sequence[_Window]) -> Decision:
    return Decision(
        True,
        tuple(
            Standing(claim, window.used, window.reset_s(now), 0.0) for claim, window in zip(claims, found, strict=True)
        ),
    )
