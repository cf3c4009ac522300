"""X-Request-Id on every answer, whatever the caller sends."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from tamis.api.correlation import Correlation, read_caller
from tamis.api.express import Express
from tamis.api.limits import Limits
from tamis.engine.caller import current_caller
from tamis.telemetry.logs import JsonLines, TextLines, configure_logging
from tamis.telemetry.watching import Telemetry
from tests.retrieval_world import HEADERS, World, opened, search, stage

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")
LARGEST_BYTES = 2000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path, Telemetry()) as world:
        yield world


def served(world: World) -> httpx.AsyncClient:
    """The layers as the server stacks them."""
    inner = world.app
    app = Correlation(Limits(Express(inner, inner.state.services), LARGEST_BYTES, 4000, re.compile("/up")), Telemetry())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://tamis", headers=HEADERS)


async def chunks() -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(4):
        yield b" " * LARGEST_BYTES


REQUESTS: dict[str, dict[str, Any]] = {
    "200": {"method": "POST", "url": "/v1/retrievers/execute", "json": {"stages": [search()]}},
    "401": {"method": "GET", "url": "/v1/retrievers/stages", "headers": {"authorization": "Bearer nobody"}},
    "404": {"method": "GET", "url": "/nowhere"},
    "405": {"method": "PUT", "url": "/v1/retrievers/execute"},
    "413": {"method": "POST", "url": "/v1/retrievers/execute", "content": b" " * LARGEST_BYTES * 2},
    "413 unannounced": {
        "method": "POST", "url": "/v1/retrievers/execute", "headers": {"content-type": "application/json"}
    },
    "422": {"method": "POST", "url": "/v1/retrievers/execute", "json": {"stages": 1}},
    "500": {"method": "POST", "url": "/v1/retrievers/execute", "json": {"stages": [search(), stage("break")]}},
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
async def test_every_answer_has_the_callers_id(world: World, name: str) -> None:
    request = dict(REQUESTS[name])
    headers = {**request.pop("headers", {}), "x-request-id": "order-66:a.b_c"}
    if "unannounced" in name:
        request["content"] = chunks()
    async with served(world) as client:
        answer = await client.request(**request, headers=headers)
    if name != "401":
        assert answer.status_code == int(name[:3]), answer.text
    assert answer.headers.get_list("x-request-id") == ["order-66:a.b_c"]
    if answer.status_code >= 500:
        assert answer.json()["error"]["details"]["request_id"] == "order-66:a.b_c"


HOSTILE = [
    b"", b" ", b"two words", b"a\r\nSet-Cookie: x=1", b"a\nb", b"a\x00b", b"\xff\xfe", "naïve".encode(), b"a;b", b"<b>",
    b"x" * 129, b"x" * 10_000, b"%0d%0a", b"\x1b[31m",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_id_is_replaced(world: World, hostile: bytes) -> None:
    async with served(world) as client:
        answer = await client.get("/nowhere", headers=[(b"x-request-id", hostile)])
    (given_back,) = answer.headers.get_list("x-request-id")
    assert given_back.encode() != hostile
    assert len(given_back) == 16
    assert set(given_back) <= SAFE
    assert "set-cookie" not in answer.headers


@given(st.lists(st.tuples(st.sampled_from([b"x-request-id", b"traceparent", b"tracestate"]), st.binary(max_size=200))))
def test_whatever_comes_what_goes_on_is_safe(headers: list[tuple[bytes, bytes]]) -> None:
    caller = read_caller(headers)
    assert 1 <= len(caller.request_id) <= 128
    assert set(caller.request_id) <= SAFE
    for told in (caller.traceparent, caller.tracestate):
        assert told is None or (told.isascii() and told.isprintable())


async def test_ids_made_up_differ(world: World) -> None:
    async with served(world) as client:
        ids = {(await client.get("/nowhere")).headers["x-request-id"] for _ in range(50)}
    assert len(ids) == 50


async def test_requests_at_once_keep_their_ids() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.001)
        caller = current_caller()
        assert caller is not None
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": caller.request_id.encode()})

    transport = httpx.ASGITransport(Correlation(app, Telemetry()))
    async with httpx.AsyncClient(transport=transport, base_url="http://tamis") as client:
        answers = await asyncio.gather(*(client.get("/", headers={"x-request-id": f"r{n}"}) for n in range(20)))
    assert [(answer.text, answer.headers["x-request-id"]) for answer in answers] == [(f"r{n}",) * 2 for n in range(20)]
    assert current_caller() is None


@contextmanager
def lines(formatter: logging.Formatter) -> Iterator[list[str]]:
    """What is logged in this block, as it would be written."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keep(logging.DEBUG)
    handler.setFormatter(formatter)
    logger = logging.getLogger("tamis")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield written
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


async def test_json_lines_say_who_asked_and_what_ran(world: World) -> None:
    with lines(JsonLines()) as written:
        async with served(world) as client:
            answer = await client.request(**REQUESTS["200"], headers={"x-request-id": "r1"})
            await client.request(**REQUESTS["500"], headers={"x-request-id": "r2"})
    told = [json.loads(line) for line in written]
    execution, request = (line for line in told if line["request_id"] == "r1")
    facts = {"logger": "tamis.execution", "status": "completed", "execution_id": answer.json()["execution_id"]}
    assert facts.items() <= execution.items()
    facts = {"logger": "tamis.request", "method": "POST", "path": "/v1/retrievers/execute"}
    assert (facts | {"status": 200, "level": "INFO"}).items() <= request.items()
    failed = [line for line in told if line["request_id"] == "r2"]
    assert [line["logger"] for line in failed] == ["tamis.execution", "tamis.api", "tamis.request"]
    assert "ZeroDivisionError" in failed[1]["exception"]
    assert all(line["time"].endswith("+00:00") for line in told)
    assert "running shoes" not in "".join(written)


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
async def test_a_caller_writes_no_line_of_its_own(world: World, formatter: logging.Formatter) -> None:
    with lines(formatter) as written:
        async with served(world) as client:
            await client.get("/a%0a2026-01-01 ERROR tamis%0d%1b[31mgone%C2%85%E2%80%A8", headers={"x-request-id": "r1"})
    (line,) = written
    assert line.splitlines() == [line]
    assert "\x1b" not in line
    assert "r1" in line


def test_the_settings_choose_how_lines_look(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        for log_format in ("json", "text"):
            configure_logging("WARNING", log_format)
            logging.getLogger("tamis.request").warning("told")
            logging.getLogger("tamis.request").info("not told")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["message"] == "told"
    assert second.endswith("WARNING tamis.request told")
