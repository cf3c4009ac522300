"""The rates of one process; of too many subjects, the least recently used are forgotten."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from tamis.engine.ports.rates import Claim, Decision
from tamis.storage.rates.window import Window

_Place = tuple[str, float]


class MemoryRates:
    def __init__(self, capacity: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        """capacity: subjects' windows at once, of 500 to 2,000 bytes each.

        clock: seconds; where it goes back, it stands.
        """
        self._capacity = capacity
        self._clock = clock
        self._now = -math.inf
        self._windows: OrderedDict[_Place, Window] = OrderedDict()

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

    def _settled(self, claims: Sequence[Claim]) -> tuple[float, list[Window]]:
        self._now = now = max(self._now, self._clock())
        found: dict[_Place, Window] = {}
        for claim in claims:
            place = (claim.subject, claim.rate.window_s)
            window = self._windows.get(place)
            if window is None:
                window = Window(claim.rate.window_s)
            else:
                window.settle(now)
                self._windows.move_to_end(place)
            found[place] = window
        if len(found) < len(claims):
            raise ValueError("two claims of one call are of the same subject and window")
        return now, list(found.values())

    def _add(self, now: float, claims: Sequence[Claim], found: Sequence[Window]) -> None:
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


def _decision(now: float, claims: Sequence[Claim], found: Sequence[Window]) -> Decision:
    standings = tuple(window.standing(now, claim) for claim, window in zip(claims, found, strict=True))
    return Decision(all(one.retry_after_s == 0 for one in standings), standings)


def _after(now: float, claims: Sequence[Claim], found: Sequence[Window]) -> Decision:
    taken = zip(claims, found, strict=True)
    return Decision(True, tuple(window.standing(now, claim, is_taken=True) for claim, window in taken))
