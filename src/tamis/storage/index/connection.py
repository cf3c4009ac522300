"""One life of an index process as the server sees it: calls out, many in flight; answers in by their id."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from tamis import errors
from tamis.errors import IndexUnavailableError, StorageError, TamisError
from tamis.storage.index.wire import FrameBuffer, pack, unpack

READY = "ready"


class Connection(asyncio.Protocol):
    """Frames with the id 0 answer no call: the first says that the process is ready, later ones tell of events."""

    def __init__(self, on_event: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._on_event = on_event
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
            if request:
                self._answered(request, error, result)
            elif result == READY:
                self.ready.set_result(None)
            else:
                self._on_event(result)

    def _answered(self, request: int, error: list[str] | None, result: Any) -> None:
        future = self._calls.pop(request, None)
        if future is None or future.done():
            return
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
