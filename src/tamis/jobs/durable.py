"""Work that is in the system of record until it is done: taken up, seen through, and tried again after a fault."""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.locks import Hold, Locks
from tamis.errors import TamisError
from tamis.model.batch import TaskStatus
from tamis.model.principal import Principal

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 5
_PAUSE_S = 0.5
_UNAVAILABLE = 503

W = TypeVar("W")


class Stopped(Exception):
    """Its task was killed."""


class DurableWorker(ABC, Generic[W]):
    """Takes up every unfinished piece of one kind of work, of every tenant; a start goes on where a kill stopped it.

    noun: what a piece is called.
    """

    noun: str

    def __init__(self, locks: Locks | None = None, poll_s: float = 2.0, at_once: int = 4) -> None:
        """locks: of several servers one sees each through.  poll_s: how often to look for what nobody announced."""
        self._locks: Locks = locks or LocalLocks()
        self._poll_s = poll_s
        self._at_once = at_once
        self._woken = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._faults: dict[str, int] = {}

    @abstractmethod
    def identifier(self, piece: W) -> str: ...

    @abstractmethod
    async def unfinished(self) -> Sequence[tuple[Principal, W]]:
        """Of every tenant, oldest first."""

    @abstractmethod
    async def see_through(self, principal: Principal, piece: W, hold: Hold) -> None:
        """Until it is done; safe to repeat after a kill at any point. Whoever had it before may have ended it, and
        whose hold is lost leaves it to who has it now.

        Raises: Stopped.
        """

    @abstractmethod
    async def give_up(self, principal: Principal, piece: W, reason: str, status: TaskStatus) -> None:
        """Close it. status: FAILED, or CANCELED where its task was killed."""

    def wake(self) -> None:
        """Look for work now; called after a piece was begun."""
        self._woken.set()

    def start(self) -> None:
        self._watcher = asyncio.create_task(self._watch(), name=f"{self.noun}s")

    async def close(self) -> None:
        """Leave off now; the next start goes on."""
        tasks = [*self._running.values(), *([self._watcher] if self._watcher else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Return once nothing is unfinished."""
        while self._running or await self.unfinished():
            self.wake()
            await asyncio.sleep(0.02)

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._take_up()
            except Exception:
                _LOG.exception("looking for %ss failed; trying again", self.noun)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()

    async def _take_up(self) -> None:
        for principal, piece in await self.unfinished():
            if len(self._running) >= self._at_once:
                return
            identifier = self.identifier(piece)
            if identifier not in self._running:
                self._running[identifier] = asyncio.create_task(self._taken(principal, piece, identifier))

    async def _taken(self, principal: Principal, piece: W, identifier: str) -> None:
        """Where another server sees it through, nothing; should that one die, a later look takes it up."""
        try:
            hold = await self._locks.take(f"{self.noun} {identifier}")
            if hold is None:
                return
            try:
                await self._see_mine_through(principal, piece, identifier, hold)
            finally:
                await hold.release()
            self.wake()
        except Exception:
            _LOG.exception("%s %s could not be taken up; trying again", self.noun, identifier)
        finally:
            self._running.pop(identifier, None)

    async def _see_mine_through(self, principal: Principal, piece: W, identifier: str, hold: Hold) -> None:
        try:
            await self.see_through(principal, piece, hold)
            self._faults.pop(identifier, None)
        except Stopped:
            await self.give_up(principal, piece, "its task was killed", TaskStatus.CANCELED)
        except Exception as error:
            await self._note_fault(principal, piece, identifier, error)

    async def _note_fault(self, principal: Principal, piece: W, identifier: str, error: Exception) -> None:
        """What may pass, a fault of the server, is tried again after a pause, but not for ever."""
        count = self._faults[identifier] = self._faults.get(identifier, 0) + 1
        passes = not isinstance(error, TamisError) or error.status == _UNAVAILABLE
        if passes and count < _ATTEMPTS:
            _LOG.warning("%s %s stopped for the %d. time", self.noun, identifier, count, exc_info=error)
            await asyncio.sleep(_PAUSE_S * 2**count)
            return
        self._faults.pop(identifier, None)
        try:
            await self.give_up(principal, piece, str(error), TaskStatus.FAILED)
        except Exception:
            _LOG.exception("%s %s could not be closed; it is taken up again", self.noun, identifier)
