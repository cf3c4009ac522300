"""How often and how many at once."""

import asyncio
import time
from collections.abc import Callable, Hashable
from weakref import WeakValueDictionary

from tamis.errors import OutsideError

_MOST_KEPT = 10_000


class Pace:
    """Each key may go so many times in a period, in a burst or spread out (GCRA, the leaky bucket as a meter)."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._next_s: dict[Hashable, float] = {}

    async def wait(self, key: Hashable, times: int, period_s: float, patience_s: float) -> None:
        """Raises: OutsideError where its turn would not come within `patience_s`; that takes no turn."""
        interval_s, now_s = period_s / times, self._now_s()
        due_s = max(self._next_s.get(key, now_s), now_s)
        delay_s = due_s - now_s - (period_s - interval_s)
        if delay_s > patience_s:
            raise OutsideError(f"more than {times} requests in {period_s:g} s to this host; it is asked no more often")
        if len(self._next_s) >= _MOST_KEPT:
            self._next_s = {other: due for other, due in self._next_s.items() if due > now_s}
        self._next_s[key] = due_s + interval_s
        if delay_s > 0:
            await asyncio.sleep(delay_s)


class Places:
    """So many at once for each key; whoever comes later waits."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._of: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, key: Hashable) -> asyncio.Semaphore:
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = asyncio.Semaphore(self._count)
        return found
