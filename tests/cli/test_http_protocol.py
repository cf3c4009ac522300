"""When a connection that keeps the server waiting is given up, by a clock of the test's own."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from tamis.cli.connections import Connections
from tamis.cli.http_protocol import bounded


class Pipe(asyncio.Transport):
    """Keeps what is written, until it is closed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.is_closed = False
        self.lost: Callable[[Exception | None], None] = lambda _: None

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True
        self.lost(None)

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Connection:
    """head_s 10, stall_s 30, idle_s 60."""

    def __init__(self, places: Connections | None = None) -> None:
        self.pipe = Pipe()
        self._now = 0.0
        self._timers: list[tuple[float, Callable[[], None], asyncio.Handle]] = []
        self._loop = asyncio.get_running_loop()
        config = Config(_reading, lifespan="off", log_config=None, timeout_keep_alive=1000)
        made = bounded(places or Connections(1), 8192, 10.0, 30.0, 60.0)
        self.protocol = made(config, ServerState(), {}, self)  # type: ignore[arg-type]
        self.pipe.lost = self.protocol.connection_lost
        self.protocol.connection_made(self.pipe)

    def time(self) -> float:
        return self._now

    def call_later(self, seconds: float, work: Callable[[], None]) -> asyncio.Handle:
        handle = asyncio.Handle(work, (), self._loop)
        self._timers.append((self._now + seconds, work, handle))
        return handle

    def create_task(self, work: Any) -> "asyncio.Task[None]":
        return self._loop.create_task(work)

    async def sends(self, data: bytes) -> None:
        self.protocol.data_received(data)
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
    if scope["path"] == "/never":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
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


WORKED_FOR = b"GET /never HTTP/1.1\r\n\r\n"


async def test_who_keeps_the_server_waiting_gives_way() -> None:
    """The longest wait first, then who does not take his answer, then the slowest body."""
    places = Connections(5)
    busy, reading, slow, half, silent = (Connection(places) for _ in range(5))
    await busy.sends(WORKED_FOR)
    await reading.sends(WORKED_FOR)
    reading.protocol.pause_writing()
    await slow.sends(HEAD + b"x" * 100)
    await half.sends(b"GET / HT")
    await silent.sends(b"")
    for goes in (half, silent):
        comes = Connection(places)
        await comes.sends(WORKED_FOR)
        assert goes.pipe.is_closed
        assert not goes.pipe.written
        assert not comes.pipe.is_closed
        assert places.count == 5
    for goes in (reading, slow):
        assert not goes.pipe.is_closed
        await Connection(places).sends(WORKED_FOR)
        assert goes.pipe.is_closed
    late = Connection(places)
    assert late.pipe.is_closed
    assert late.pipe.written.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"ConnectionsSpentError" in late.pipe.written
    assert not busy.pipe.is_closed, "who waits for the server never goes"
    busy.protocol.connection_lost(None)
    assert not Connection(places).pipe.is_closed


async def test_a_body_that_comes_quickly_keeps_its_place() -> None:
    places = Connections(1)
    quick = Connection(places)
    await quick.sends(HEAD.replace(b"9216", b"90000") + b"x" * 65_000)
    quick.passes(2)
    assert Connection(places).pipe.written.startswith(b"HTTP/1.1 503")
    quick.passes(3)
    assert not Connection(places).pipe.written
    assert quick.pipe.is_closed


async def test_an_answered_connection_waits_and_one_that_takes_again_does_not() -> None:
    places = Connections(2)
    answered, taking = Connection(places), Connection(places)
    await taking.sends(WORKED_FOR)
    await answered.sends(HEAD + b"x" * 9216)
    assert answered.pipe.written.endswith(b"ok")
    taking.protocol.pause_writing()
    taking.protocol.resume_writing()
    await Connection(places).sends(WORKED_FOR)
    assert answered.pipe.is_closed
    assert not taking.pipe.is_closed
    assert Connection(places).pipe.written.startswith(b"HTTP/1.1 503")
