"""A connection to the server, with bounds on what it may hold open: the size of a head, the time for head and body."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tamis.api.errors import render
from tamis.errors import BadRequestError, HeadTooLargeError, IncompleteRequestError, TamisError

_LEAST_BODY_BYTES = 1024
_BESIDE = 4
"""Bytes of a header's line besides its name and value."""
_log = logging.getLogger("tamis.serve")


def bounded(head_bytes: int, head_s: float, stall_s: float, idle_s: float) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, with bounds.

    head_bytes: of the request line and all headers; more is answered 431.  head_s: for a head to be whole from its
    first byte, else 408.  stall_s: a body of which less than a kilobyte comes in that time is answered 408.
    idle_s: for the first byte.
    """

    class Bounded(_Bounded):
        most_head_bytes, most_head_s, most_stall_s, most_idle_s = head_bytes, head_s, stall_s, idle_s

    return Bounded


class _Bounded(HttpToolsProtocol):
    """A request that comes whole, in one piece, sets no timer."""

    most_head_bytes: int
    most_head_s: float
    most_stall_s: float
    most_idle_s: float

    _chunk_bytes = 0
    _head_bytes = 0
    """Of the head that is under way: the chunk in which it began is in it whole."""
    _body_bytes = 0
    _is_in_head = False
    _is_in_body = False
    _is_refused = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.most_idle_s, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._chunk_bytes = len(data)
        was_in_head, was_in_body = self._is_in_head, self._is_in_body
        if was_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_refused:
            return
        if self._is_in_body:
            if not was_in_body:
                self._wait(self.most_stall_s, self._body_is_late)
        elif self._is_in_head:
            self._head_goes_on(was_in_head)
        elif self.cycle is None or self.cycle.response_complete:
            self._wait(self.most_idle_s, self.transport.close)
        else:
            self._stop_waiting()

    def _head_goes_on(self, was_in_head: bool) -> None:
        # What came before it in its first chunk is not its own, and is not told apart.
        if self._head_bytes > self.most_head_bytes + self._chunk_bytes:
            self._refuse(HeadTooLargeError(limit_bytes=self.most_head_bytes))
        elif not was_in_head:
            self._wait(self.most_head_s, self._head_is_late)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, self._chunk_bytes

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._head_bytes > self.most_head_bytes and self._size() > self.most_head_bytes:
            self._refuse(HeadTooLargeError(limit_bytes=self.most_head_bytes))
        if not self._is_refused:
            self._is_in_body, self._body_bytes = True, 0
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_refused:
            self._body_bytes += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_body = False
        if not self._is_refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if not self._is_refused:
            self._refuse(BadRequestError("this is not HTTP"))

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + _BESIDE for name, value in self.headers)

    def _wait(self, seconds: float, late: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        self._refuse(IncompleteRequestError(limit_s=self.most_head_s))

    def _body_is_late(self) -> None:
        """Where we do not read, because nobody takes what has come, the client is not to blame."""
        if self._body_bytes >= _LEAST_BODY_BYTES or self.flow.read_paused:
            self._body_bytes = 0
            self._wait(self.most_stall_s, self._body_is_late)
        else:
            self._refuse(IncompleteRequestError(limit_s=self.most_stall_s))

    def _refuse(self, error: TamisError) -> None:
        """Answer and close: what else comes is for nobody. Who works for the request learns that its caller is gone."""
        self._is_refused = True
        self._stop_waiting()
        _log.info("a connection from %s was closed: %s", self.client[0] if self.client else "nowhere", error.message)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_written(error))
        self.transport.close()


def _written(error: TamisError) -> bytes:
    response = render(error)
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode(), b"connection: close"]
    lines += [b"%b: %b" % header for header in (*response.raw_headers, (b"x-content-type-options", b"nosniff"))]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
