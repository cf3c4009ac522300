"""The express way answers what the application answers, and what it cannot read it passes on whole."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from tamis.api.express import Express
from tests.retrieval_world import HEADERS, Wait, World, opened, search, stage

OWN = {
    "execution_id",
    "duration_ms",
    "time_ms",
    "time_elapsed_ms",
    "total_time_ms",
    "request_id",
    "after",
    "next_cursor",
}
PIPELINE = {"stages": [search(), stage("limit", limit=2)]}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


def timeless(value: Any) -> Any:
    """Without what differs from one execution to the next."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in OWN and not key.endswith("_ms")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


async def both(world: World, path: str, content: bytes, **headers: str) -> list[httpx.Response]:
    """The express way's answer, then the application's own."""
    answers = []
    for app in (Express(world.app, world.app.state.services), world.app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://tamis") as client:
            sent = {**HEADERS, "Content-Type": "application/json", **headers}
            answers.append(await client.post(path, content=content, headers=sent))
    return answers


@pytest.mark.parametrize(
    "body",
    [
        PIPELINE,
        {**PIPELINE, "inputs": {"who": "me"}, "collection_identifiers": ["products"]},
        {**PIPELINE, "pagination": {"method": "offset", "page_number": 1, "page_size": 1}},
        {**PIPELINE, "collection_identifiers": ["nobody"]},
        {"stages": []},
        {"stages": [stage("no_such_stage")]},
        {"stages": [stage("limit", limit=2)]},
        {"stages": [search(), stage("break", limit=1)]},
        {"stages": "all of them"},
        {},
        [],
        None,
        7,
    ],
    ids=lambda body: json.dumps(body)[:60],
)
async def test_bodies_good_and_bad(world: World, body: Any) -> None:
    express, own = await both(world, "/v1/retrievers/execute", json.dumps(body).encode())
    assert express.status_code == own.status_code
    assert timeless(express.json()) == timeless(own.json())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"stages": NaN}', b'{"stages":' + b"[" * 500 + b"]" * 500 + b"}"]
)
async def test_what_is_no_json(world: World, content: bytes) -> None:
    express, own = await both(world, "/v1/retrievers/execute", content)
    assert express.status_code == own.status_code >= 400
    assert express.json() == own.json()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer sk_nobody"},
        {"Authorization": "me"},
        {"X-Namespace": "elsewhere"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-8"},
    ],
    ids=str,
)
async def test_headers(world: World, headers: dict[str, str]) -> None:
    express, own = await both(world, "/v1/retrievers/execute", json.dumps(PIPELINE).encode(), **headers)
    assert express.status_code == own.status_code
    assert timeless(express.json()) == timeless(own.json())


@pytest.mark.parametrize(
    "path", ["/v1/retrievers/nobody/execute", "/v1/retrievers/execute?return_vectors=maybe", "/v1/retrievers//execute"]
)
async def test_paths(world: World, path: str) -> None:
    express, own = await both(world, path, json.dumps(PIPELINE).encode())
    assert express.status_code == own.status_code >= 400
    assert express.json() == own.json()


async def test_a_saved_retriever_runs_alike(world: World) -> None:
    async with world.client() as client:
        made = await client.post(
            "/v1/retrievers", json={"retriever_name": "shoes", "collection_identifiers": ["products"], **PIPELINE}
        )
    assert made.status_code < 300, made.text
    express, own = await both(world, "/v1/retrievers/shoes/execute", b'{"inputs": {}}')
    assert express.status_code == own.status_code == 200
    assert timeless(express.json()) == timeless(own.json())


async def test_a_body_in_pieces_arrives_whole(world: World) -> None:
    content = json.dumps(PIPELINE).encode()
    sent = await _asked(world, [content[:7], content[7:20], content[20:]])
    assert sent[0]["status"] == 200
    refused = await _asked(world, [b'{"stages"', b": 7", b"}"])
    assert refused[0]["status"] == 422


async def _asked(world: World, pieces: list[bytes]) -> list[Message]:
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": n < len(pieces) - 1} for n, piece in enumerate(pieces)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await Express(world.app, world.app.state.services)(_scope(), receive, send)
    return sent


def _scope() -> dict[str, Any]:
    headers = {**HEADERS, "Content-Type": "application/json"}
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/retrievers/execute", "raw_path": b"/v1/retrievers/execute", "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip


async def test_a_caller_that_leaves_ends_the_run(world: World) -> None:
    """The answer is told to nobody; the record says `cancelled`."""
    content = json.dumps({"stages": [search(), stage("wait", limit=1)]}).encode()
    messages: list[Message] = [{"type": "http.request", "body": content}]
    sent: list[Message] = []

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await Wait.reached.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Express(world.app, world.app.state.services)(_scope(), receive, send)
    async with world.client() as client:
        listed = (await client.post("/v1/retrievers/executions/list", json={})).json()
    assert [one["status"] for one in listed["executions"]] == ["cancelled"]
    assert sent[0]["status"] == 499
