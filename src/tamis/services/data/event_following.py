"""What happens in a namespace, for readers who go on where they were, after a reconnect and at another server too."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeAlias

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import TamisError, TooManyRequestsError
from tamis.model.namespace_event import NamespaceEvent, Position
from tamis.model.principal import Principal

POLL_S = 0.5
CHECK_S = 5.0
READERS = 64
"""Of one namespace at one server."""
_AT_ONCE = 200
_LATER_S = 5.0
_LOOKED_AT = 1000
_ALL = "that is all that there is"


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the reader stands now. is_gap: what came after the position that he gave is not all kept any more."""

    position: Position
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """Why there is no more: the reader may not go on, or wanted only what there is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing to tell for long. position: how far the reader was looked for, whatever types he wants."""

    position: Position


Step: TypeAlias = Opened | NamespaceEvent | Silence | Closed


class EventFollowing:
    """is_ending: whether the server stops; who follows then is let go, and goes on elsewhere.

    heartbeat_s: how long to say nothing, at most.  poll_s, check_s: how often to look for events, and at the reader's
    rights.
    """

    def __init__(
        self,
        metadata: Metadata,
        is_ending: Callable[[], bool] = lambda: False,
        heartbeat_s: float = 15.0,
        poll_s: float = POLL_S,
        check_s: float = CHECK_S,
        readers: int = READERS,
    ) -> None:
        self._metadata = metadata
        self._is_ending = is_ending
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s
        self._check_s = check_s
        self._most = readers
        self._readers: Counter[tuple[str, str]] = Counter()

    async def begin(self, principal: Principal, last: Position | None) -> Opened:
        """last: of the event that the reader saw last; None begins with what is to come. Raises: TooManyRequestsError.

        Where not all that followed is kept, the reader goes on with the oldest that is, which he may have seen.
        """
        if self._readers[_whose(principal)] >= self._most:
            message = f"{self._most} readers follow this namespace at this server already"
            raise TooManyRequestsError(message, retry_after_s=_LATER_S, limit=self._most)
        if last is None:
            return Opened(await self._metadata.read(lambda session: session.namespace_events.newest(principal)))
        is_kept = await self._metadata.read(lambda session: session.namespace_events.reaches(principal, last))
        return Opened(last) if is_kept else Opened(Position(), is_gap=True)

    async def recent(self, principal: Principal, types: frozenset[str], limit: int) -> list[NamespaceEvent]:
        """Newest first, of the newest thousand those of these types; empty takes all."""
        found = await self._metadata.read(lambda session: session.namespace_events.recent(principal, _LOOKED_AT))
        return [one for one in found if not types or one.event_type in types][:limit]

    async def follow(
        self,
        principal: Principal,
        opened: Opened,
        types: frozenset[str] = frozenset(),
        still: Callable[[], Awaitable[object]] | None = None,
        is_endless: bool = True,
    ) -> AsyncGenerator[Step, None]:
        """`opened`, then each event, and `Silence` where none came for long. It ends where the server does.

        types: the only ones that are told; empty takes all.  still: raises what keeps the reader from going on.
        is_endless: else it ends with what there is.  Cost: a look-up by key each `poll_s`.
        """
        with self._entered(principal):
            yield opened
            position, told_at, checked_at = opened.position, monotonic(), monotonic()
            while not self._is_ending():
                if still is not None and monotonic() - checked_at >= self._check_s:
                    reason = await _refusal(still)
                    if reason is not None:
                        yield Closed(reason)
                        return
                    checked_at = monotonic()
                found = await self._metadata.read(partial(_after, principal, position))
                for one in found:
                    position = one.position
                    if not types or one.event_type in types:
                        told_at = monotonic()
                        yield one
                if len(found) == _AT_ONCE:
                    continue
                if not is_endless:
                    yield Closed(_ALL)
                    return
                if monotonic() - told_at >= self._heartbeat_s:
                    told_at = monotonic()
                    yield Silence(position)
                await asyncio.sleep(self._poll_s)

    @contextmanager
    def _entered(self, principal: Principal) -> Iterator[None]:
        whose = _whose(principal)
        self._readers[whose] += 1
        try:
            yield
        finally:
            self._readers[whose] -= 1
            if not self._readers[whose]:
                del self._readers[whose]


def _after(principal: Principal, position: Position, session: Session) -> Sequence[NamespaceEvent]:
    return session.namespace_events.after(principal, position, _AT_ONCE)


async def _refusal(still: Callable[[], Awaitable[object]]) -> str | None:
    try:
        await still()
    except TamisError as error:
        return error.message
    return None


def _whose(principal: Principal) -> tuple[str, str]:
    return principal.organization_id, principal.namespace_id
