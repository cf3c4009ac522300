"""What a namespace keeps of its executions, and what is deleted, over HTTP."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from tamis.executions.codec import decode
from tamis.model.namespace import Namespace, RecordPolicy
from tests.engine.stages.shop import NOW, PRINCIPAL
from tests.retrieval_world import Wait, World, opened, search, stage

SECRET = "zanzibar4711"
TEMPLATED = search("{{INPUT.query}}")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def execute(client: httpx.AsyncClient, query: str = "running shoes", *more: dict[str, Any]) -> dict[str, Any]:
    body = {
        "stages": [TEMPLATED, *more],
        "inputs": {"query": query},
        "input_schema": {"query": {"type": "text"}},
    }
    answer = (await client.post("/v1/retrievers/execute", json=body)).json()
    assert "execution_id" in answer or "execution_id" in answer["error"]["details"], answer
    return dict(answer)


async def listed(client: httpx.AsyncClient) -> list[str]:
    page = (await client.post("/v1/retrievers/executions/list", json={"limit": 100})).json()
    assert page["total"] == len(page["executions"])
    return [each["execution_id"] for each in page["executions"]]


async def keeping(world: World, policy: RecordPolicy) -> httpx.AsyncClient:
    """A client of the same shop, its namespace under this policy."""
    changed = replace(Namespace("ns_1", "shop", NOW, NOW), record_policy=policy)
    await world.shop.metadata.write(lambda session: session.namespaces.replace(PRINCIPAL, changed))
    return world.restarted().client()


def everything(path: Path) -> bytes:
    """Every value of every table but the documents', records without their compression."""
    connection = sqlite3.connect(path / "metadata.db")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    told = []
    for name in names:
        if not name.startswith("document"):
            for row in connection.execute(f"SELECT * FROM {name}"):
                told += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    connection.close()
    plain = zstandard.ZstdDecompressor()
    return b"\n".join(
        plain.decompress(value[1:], max_output_size=1 << 24) if value[:1] == b"\x01" and len(value) > 40 else value
        for value in told
    )


async def test_a_record_is_deleted_by_its_id(client: httpx.AsyncClient) -> None:
    ids = [(await execute(client))["execution_id"] for _ in range(3)]
    answer = await client.delete(f"/v1/retrievers/executions/{ids[1]}")
    assert (answer.status_code, answer.json()) == (200, {"deleted": 1, "running": []})
    assert await listed(client) == [ids[2], ids[0]]
    assert (await client.get(f"/v1/retrievers/executions/{ids[1]}")).status_code == 404
    assert (await client.delete(f"/v1/retrievers/executions/{ids[1]}")).status_code == 404


async def test_records_are_deleted_by_ids_by_inputs_and_by_time(client: httpx.AsyncClient) -> None:
    for number in range(7):
        await execute(client, "even" if number % 2 == 0 else "odd")
    ids = await listed(client)
    url = "/v1/retrievers/executions"
    answer = await client.request("DELETE", url, json={"execution_ids": [*ids[:3], ids[0], "exec_none"]})
    assert answer.json()["deleted"] == 3
    inputs_hash = (await client.get(f"{url}/{ids[4]}")).json()["inputs_hash"]
    assert (await client.delete(url, params={"inputs_hash": inputs_hash})).json()["deleted"] == 2
    long_ago = {"start_time": "2020-01-01T00:00:00Z", "end_time": "2021-01-01T00:00:00Z"}
    assert (await client.delete(url, params=long_ago)).json()["deleted"] == 0
    assert (await client.delete(url, params={"start_time": "2020-01-01T00:00:00Z"})).json()["deleted"] == 2
    assert await listed(client) == []


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({}, ["query"]),
        ({"params": {"inputs_hash": "ABC"}}, ["query", "inputs_hash"]),
        ({"json": {"status": "failed"}}, ["body", "status"]),
        ({"json": {"execution_ids": []}}, ["body", "execution_ids"]),
        ({"params": {"start_time": "yesterday"}}, ["query", "start_time"]),
        (
            {"params": {"start_time": "2026-02-01T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"}},
            ["query", "start_time"],
        ),
        ({"params": {"inputs_hash": "a" * 40}, "json": {"execution_ids": ["x"]}}, ["body"]),
    ],
)
async def test_a_bad_selection_deletes_nothing_and_is_told(
    client: httpx.AsyncClient, sent: dict[str, Any], where: list[str]
) -> None:
    await execute(client)
    answer = await client.request("DELETE", "/v1/retrievers/executions", **sent)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == where
    assert len(await listed(client)) == 1


async def test_a_running_execution_is_not_deleted(client: httpx.AsyncClient) -> None:
    ran = (await execute(client))["execution_id"]
    task = asyncio.ensure_future(execute(client, "running shoes", stage("wait", limit=5)))
    await Wait.reached.wait()
    running = next(each for each in await listed(client) if each != ran)
    answer = await client.delete(f"/v1/retrievers/executions/{running}")
    assert (answer.status_code, answer.json()["error"]["details"]["running"]) == (409, [running])
    by_ids = await client.request("DELETE", "/v1/retrievers/executions", json={"execution_ids": [ran, running]})
    assert by_ids.status_code == 409
    by_time = await client.delete("/v1/retrievers/executions", params={"start_time": "2020-01-01T00:00:00Z"})
    assert by_time.json() == {"deleted": 1, "running": [running]}
    Wait.go.set()
    await task
    assert await listed(client) == [running]


async def test_a_saved_retrievers_records_go_by_its_own_path(client: httpx.AsyncClient) -> None:
    body = {"retriever_name": "shoes", "collection_identifiers": ["products"], "stages": [search()]}
    made = (await client.post("/v1/retrievers", json=body)).json()
    retriever = made.get("retriever", made)["retriever_id"]
    url = f"/v1/retrievers/{retriever}"
    ids = [(await client.post(f"{url}/execute", json={"inputs": {}})).json()["execution_id"] for _ in range(3)]
    assert (await client.delete(f"/v1/retrievers/executions/{ids[0]}")).status_code == 404
    assert (await client.delete(f"{url}/executions/{ids[0]}")).json()["deleted"] == 1
    since = {"start_time": "2020-01-01T00:00:00Z"}
    assert (await client.delete("/v1/retrievers/executions", params=since)).json()["deleted"] == 0
    assert (await client.delete("/v1/retrievers/shoes/executions", params=since)).json()["deleted"] == 2
    assert (await client.get(f"{url}/executions/{ids[1]}")).status_code == 404
    assert (await client.delete("/v1/retrievers/none/executions", params=since)).status_code == 404


async def test_inputs_kept_out_are_nowhere(world: World, tmp_path: Path) -> None:
    async with await keeping(world, RecordPolicy(exclude=("inputs",))) as client:
        executed = await execute(client, SECRET)
        await execute(client, SECRET * 20_000)
        await execute(client, SECRET, stage("break", limit=1))
        detail = (await client.get(f"/v1/retrievers/executions/{executed['execution_id']}")).json()
    assert (detail["inputs"], detail["inputs_hash"], detail["query_summary"]) == (None, None, None)
    assert SECRET.encode() not in everything(tmp_path)
    stored = await world.shop.metadata.read(lambda s: s.executions.get(PRINCIPAL, executed["execution_id"]))
    assert stored is not None
    record = decode(stored)
    assert (record.left_out, record.inputs, record.seed) == (("inputs",), {}, 0)
    assert "{{INPUT.query}}" in str(record.stages[0].parameters)
    assert [hit.id for hit in record.stages[-1].returned] == [hit["document_id"] for hit in executed["documents"]]


async def test_without_the_policy_the_inputs_are_found(world: World, tmp_path: Path) -> None:
    """Else the test above could not fail."""
    async with world.client() as client:
        await execute(client, SECRET)
    assert SECRET.encode() in everything(tmp_path)


async def test_what_documents_hold_is_kept_out_of_records(world: World, tmp_path: Path) -> None:
    counted = stage("aggregate", aggregations=[{"function": "count", "alias": "n"}], group_by=[{"field": "brand"}])
    async with world.client() as client:
        await execute(client, "shoes", counted)
    assert b"group:" in everything(tmp_path)
    async with await keeping(world, RecordPolicy(exclude=("documents",))) as client:
        await client.delete("/v1/retrievers/executions", params={"start_time": "2020-01-01T00:00:00Z"})
        assert await listed(client) == []
        executed = await execute(client, "shoes", counted)
        detail = (await client.get(f"/v1/retrievers/executions/{executed['execution_id']}")).json()
    assert detail["inputs"] == '{"query":"shoes"}'
    told = everything(tmp_path)
    assert b"group:" not in told
    stored = await world.shop.metadata.read(lambda s: s.executions.get(PRINCIPAL, executed["execution_id"]))
    assert stored is not None
    record = decode(stored)
    assert record.left_out == ("documents",)
    assert len(record.stages[-1].returned) == len(executed["documents"])
    assert all(not hit.extra for each in record.stages for hit in each.returned)


async def test_what_is_kept_changes_no_answer(world: World) -> None:
    answers = []
    for exclude in ((), ("inputs",), ("documents",), ("inputs", "documents")):
        async with await keeping(world, RecordPolicy(exclude=exclude)) as client:
            executed = await execute(client, "running shoes", stage("limit", limit=5))
        answers.append([(hit["document_id"], hit["score"]) for hit in executed["documents"]])
    assert answers[0]
    assert answers == [answers[0]] * 4


async def test_a_running_execution_shows_no_inputs_either(world: World) -> None:
    async with await keeping(world, RecordPolicy(exclude=("inputs",))) as client:
        task = asyncio.ensure_future(execute(client, SECRET, stage("wait", limit=5)))
        await Wait.reached.wait()
        (running,) = await listed(client)
        answer = await client.get(f"/v1/retrievers/executions/{running}")
        Wait.go.set()
        await task
    assert answer.json()["status"] == "processing"
    assert SECRET not in answer.text


async def test_a_record_without_its_inputs_gives_no_replay(world: World) -> None:
    async with await keeping(world, RecordPolicy(exclude=("inputs",))) as client:
        executed = await execute(client)
        url = f"/v1/retrievers/executions/{executed['execution_id']}/replay"
        answer = (await client.post(url, json={"mode": "frozen"})).json()
    assert answer["verdict"] == "not_replayable"
