"""A client that costs little: where it shares the server's cores, what it takes would be taken for the server's.

httpx needs four to five milliseconds of CPU for a request when sixty-four are under way, more than most answers cost.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import orjson


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return orjson.loads(self.body)


class Wire:
    """One connection over plain HTTP/1.1 that is kept alive: one request at a time, connected again once closed."""

    def __init__(self, url: str, key: str, namespace: str = "default", timeout_s: float = 120.0) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._timeout_s = timeout_s
        self._head = (
            f"Host: {parts.netloc}\r\nAuthorization: Bearer {key}\r\nX-Namespace: {namespace}\r\n"
            "Content-Type: application/json\r\n"
        )
        self._connection: _Connection | None = None

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        """Raises: OSError where the server is gone (ConnectionError), or does not answer in time (TimeoutError)."""
        body = b"" if json is None else orjson.dumps(json)
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(self._timeout_s):
            connection = await self._connected()
            return await connection.ask(head.encode() + body)

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def post(self, path: str, json: Any) -> Answer:
        return await self.request("POST", path, json)

    async def _connected(self) -> "_Connection":
        if self._connection is None or self._connection.is_closed:
            _, self._connection = await asyncio.get_running_loop().create_connection(
                _Connection, self._host, self._port
            )
        return self._connection


@contextlib.asynccontextmanager
async def wires(url: str, key: str, number: int) -> AsyncIterator[list[Wire]]:
    """As many connections, each for a client of its own."""
    async with contextlib.AsyncExitStack() as open_ones:
        yield [await open_ones.enter_async_context(Wire(url, key)) for _ in range(number)]


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.is_closed = False
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._answered: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._parts.clear()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("the server closed the connection without an answer"))

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(Answer(self._parser.get_status_code(), b"".join(self._parts)))
        if not self._parser.should_keep_alive():
            self.is_closed = True
            self.close()
