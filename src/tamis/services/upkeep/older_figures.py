"""Executions from before there were some counters are counted by them, in the background, a few at a time."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from tamis.engine.ports.analytics import Analytics
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.executions import Executions
from tamis.engine.ports.locks import Locks, held
from tamis.engine.ports.metadata import Metadata, Session

_CHUNK = 200
_SHARE = 0.25
"""Of the time, at most, that the counting takes of the writer."""
_AGAIN_S = 10.0
_Counting: TypeAlias = Executions | Analytics
_KINDS: Mapping[str, Callable[[Session], _Counting]] = {
    "counters by mode": lambda session: session.executions,
    "figures": lambda session: session.analytics,
}
_LOG = logging.getLogger(__name__)


class OlderFigures:
    """Ends once all are counted; a start goes on where the one before it was stopped or killed."""

    def __init__(self, metadata: Metadata, clock: Clock, locks: Locks, chunk: int = _CHUNK) -> None:
        """locks: of several servers one counts.  chunk: records looked at in one transaction."""
        self._metadata = metadata
        self._clock = clock
        self._locks = locks
        self._chunk = chunk
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._count(), name="older-figures")

    async def close(self) -> None:
        """What has been counted stays counted."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _count(self) -> None:
        for name, of in _KINDS.items():
            if await self._metadata.read(partial(_is_whole, of)):
                continue
            async with held(self._locks, "older figures"):
                while await self._count_some(of):
                    pass
            _LOG.info("all executions are in the %s", name)

    async def _count_some(self, of: Callable[[Session], _Counting]) -> bool:
        """False once there are none left. What is asked of the writer meanwhile goes first."""
        began_ms = self._clock.monotonic_ms()
        try:
            more = await self._metadata.write(lambda session: of(session).count_older(self._chunk))
        except Exception:
            _LOG.exception("older executions could not be counted; that is tried again")
            await asyncio.sleep(_AGAIN_S)
            return True
        took_s = (self._clock.monotonic_ms() - began_ms) / 1000
        await asyncio.sleep(took_s * (1 - _SHARE) / _SHARE)
        return more


def _is_whole(of: Callable[[Session], _Counting], session: Session) -> bool:
    return of(session).is_whole()
