"""What a site's robots.txt lets this server read (RFC 9309), kept for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from protego import Protego

from tamis.errors import OutsideError, OutsideRefusedError
from tamis.outside.targets import Target

LARGEST = 512 * 1024
"""Bytes: as many as RFC 9309 asks to be read."""
SLOWEST_S = 5.0
_KEPT_S = 3600.0
_FAILURE_KEPT_S = 60.0
_MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Read:
    """status, body: of the answer to a request for robots.txt."""

    status: int
    body: bytes


class Robots:
    """agent: the product's name as sites write it in their rules."""

    def __init__(self, agent: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._agent = agent.partition("/")[0].strip()
        self._now_s = now_s
        self._known: dict[Hashable, tuple[float, Protego | str]] = {}
        self._asking: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def check(self, target: Target, read: Callable[[str], Awaitable[Read]]) -> None:
        """read: fetches the file. Raises: OutsideError where the site does not want the page read.

        A site without rules (4xx) wants all read; one whose rules cannot be had, nothing (RFC 9309, 2.3.1).
        """
        lock = self._asking.setdefault(target.origin, asyncio.Lock())
        async with lock:
            rules = self._kept(target.origin)
            if rules is None:
                rules = await self._read(target, read)
                self._keep(target.origin, rules)
        if isinstance(rules, str):
            raise OutsideError(f"the robots.txt of {target.host!r} cannot be had: {rules}")
        if not rules.can_fetch(str(target.url), self._agent):
            raise OutsideError(f"the robots.txt of {target.host!r} does not let {self._agent!r} read this page")

    async def _read(self, target: Target, read: Callable[[str], Awaitable[Read]]) -> Protego | str:
        scheme, host, port = target.origin
        try:
            async with asyncio.timeout(SLOWEST_S):
                found = await read(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/robots.txt")
        except TimeoutError:
            return f"no answer within {SLOWEST_S:g} s"
        except (OutsideError, OutsideRefusedError) as error:
            return error.message
        if found.status >= 500 or found.status == 429:
            return f"it answered {found.status}"
        text = found.body.decode("utf-8", "replace") if 200 <= found.status < 300 else ""
        return await asyncio.to_thread(Protego.parse, text)

    def _kept(self, origin: Hashable) -> Protego | str | None:
        until_s, rules = self._known.get(origin, (0.0, ""))
        return rules if until_s > self._now_s() else None

    def _keep(self, origin: Hashable, rules: Protego | str) -> None:
        if len(self._known) >= _MOST_KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[origin] = (self._now_s() + (_FAILURE_KEPT_S if isinstance(rules, str) else _KEPT_S), rules)
