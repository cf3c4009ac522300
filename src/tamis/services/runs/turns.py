"""Whose turn it is to run: executions at once, of the server, of an organisation, of a key.

Who comes when there is no room waits a little, in a queue that is bounded too, and is then refused. When room comes,
the organisation that runs least goes first, and of several one after the other, whoever asks most.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tamis.errors import TooManyRequestsError
from tamis.model.principal import Principal
from tamis.services.access.credit_stop import CreditStop

_Limit = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """server, key: executions at once; None for any number.  waiting, wait_s: how many wait, and how long each."""

    server: int = 256
    key: int | None = None
    waiting: int = 256
    wait_s: float = 2.0


@dataclass(slots=True, eq=False)
class _Waiter:
    principal: Principal
    turn: "asyncio.Future[None]"


class Turns:
    """organization: how many executions of its organisation may run at once, by a principal; None for any number.

    credits: who has none left gets no turn.
    """

    def __init__(
        self,
        limits: TurnLimits = TurnLimits(),
        organization: Callable[[Principal], int | None] = lambda _: None,
        credits: CreditStop | None = None,
    ) -> None:
        self.credits = credits
        self._limits = limits
        self._organization = organization
        self._running = 0
        self._of: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []

    def taken(self, principal: Principal) -> "Turn":
        """A block that runs in its turn. Raises on entry: TooManyRequestsError, where none comes in time."""
        return Turn(self, principal)

    async def enter(self, principal: Principal) -> None:
        """Raises: TooManyRequestsError, naming the limit; CreditsSpentError."""
        await self.check_credits(principal)
        limit = self._full(principal)
        if limit is None:
            self._count(principal)
        else:
            await self._wait(principal, limit)

    async def check_credits(self, principal: Principal) -> None:
        """Raises: CreditsSpentError."""
        if self.credits is not None:
            await self.credits.check(principal)

    def spent(self, principal: Principal, credits: float) -> None:
        """In a turn: known before the next one, whenever it is written down."""
        if credits and self.credits is not None:
            self.credits.spent(principal, credits)

    def _full(self, principal: Principal) -> _Limit | None:
        """The limit that leaves no room for another execution of the principal's."""
        of_organization = self._organization(principal)
        if of_organization is not None and self._of[principal.organization_id] >= of_organization:
            return "organization", of_organization
        of_key = self._limits.key
        if of_key is not None and principal.key_id and self._of[principal.key_id] >= of_key:
            return "key", of_key
        return ("server", self._limits.server) if self._running >= self._limits.server else None

    async def _wait(self, principal: Principal, limit: _Limit) -> None:
        mine = sum(each.principal.organization_id == principal.organization_id for each in self._waiting)
        if len(self._waiting) >= self._limits.waiting or mine >= (self._limits.waiting + 1) // 2:
            raise _refusal(limit, "the queue is full")
        waiter = _Waiter(principal, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._limits.wait_s):
                await waiter.turn
        except TimeoutError:
            if _is_given(waiter):
                return
            raise _refusal(limit, f"none ended within {self._limits.wait_s:g} s") from None
        except asyncio.CancelledError:
            if _is_given(waiter):
                self.leave(principal)
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _count(self, principal: Principal) -> None:
        self._running += 1
        self._of[principal.organization_id] += 1
        self._of[principal.key_id] += 1

    def leave(self, principal: Principal) -> None:
        self._running -= 1
        for subject in (principal.organization_id, principal.key_id):
            self._of[subject] -= 1
            if not self._of[subject]:
                del self._of[subject]
        if self._waiting:
            self._call_next()

    def _call_next(self) -> None:
        """Give the room to those who wait: it is theirs from now on, though they wake later."""
        while ready := [each for each in self._waiting if not each.turn.done() and not self._full(each.principal)]:
            first = min(ready, key=lambda each: self._of[each.principal.organization_id])
            organization_id = first.principal.organization_id
            self._waiting.remove(first)
            # The others of its organisation go behind those of all others.
            self._waiting.sort(key=lambda each: each.principal.organization_id == organization_id)
            self._count(first.principal)
            first.turn.set_result(None)


class Turn:
    """A class, for it stands around every execution: a generator costs three times as much."""

    __slots__ = ("_principal", "_turns")

    def __init__(self, turns: Turns, principal: Principal) -> None:
        self._turns = turns
        self._principal = principal

    async def __aenter__(self) -> None:
        await self._turns.enter(self._principal)

    async def __aexit__(self, *_: object) -> None:
        self._turns.leave(self._principal)


def _is_given(waiter: _Waiter) -> bool:
    return waiter.turn.done() and not waiter.turn.cancelled()


def _refusal(limit: _Limit, why: str) -> TooManyRequestsError:
    whose, most = limit
    message = f"this {whose} runs {most} executions at once, and {why}; try again shortly"
    return TooManyRequestsError(message, limit=most, subject=whose, api_name="executions", retry_after=1)
