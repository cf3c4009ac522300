"""When a connection that does not send its request whole is given up, by a clock of the test's own."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from tamis.cli.http_protocol import bounded


class Pipe(asyncio.Transport):
    """Keeps what is written, until it is closed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Connection:
    """head_s 10, stall_s 30, idle_s 60."""

    def __init__(self) -> None:
        self.pipe = Pipe()
        self._now = 0.0
        self._timers: list[tuple[float, Callable[[], None], asyncio.Handle]] = []
        self._loop = asyncio.get_running_loop()
        config = Config(_reading, lifespan="off", log_config=None, timeout_keep_alive=1000)
        made = bounded(8192, 10.0, 30.0, 60.0)
        self._protocol = made(config, ServerState(), {}, self)  # type: ignore[arg-type]
        self._protocol.connection_made(self.pipe)

    def call_later(self, seconds: float, work: Callable[[], None]) -> asyncio.Handle:
        handle = asyncio.Handle(work, (), self._loop)
        self._timers.append((self._now + seconds, work, handle))
        return handle

    def create_task(self, work: Any) -> "asyncio.Task[None]":
        return self._loop.create_task(work)

    async def sends(self, data: bytes) -> None:
        self._protocol.data_received(data)
        for _ in range(5):
            await asyncio.sleep(0)

    def passes(self, seconds: float) -> None:
        self._now += seconds
        due = [timer for timer in self._timers if timer[0] <= self._now]
        self._timers = [timer for timer in self._timers if timer not in due]
        for _, work, handle in due:
            if not handle.cancelled():
                work()


async def _reading(scope: Any, receive: Any, send: Any) -> None:
    message = {"type": "http.request"}
    if scope["path"] != "/early":
        while (message := await receive()).get("more_body"):
            pass
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


HEAD = b"POST / HTTP/1.1\r\nContent-Length: 9216\r\n\r\n"


async def test_a_head_that_comes_by_the_byte_is_given_up() -> None:
    connection = Connection()
    for letter in b"GET / HT":
        await connection.sends(bytes([letter]))
        connection.passes(1)
    assert not connection.pipe.is_closed
    connection.passes(2)
    assert connection.pipe.is_closed
    assert connection.pipe.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    await connection.sends(b"TP/1.1\r\n\r\n")
    assert connection.pipe.written.count(b"HTTP/1.1") == 1


async def test_a_body_may_take_long_while_it_keeps_coming() -> None:
    connection = Connection()
    await connection.sends(HEAD)
    for _ in range(9):
        assert not connection.pipe.written
        connection.passes(29)
        await connection.sends(b"x" * 1024)
        connection.passes(1)
    assert not connection.pipe.is_closed
    assert connection.pipe.written.startswith(b"HTTP/1.1 200")


async def test_a_body_that_stands_still_is_given_up() -> None:
    connection = Connection()
    await connection.sends(HEAD + b"x" * 4000)
    connection.passes(30)
    assert not connection.pipe.is_closed, "four kilobytes came"
    await connection.sends(b"x")
    connection.passes(30)
    assert connection.pipe.is_closed
    assert connection.pipe.written.startswith(b"HTTP/1.1 408")


async def test_a_whole_request_is_waited_for_by_nobody() -> None:
    connection = Connection()
    await connection.sends(HEAD + b"x" * 9216)
    connection.passes(100)
    assert not connection.pipe.is_closed
    assert connection.pipe.written.endswith(b"ok")


async def test_who_says_nothing_is_closed_without_a_word() -> None:
    connection = Connection()
    connection.passes(61)
    assert connection.pipe.is_closed
    assert not connection.pipe.written


async def test_a_body_that_nobody_needed_ends_nothing_later() -> None:
    """It was answered before the body was there; the connection goes on with the next request."""
    connection = Connection()
    await connection.sends(HEAD.replace(b"POST /", b"POST /early") + b"x" * 9000)
    assert connection.pipe.written.endswith(b"ok")
    await connection.sends(b"x" * 216)
    connection.passes(29)
    await connection.sends(HEAD + b"x" * 9216)
    assert connection.pipe.written.count(b"HTTP/1.1 200") == 2
    await connection.sends(HEAD.replace(b"POST /", b"POST /early") + b"x" * 9000)
    await connection.sends(b"x" * 216)
    for _ in range(3):
        connection.passes(30)
    assert connection.pipe.is_closed
    assert b"408" not in connection.pipe.written


async def test_empty_lines_are_no_request() -> None:
    connection = Connection()
    await connection.sends(b"\r\n")
    connection.passes(61)
    assert connection.pipe.is_closed
    assert not connection.pipe.written
