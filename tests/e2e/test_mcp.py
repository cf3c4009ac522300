"""Retrievers as tools, driven by the protocol's own client over both transports."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tamis import Client
from tests.e2e.tea_house import INPUTS, TEAS, furnish, stages
from tests.live import LiveServer, Room
from tests.servers import free_port, wait_for_port

mcp = pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
httpx2 = pytest.importorskip("httpx2")

DISPLAY: Any = {
    "title": "Teas",
    "inputs": [{"field_name": "query", "field_schema": {"type": "string"}, "label": "Title"}],
    "exposed_fields": ["title"],
}
PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text()
READING = ["get_execution", "explain_search", "why_not"]


@pytest.fixture(scope="module")
def client(server: Room) -> Iterator[Client]:
    with Client(server.url, server.key, server.namespace) as client:
        furnish(client)
        client.documents.import_("teas", TEAS)
        client.retrievers.create(
            retriever_name="all the teas!",
            description="Any tea",
            collection_identifiers=["teas"],
            input_schema=INPUTS,
            stages=stages(limit=9),
        )
        yield client


@pytest.fixture(scope="module")
def narrow_key(client: Client, server: Room, shared_server: LiveServer) -> str:
    """Of somebody who may run the retriever `teas` and no other, made as the page says."""
    where = {"TAMIS_URL": shared_server.url, "TAMIS_NAMESPACE": server.namespace}
    environment = {**os.environ, **where, "TAMIS_ROOT_KEY": shared_server.key}
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def http_url(server: Room, client: Client) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tamis", "mcp", "--http", "--port", str(port), "--url", server.url]
    command += ["--namespace", server.namespace, "--retriever", "teas", "--retriever", "all the teas!"]
    environment = {name: value for name, value in os.environ.items() if name != "TAMIS_API_KEY"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as served:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            served.terminate()


@asynccontextmanager
async def over_http(url: str, key: str) -> AsyncIterator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as http,
        mcp.Client(streamable_http_client(url, http_client=http)) as agent,
    ):
        yield agent


@asynccontextmanager
async def over_stdio(server: Room, *options: str) -> AsyncIterator[Any]:
    """As the page's file starts it, with other options."""
    (page,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    printed = json.loads(page)["mcpServers"]["tamis"]
    assert (printed["command"], printed["args"][0]) == ("tamis", "mcp")
    here = {"TAMIS_API_KEY": server.key, "TAMIS_URL": server.url, "TAMIS_NAMESPACE": server.namespace}
    assert printed["env"].keys() == here.keys()
    started = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "tamis", "mcp", *options], env={**os.environ, **here}
    )
    async with mcp.Client(mcp.stdio_client(started)) as agent:
        yield agent


async def test_published_retrievers_are_tools_over_stdio(server: Room, client: Client) -> None:
    client.published.publish("teas", public_name="mcp-teas", display_config=DISPLAY)
    async with over_stdio(server) as agent:
        tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
        assert list(tools) == ["search_teas", *READING]
        schema = tools["search_teas"].input_schema
        assert schema["properties"]["query"] == {"type": "string", "description": "A word of the title"}
        assert (schema["required"], schema["additionalProperties"]) == (["query"], False)
        assert all(tool.annotations.read_only_hint for tool in tools.values())
        found = await agent.call_tool("search_teas", {"query": "black"})
        assert not found.is_error
        assert json.loads(found.content[0].text) == found.structured_content
        answer = found.structured_content
        assert [document["title"] for document in answer["documents"]] == ["Black assam", "Smoked black souchong"]
        assert client.executions.trace(answer["execution_id"], retriever_id="teas").data["status"] == "completed"


async def test_what_an_execution_left_is_read_by_tools(http_url: str, server: Room, client: Client) -> None:
    async with over_http(http_url, server.key) as agent:
        answer = (await agent.call_tool("search_teas", {"query": "black"})).structured_content
        ids = {"retriever": answer["retriever"], "execution_id": answer["execution_id"]}
        trace = (await agent.call_tool("get_execution", ids)).structured_content
        assert [stage["stage_name"] for stage in trace["stages"]] == ["taste", "named", "best"]
        every = client.retrievers.execute("teas", inputs={"query": "peony"})
        why = (await agent.call_tool("why_not", {**ids, "document_id": every[0].document_id})).structured_content
        assert why["stopped_at"] == "named"
        plan = (
            await agent.call_tool("explain_search", {"retriever": "teas", "inputs": {"query": "e"}})
        ).structured_content
        assert plan["total_estimated_stages"] == 3


async def test_each_caller_sees_what_its_own_key_sees(http_url: str, server: Room, narrow_key: str) -> None:
    async with over_http(http_url, server.key) as agent:
        names = [tool.name for tool in (await agent.list_tools()).tools]
        assert names[0] == "search_teas"
        assert names[1].startswith("search_all_the_teas__")
        assert names[2:] == READING
    async with over_http(http_url, narrow_key) as agent:
        assert [tool.name for tool in (await agent.list_tools()).tools] == ["search_teas", *READING]
        assert not (await agent.call_tool("search_teas", {"query": "black"})).is_error
        refused = await agent.call_tool(names[1], {"query": "black"})
        assert refused.is_error
        assert "there is no tool" in refused.content[0].text
        other = await agent.call_tool("explain_search", {"retriever": "all the teas!"})
        assert other.is_error
    async with over_http(http_url, "sk_nobody") as agent:
        with pytest.raises(mcp.MCPError, match="UnauthorizedError"):
            await agent.list_tools()
        assert (await agent.call_tool("search_teas", {"query": "black"})).is_error


def test_without_a_key_nothing_is_read(http_url: str) -> None:
    attempts: tuple[Any, ...] = ({}, {"Authorization": "Basic abc"}, {"Authorization": b"Bearer \xe9"})
    for authorization in attempts:
        answer = httpx2.post(http_url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=authorization)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("search_teas", {}, "'query' is a required property"),
        ("search_teas", {"query": 7}, "query: 7 is not of type 'string'"),
        ("search_teas", {"query": "a", "more": 1}, "'more' was unexpected); search_teas takes query (required)"),
        ("search_nothing", {}, "there is no tool 'search_nothing'; there is search_teas"),
        ("get_execution", {"retriever": "teas", "execution_id": "exec_nobody"}, "NotFoundError"),
        ("get_execution", {"retriever": "other", "execution_id": "exec_nobody"}, "retriever: 'other' is not one of"),
        ("why_not", {"retriever": "teas", "execution_id": "../..", "document_id": "d"}, "NotFoundError"),
    ],
)
async def test_what_is_wrong_is_said_to_the_model(
    http_url: str, server: Room, tool: str, arguments: dict[str, Any], says: str
) -> None:
    async with over_http(http_url, server.key) as agent:
        answer = await agent.call_tool(tool, arguments)
        assert answer.is_error
        assert says in answer.content[0].text


def test_a_retriever_that_is_not_there_ends_the_start(server: Room) -> None:
    command = [sys.executable, "-m", "tamis", "mcp", "--url", server.url, "--key", server.key, "--retriever", "typo"]
    command += ["--namespace", server.namespace]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "typo" in done.stderr
