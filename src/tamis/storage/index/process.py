"""The index process: `python -m tamis.storage.index.process <root> <socket fd> <build threshold>`.

One thread serves framed calls from one socket, reads before writes, and goes on with builds in between. It owns the
shards that it is asked about, holds the lock of the root that it inherited, and ends when the socket's other end
closes, however the server died.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from tamis.errors import StorageError, StorageFullError, TamisError
from tamis.storage.index.host import EVENT, Host
from tamis.storage.index.wire import FrameBuffer, pack, unpack
from tamis.storage.space import is_out_of_space

READS_BEFORE_A_WRITE = 8
_WRITES = frozenset({"create", "drop", "upsert", "set_fields", "delete", "seal"})
"""Served in their order. `release` is no write: it has to follow the searches that were sent before it."""

_RECEIVE_BYTES = 1 << 20
_IDLE_S = 0.05
_HOLD_S = 0.001
_log = logging.getLogger(__name__)


class Closed(Exception):
    """The server is gone."""


class Server:
    """Calls in, answers out, and background work while no call waits."""

    def __init__(self, connection: socket.socket, host: Host) -> None:
        self._connection = connection
        self._host = host
        self._frames = FrameBuffer()
        self._reads: deque[list[Any]] = deque()
        self._writes: deque[list[Any]] = deque()
        self._served = 0
        self._unsent: list[bytes] = []
        self._held_since = 0.0

    def run(self) -> None:
        with contextlib.suppress(Closed, ConnectionError):
            self._answer(EVENT, None, "ready")
            self._send()
            while True:
                busy = bool(self._reads or self._writes)
                self._receive(0 if busy or self._host.has_work() else _IDLE_S if self._host.is_waiting() else 1.0)
                self._work()

    def _receive(self, timeout_s: float) -> None:
        if timeout_s and not select.select([self._connection], [], [], timeout_s)[0]:
            return
        while len(self._reads) + len(self._writes) <= READS_BEFORE_A_WRITE:
            try:
                data = self._connection.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:
                raise Closed
            for frame in self._frames.feed(data):
                call = unpack(frame)
                (self._writes if call[1] in _WRITES else self._reads).append(call)
            if len(data) < _RECEIVE_BYTES:
                return

    def _work(self) -> None:
        """Reads go first, yet after a few of them a write and a piece of background work, so that none starves."""
        for _ in range(min(len(self._reads), READS_BEFORE_A_WRITE)):
            self._serve(self._reads.popleft())
        if self._writes:
            self._send()
            self._serve(self._writes.popleft())
        self._send()
        if self._served >= READS_BEFORE_A_WRITE or not (self._reads or self._writes):
            self._served = 0
            self._host.background()
            self._tell()
            self._send()

    def _serve(self, call: list[Any]) -> None:
        request, operation, shard, argument = call
        self._served += 1
        try:
            if operation == "optimize":
                if self._host.request_build(shard, request):
                    return
                result = True
            else:
                result = self._host.call(operation, shard, argument)
        except TamisError as error:
            self._answer(request, [type(error).__name__, error.message], None)
        except Exception as error:
            _log.exception("%s failed", operation)
            name = StorageFullError.__name__ if is_out_of_space(error) else StorageError.__name__
            self._answer(request, [name, f"the index could not {operation}: {error}"], None)
        else:
            self._tell()  # who waits for a build is answered before its end lets the server close this process
            self._answer(request, None, result)

    def _tell(self) -> None:
        for answer in self._host.answers():
            self._answer(*answer)

    def _answer(self, request: int, error: list[str] | None, result: Any) -> None:
        """Answers that come soon after each other travel together: waking the server costs more than a search."""
        now = time.monotonic()
        if not self._unsent:
            self._held_since = now
        self._unsent.append(pack([request, error, result]))
        if now - self._held_since > _HOLD_S:
            self._send()

    def _send(self) -> None:
        if self._unsent:
            self._connection.sendall(b"".join(self._unsent))
            self._unsent.clear()


def main(root: Path, descriptor: int, threshold: int) -> None:
    # A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group; this process ends when the server has
    # finished with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=os.environ.get("TAMIS_INDEX_LOG", "WARNING"))
    with socket.socket(fileno=descriptor) as connection:
        host = Host(root, threshold)
        Server(connection, host).run()
        host.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
