"""A connection to the server, with bounds on what it may hold open: a place, the size of a head, the time for both."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tamis.api.errors import render
from tamis.cli.connections import Connections
from tamis.errors import (
    BadRequestError,
    ConnectionsSpentError,
    HeadTooLargeError,
    IncompleteRequestError,
    TamisError,
)

_LEAST_BODY_BYTES = 1024
_BESIDE = 4
"""Bytes of a header's line besides its name and value."""
_log = logging.getLogger("tamis.serve")


def bounded(
    places: Connections, head_bytes: int, head_s: float, stall_s: float, idle_s: float
) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, with bounds.

    places: for all connections; who finds none is answered 503.
    head_bytes: of the request line and all headers; more is answered 431.  head_s: for a head to be whole from its
    first byte, else 408.  stall_s: a body of which less than a kilobyte comes in that time is answered 408.
    idle_s: for the first byte.
    """

    class Bounded(_Bounded):
        connections_open = places
        most_head_bytes, most_head_s, most_stall_s, most_idle_s = head_bytes, head_s, stall_s, idle_s

    return Bounded


class _Bounded(HttpToolsProtocol):
    """A request that comes whole, in one piece, sets no timer."""

    connections_open: Connections
    most_head_bytes: int
    most_head_s: float
    most_stall_s: float
    most_idle_s: float

    _chunk_bytes = 0
    _head_bytes = 0
    """Of the head that is under way: the chunk in which it began is in it whole."""
    _body_bytes = 0
    _sent_bytes = 0
    """Of the body, since `_sending_since_s` of the loop's clock."""
    _sending_since_s = 0.0
    _is_in_head = False
    _is_in_body = False
    _is_refused = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.connections_open.enter(self):
            self._wait(self.most_idle_s, self.transport.close)
        else:
            self._refuse(ConnectionsSpentError(limit=self.connections_open.most))

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections_open.leave(self)
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
                self.connections_open.send(self)
                self._wait(self.most_stall_s, self._body_is_late)
        elif self._is_in_head:
            self._head_goes_on(was_in_head)
        elif self.cycle is None or self.cycle.response_complete:
            self.connections_open.wait(self)
            self._wait(self.most_idle_s, self.transport.close)
        else:
            self.connections_open.work(self)
            self._stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self._is_in_body:
            self.connections_open.wait(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.connections_open.stall(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.connections_open.take(self)

    def give_way(self) -> None:
        _log.info("a connection from %s gave way to another", self.client[0] if self.client else "nowhere")
        self._is_refused = True
        self._stop_waiting()
        self.transport.abort()

    def bytes_a_second(self) -> float:
        return self._sent_bytes / max(self.loop.time() - self._sending_since_s, 1.0)

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
            self._sent_bytes, self._sending_since_s = 0, self.loop.time()
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_refused:
            self._body_bytes += len(body)
            self._sent_bytes += len(body)
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
