"""Readers of streams over real sockets: who read slowly, who hang up, who are many."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tamis.api.express import Express
from tamis.client.events import event_data
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Session
from tamis.model.document import DocumentWrite
from tamis.services.runs.streaming import Streaming
from tests.engine.stages.shop import PRINCIPAL, document
from tests.retrieval_world import HEADERS, Wait, WallClock, World, opened, search, stage
from tests.web import served

_ENDED = {"completed", "cancelled"}
_LARGE = stage("attribute_filter", field="large", operator="eq", value=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture(params=["application", "express"])
async def url(world: World, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Both ways that a request can take."""
    app = world.app
    async with served(Express(app, app.state.services) if request.param == "express" else app) as url:
        yield url


class Reader:
    """A client down to its socket."""

    def __init__(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        self.reading = reading
        self.writing = writing
        self.unread = b""

    async def until(self, text: bytes, patience_s: float = 20.0) -> bytes:
        """What comes next, up to this; what was read beyond it is kept for the next call."""
        async with asyncio.timeout(patience_s):
            while text not in self.unread:
                piece = await self.reading.read(65536)
                assert piece, f"the stream ended without {text!r}"
                self.unread += piece
        found, _, self.unread = self.unread.partition(text)
        return found + text

    async def rest(self) -> bytes:
        return self.unread + await asyncio.wait_for(self.reading.read(), 20)

    def hang_up(self) -> None:
        self.writing.transport.abort()


@asynccontextmanager
async def reading(url: str, *stages: dict[str, Any]) -> AsyncIterator[Reader]:
    """A streamed execution, asked for and not read yet."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    body = json.dumps({"stages": list(stages), "inputs": {}, "stream": True}).encode()
    head = {**HEADERS, "Host": "tamis", "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    reader, writer = await asyncio.open_connection(sock=connection, limit=4096)
    writer.write(f"POST /v1/retrievers/execute HTTP/1.1\r\n{lines}\r\n".encode() + body)
    try:
        yield Reader(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def statuses(world: World) -> list[str]:
    page = await world.records.list_anonymous(PRINCIPAL, ExecutionQuery(limit=200))
    return [header.status.value for header in page.items]


async def ended(world: World, count: int | None = 1) -> list[str]:
    """The statuses of this many executions, or however many there are, once all of them have ended."""
    for _ in range(1000):
        found = await statuses(world)
        if count in (None, len(found)) and set(found) <= _ENDED:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def fill(world: World, count: int = 40, size: int = 8_000) -> None:
    """Documents that no socket's buffers hold: 320 kB, shown twice each in a document, three times in a stream."""
    writes = [
        DocumentWrite(document(f"large{n}", "col_a", fields={"large": True, "text": "é" * (size // 2)}), {})
        for n in range(count)
    ]
    await world.shop.metadata.write(lambda session: session.documents.put(PRINCIPAL, "col_a", writes))


async def test_a_reader_who_hangs_up_cancels_the_execution(world: World, url: str) -> None:
    async with reading(url, search(), stage("wait")) as reader:
        head = await reader.until(b"\r\n\r\n")
        assert b"content-type: text/event-stream" in head.lower()
        await reader.until(b'"stage_name":"wait"')
        await asyncio.wait_for(Wait.reached.wait(), 10)
        assert await statuses(world) == ["processing"]
        reader.hang_up()
        assert await ended(world) == ["cancelled"]
    assert not Wait.go.is_set()


async def test_events_arrive_as_they_happen(world: World, url: str) -> None:
    """The first stage is read while the second one still waits for this reader."""
    async with reading(url, search(), stage("wait")) as reader:
        await reader.until(b'"stage_complete"')
        assert await statuses(world) == ["processing"]
        Wait.go.set()
        await reader.until(b'"execution_complete"')
        assert await statuses(world) == ["completed"]


async def test_an_idle_stream_is_kept_open_by_comments(world: World, url: str) -> None:
    world.executions.streaming = Streaming(WallClock(), heartbeat_s=0.02)
    async with reading(url, stage("wait")) as reader:
        for _ in range(3):
            await reader.until(b": the execution goes on\n\n")
        Wait.go.set()
        await reader.until(b'"execution_complete"')


async def test_a_reader_who_takes_nothing_holds_back_only_himself(world: World, url: str) -> None:
    await fill(world)
    async with reading(url, _LARGE, stage("limit", limit=500)) as stalled, httpx.AsyncClient(headers=HEADERS) as other:
        await stalled.until(b"\r\n\r\n")
        assert await ended(world) == ["completed"]
        for _ in range(5):
            answer = await other.post(f"{url}/v1/retrievers/execute", json={"stages": [search()], "inputs": {}})
            assert len(answer.json()["documents"]) == 6
        # He comes back to his stream, and all of it is there.
        await stalled.until(b'"execution_complete"')
        assert (await stalled.until(b"\r\n0\r\n\r\n")).count(b'"document_id":') == 80


async def test_all_of_a_large_stream_reaches_a_reader_who_takes_his_time(world: World, url: str) -> None:
    await fill(world)
    body = {"stages": [_LARGE], "inputs": {}, "stream": True}
    target = f"{url}/v1/retrievers/execute"
    async with (
        httpx.AsyncClient(headers=HEADERS) as client,
        client.stream("POST", target, json=body) as response,
    ):
        assert await ended(world) == ["completed"]
        chunks = [chunk async for chunk in response.aiter_bytes()]
    *_, stage_end, last = [json.loads(data) for data in event_data(chunks)]
    assert [one["document_id"] for one in last["documents"]] == [one["document_id"] for one in stage_end["documents"]]
    assert {len(one["text"]) for one in last["documents"]} == {4_000}
    assert len(last["documents"]) == 40


async def test_a_reader_who_never_comes_back_is_dropped(world: World, url: str) -> None:
    world.executions.streaming = Streaming(WallClock(), stall_s=0.2)
    await fill(world)
    async with reading(url, _LARGE) as stalled:
        assert await ended(world) == ["completed"]
        await asyncio.sleep(0.5)
        raw = await stalled.rest()
        assert raw
        assert not raw.endswith(b"0\r\n\r\n"), "the stream was cut, and its reader can tell"


async def test_a_reader_who_is_dropped_does_not_end_the_execution(world: World, url: str) -> None:
    world.executions.streaming = Streaming(WallClock(), stall_s=0.2)
    await fill(world)
    async with reading(url, _LARGE, stage("wait")):
        await asyncio.wait_for(Wait.reached.wait(), 10)
        await asyncio.sleep(0.5)
        assert await statuses(world) == ["processing"]
        Wait.go.set()
        assert await ended(world) == ["completed"]


async def test_many_streams_at_once_each_get_their_own(world: World, url: str) -> None:
    limits = httpx.Limits(max_connections=40)

    async def follow(client: httpx.AsyncClient, limit: int) -> None:
        body = {"stages": [search(), stage("limit", limit=limit)], "inputs": {"n": limit}, "stream": True}
        response = await client.post(f"{url}/v1/retrievers/execute", json=body)
        events = [json.loads(data) for data in event_data([response.content])]
        assert len(events) == 5
        assert len({event["execution_id"] for event in events}) == 1
        assert len(events[-1]["documents"]) == limit

    async with httpx.AsyncClient(headers=HEADERS, timeout=60, limits=limits) as client:
        await asyncio.gather(*(follow(client, 1 + n % 6) for n in range(80)))
    assert await ended(world, 80) == ["completed"] * 80


async def test_hanging_up_at_any_moment_leaves_one_ended_record(world: World, url: str) -> None:
    """Also while the record is being written, and just before the last bytes are sent."""
    for count in range(30):
        async with reading(url, search(), stage("limit", limit=3)) as reader:
            for _ in range(count * 250):
                if not await reader.reading.read(1):
                    break
            reader.hang_up()
    found = await ended(world, None)
    # A caller who left before the pipeline began left nothing.
    assert 0 < len(found) <= 30
    assert found[0] == "completed"


async def test_hanging_up_while_the_record_is_written_loses_no_record(world: World, url: str) -> None:
    busy, go = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        busy.set()
        go.wait(20)

    holding = asyncio.ensure_future(world.shop.metadata.write(hold))
    await asyncio.to_thread(busy.wait, 20)
    async with reading(url, search()) as reader:
        await reader.until(b'"stage_complete"')
        reader.hang_up()
        await asyncio.sleep(0.1)
        assert await statuses(world) == ["processing"], "it is seen until its record is there"
        go.set()
        await holding
        # Its pipeline had ended and its record was on its way when the reader left.
        assert await ended(world) == ["completed"]


async def test_the_last_event_leaves_after_the_record_is_durable(world: World, url: str) -> None:
    busy, go = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        busy.set()
        go.wait(20)

    holding = asyncio.ensure_future(world.shop.metadata.write(hold))
    await asyncio.to_thread(busy.wait, 20)
    async with reading(url, search(limit=3)) as reader:
        await reader.until(b'"stage_complete"')
        with pytest.raises(TimeoutError):
            await reader.until(b'"execution_complete"', patience_s=0.3)
        go.set()
        await holding
        await reader.until(b'"execution_complete"')
    assert await ended(world) == ["completed"]
