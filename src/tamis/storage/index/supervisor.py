"""Keeps the index process alive and carries calls to it: many in flight, none of them blocking the event loop."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import tamis
from tamis import errors
from tamis.errors import IndexUnavailableError, StorageError, TamisError
from tamis.storage.index.wire import FrameBuffer, pack, unpack

START_WAIT_S = 30.0
RECONNECT_WAIT_S = 10.0
_BACKOFF_LIMIT_S = 5.0
_END_WAIT_S = 10.0
_log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One life of the child: calls out, answers in by their id. Frame 0 says that it is ready."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._frames = FrameBuffer()
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._last = 0
        self._transport: asyncio.Transport | None = None

    @property
    def is_up(self) -> bool:
        return self.ready.done() and not self.lost.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            request, error, result = unpack(frame)
            if request == 0:
                self.ready.set_result(None)
                continue
            future = self._calls.pop(request, None)
            if future is None or future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(_error(*error))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        calls, self._calls = self._calls, {}
        for future in calls.values():
            if not future.done():
                future.set_exception(IndexUnavailableError())

    def call(self, operation: str, shard: str, argument: Any) -> asyncio.Future[Any]:
        """Raises: IndexUnavailableError where this life is over."""
        if not self.is_up or self._transport is None:
            raise IndexUnavailableError
        self._last += 1
        frame = pack([self._last, operation, shard, argument])
        future: asyncio.Future[Any] = self._loop.create_future()
        self._calls[self._last] = future
        self._transport.write(frame)
        return future

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _error(name: str, message: str) -> TamisError:
    known = getattr(errors, name, StorageError)
    return known(message) if isinstance(known, type) and issubclass(known, TamisError) else StorageError(message)


class Supervisor:
    """Starts the child, starts it again when it dies, ends it. Calls while it is away raise IndexUnavailableError."""

    def __init__(self, root: Path, build_threshold: int) -> None:
        self.restarts = 0
        self._root = root
        self._threshold = build_threshold
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._up = asyncio.Event()
        self._closing = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Raises: IndexUnavailableError where the child does not come up."""
        try:
            await self._spawn()
        except (IndexUnavailableError, OSError, TimeoutError) as error:
            await self._reap()
            raise IndexUnavailableError(f"the index process did not start: {error}") from error
        self._watch = asyncio.create_task(self._supervise(), name="index-supervisor")

    async def call(self, operation: str, shard: str, argument: Any) -> Any:
        """Once, or not at all."""
        if self._connection is None:
            raise IndexUnavailableError
        return await self._connection.call(operation, shard, argument)

    async def read(self, operation: str, shard: str, argument: Any) -> Any:
        """As `call`, but waits for a restart under way, and asks once more where the child died meanwhile."""
        await self._wait_up()
        try:
            return await self.call(operation, shard, argument)
        except IndexUnavailableError:
            await self._wait_up()
            return await self.call(operation, shard, argument)

    async def _wait_up(self) -> None:
        if self._up.is_set() and self._connection is not None and self._connection.is_up:
            return
        if self._closing:
            raise IndexUnavailableError
        # A death is seen by the connection before the supervisor's task has run.
        self._up.clear()
        try:
            await asyncio.wait_for(self._up.wait(), RECONNECT_WAIT_S)
        except TimeoutError:
            raise IndexUnavailableError from None

    async def close(self) -> None:
        self._closing = True
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._reap()

    async def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            number = theirs.fileno()
            module = [sys.executable, "-m", "tamis.storage.index.process"]
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - takes a millisecond; our own module
                [*module, str(self._root), str(number), str(self._threshold)],
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": _import_path()},
            )
        _, self._connection = await loop.create_connection(Connection, sock=ours)
        connection = self._connection
        await asyncio.wait({connection.ready, connection.lost}, timeout=START_WAIT_S, return_when="FIRST_COMPLETED")
        if not connection.is_up:
            raise IndexUnavailableError("it ended or gave no sign of life")
        self._up.set()

    async def _supervise(self) -> None:
        delay = 0.0
        while True:
            if self._connection is not None:
                await self._connection.lost
            self._up.clear()
            _log.warning("the index process ended; starting it again")
            await self._reap()
            await asyncio.sleep(delay)
            self.restarts += 1
            try:
                await self._spawn()
                delay = 0.0
            except (IndexUnavailableError, OSError) as error:
                _log.error("the index process did not start: %s", error)
                delay = min(max(0.1, delay * 2), _BACKOFF_LIMIT_S)

    async def _reap(self) -> None:
        """Close our end, which ends the child; kill it where that takes too long."""
        if self._connection is not None:
            self._connection.close()
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
