"""An index process and its lives: started, started again when it dies, ended."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Protocol

import tamis
from tamis.errors import IndexUnavailableError
from tamis.storage.index.connection import Connection

START_WAIT_S = 30.0
RECONNECT_WAIT_S = 10.0
OPENING_S = 60.0
"""For as long a shard may take to be loaded before its process counts as one that hangs."""
_BACKOFF_LIMIT_S = 5.0
_END_WAIT_S = 10.0
_log = logging.getLogger(__name__)


class Watcher(Protocol):
    def told(self, worker: "Worker", event: Any) -> None:
        """The process says something that answers no call."""

    def died(self, worker: "Worker") -> Awaitable[None]:
        """Awaited before the next life begins."""


class Worker:
    """Calls while the process is away raise IndexUnavailableError.

    lock: a descriptor that every life inherits, and with it the lock.
    shards: those that the supervisor has given to it.
    """

    def __init__(self, root: Path, threshold: int, lock: int, watcher: Watcher) -> None:
        self.shards: set[str] = set()
        self.life: Connection | None = None
        self._root, self._threshold, self._lock = root, threshold, lock
        self._watcher = watcher
        self._process: subprocess.Popen[bytes] | None = None
        self._up = asyncio.Event()
        self._was_up = False
        self._closing = False
        self._opening_until = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Raises: IndexUnavailableError where the process does not come up."""
        try:
            await self._spawn()
        except (IndexUnavailableError, OSError) as error:
            await self._reap()
            raise IndexUnavailableError(f"the index process did not start: {error}") from error
        self._task = asyncio.create_task(self._live(), name="index-process")

    @property
    def is_opening(self) -> bool:
        """Whether it was launched lately and has not answered yet: it loads its first shard, which calls wait for."""
        return self._opening_until > time.monotonic()

    def launch(self) -> None:
        """Start it in the background, for as often as it takes; the first calls wait for it."""
        self._opening_until = time.monotonic() + OPENING_S
        self._task = asyncio.create_task(self._live(), name="index-process")

    async def call(self, operation: str, shard: str, argument: Any) -> Any:
        """Once, or not at all."""
        if not self._was_up:
            await self.wait_up()
        if self.life is None:
            raise IndexUnavailableError
        answer = await self.life.call(operation, shard, argument)
        self._opening_until = 0.0
        return answer

    async def wait_up(self) -> None:
        """Raises: IndexUnavailableError where it stays away."""
        if self._up.is_set() and self.life is not None and self.life.is_up:
            return
        if self._closing:
            raise IndexUnavailableError
        # A death is seen by the connection before the task has run.
        self._up.clear()
        try:
            async with asyncio.timeout(RECONNECT_WAIT_S):
                await self._up.wait()
        except TimeoutError:
            raise IndexUnavailableError from None

    async def kill(self) -> None:
        """End this life; the next one owns nothing that it had not before."""
        if self._process is not None:
            self._process.kill()
        if self.life is not None:
            await self.life.lost

    async def close(self, kill: bool = False) -> None:
        """kill: it ends at once, whatever it is doing."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if kill and self._process is not None:
            self._process.kill()
        await self._reap()

    async def _live(self) -> None:
        if self.life is None:
            await self._come_up()
        while self.life is not None:
            await self.life.lost
            self._up.clear()
            _log.warning("an index process ended; starting it again")
            await self._reap()
            await self._watcher.died(self)
            await self._come_up()

    async def _come_up(self) -> None:
        pause_s = 0.1
        while True:
            try:
                await self._spawn()
            except (IndexUnavailableError, OSError) as error:
                _log.error("an index process did not start: %s", error)
                await self._reap()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _BACKOFF_LIMIT_S)
            else:
                return

    async def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            number = theirs.fileno()
            module = [sys.executable, "-m", "tamis.storage.index.process"]
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - takes a millisecond; our own module
                [*module, str(self._root), str(number), str(self._threshold)],
                pass_fds=[number, self._lock],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": _import_path()},
            )
        _, life = await loop.create_connection(lambda: Connection(self._told), sock=ours)
        self.life = life
        await asyncio.wait({life.ready, life.lost}, timeout=START_WAIT_S, return_when="FIRST_COMPLETED")
        if not life.is_up:
            life.close()
            raise IndexUnavailableError("it ended or gave no sign of life")
        self._was_up = True
        self._up.set()

    def _told(self, event: Any) -> None:
        self._watcher.told(self, event)

    async def _reap(self) -> None:
        """Close our end, which ends the process; kill it where that takes too long."""
        if self.life is not None:
            self.life.close()
        process = self._process
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, _END_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)


def _import_path() -> str:
    """The child finds this very package, whatever the working directory."""
    here = str(Path(tamis.__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return f"{here}{os.pathsep}{inherited}" if inherited else here
