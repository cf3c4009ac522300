import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis import __version__
from tamis.api.schemas.trace import TraceResponse
from tamis.executions.codec import decode
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.retrieval_world import Wait, World, opened, search, stage


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def executed(client: httpx.AsyncClient, *stages: dict[str, Any], **more: Any) -> str:
    body = {"stages": list(stages) or [search()], "inputs": {}, **more}
    answer = (await client.post("/v1/retrievers/execute", json=body)).json()
    found: str = answer.get("execution_id") or answer["error"]["details"]["execution_id"]
    return found


async def trace(client: httpx.AsyncClient, execution_id: str, **asked: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/retrievers/executions/{execution_id}/trace", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert TraceResponse.model_validate(found).model_dump().keys() == found.keys()
    return found


async def test_a_trace_says_everything_that_the_record_holds(world: World, client: httpx.AsyncClient) -> None:
    best = stage("limit", limit="{{INPUT.k}}")
    execution_id = await executed(client, search(), best, inputs={"k": 2}, input_schema={"k": {"type": "integer"}})
    record = decode(await world.records.get_anonymous(PRINCIPAL, execution_id))
    found = await trace(client, execution_id)
    header = record.header
    assert (found["execution_id"], found["status"], found["execution_mode"]) == (execution_id, "completed", "anonymous")
    assert (found["inputs"], found["inputs_hash"]) == ({"k": 2}, header.inputs_hash)
    assert (found["definition"], found["definition_hash"]) == (record.definition, record.definition_hash)
    assert (found["seed"], found["code_version"], found["models"]) == (record.seed, __version__, {"themes": "1"})
    assert [one["collection_id"] for one in found["collections"]] == list(header.collection_ids)
    assert all(one["revision"] == one["current_revision"] for one in found["collections"])
    first, second = found["stages"]
    assert (first["stage_name"], first["stage_id"], first["outcome"]) == ("search", "feature_search", "completed")
    assert (first["received"], first["processed"], first["returned"], first["start_ms"]) == (0, 6, 6, 0.0)
    assert (second["received"], second["returned"], second["parameters"]) == (6, 2, {"limit": 2})
    assert second["start_ms"] == first["duration_ms"] == record.stages[0].duration_ms
    assert first["credits_used"] == record.stages[0].credits_used
    shown = second["documents"]["returned"]["items"]
    assert [(one["rank"], one["document_id"]) for one in shown] == [(1, "p1"), (2, "p2")]
    assert shown[0]["scores"].keys() >= {URI}
    assert (shown[0]["now"], shown[0]["revision"]) == ("unchanged", record.revisions["p1"])


async def test_windows_of_one_side_of_one_stage(client: httpx.AsyncClient) -> None:
    execution_id = await executed(client, search(), stage("limit", limit=4))
    whole = (await trace(client, execution_id))["stages"][0]["documents"]["returned"]["items"]
    found = await trace(client, execution_id, stage="search", side="out", offset=2, limit=3)
    assert [one["stage_name"] for one in found["stages"]] == ["search"]
    documents = found["stages"][0]["documents"]
    assert documents["returned"] == {"total": 6, "offset": 2, "items": whole[2:5]}
    assert documents["received"] == {"total": 0, "offset": 2, "items": None}
    by_place = await trace(client, execution_id, stage="1", side="in", limit=0)
    assert by_place["stages"][0]["stage_name"] == "limit"
    assert by_place["stages"][0]["documents"]["received"] == {"total": 6, "offset": 0, "items": []}


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"stage": "no_such"}, "stage"),
        ({"stage": "2"}, "stage"),
        ({"stage": "9" * 400}, "stage"),
        ({"side": "up"}, "side"),
        ({"limit": 1001}, "limit"),
        ({"offset": -1}, "offset"),
    ],
)
async def test_what_cannot_be_shown_is_refused_with_its_place(
    client: httpx.AsyncClient, asked: dict[str, Any], place: str
) -> None:
    execution_id = await executed(client, search(), stage("limit", limit=4))
    answer = await client.get(f"/v1/retrievers/executions/{execution_id}/trace", params=asked)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", place])


async def test_documents_are_set_against_how_they_stand_today(world: World, client: httpx.AsyncClient) -> None:
    execution_id = await executed(client, search())

    def write(session: Any) -> None:
        document = session.documents.get(PRINCIPAL, "col_a", "p1")
        session.documents.put_fields(PRINCIPAL, "col_a", [document])
        session.documents.delete(PRINCIPAL, "col_b", ["p2"])

    await world.shop.metadata.write(write)
    found = await trace(client, execution_id)
    now = {one["document_id"]: one["now"] for one in found["stages"][0]["documents"]["returned"]["items"]}
    assert (now["p1"], now["p2"], now["p3"]) == ("changed", "deleted", "unchanged")
    assert all(one["current_revision"] > one["revision"] for one in found["collections"])


async def test_a_failed_stage_tells_its_error_and_later_ones_that_they_did_not_run(client: httpx.AsyncClient) -> None:
    found = await trace(client, await executed(client, search(), stage("break", limit=1), stage("limit", limit=1)))
    assert [one["outcome"] for one in found["stages"]] == ["completed", "failed", "not_run"]
    assert "division by zero" in found["stages"][1]["error"]
    assert found["stages"][2]["documents"] is None
    assert found["error"]["type"] == "StageError"


async def test_one_that_runs_is_shown_as_far_as_it_has_come(client: httpx.AsyncClient) -> None:
    stages = [search(), stage("wait", limit=3), stage("limit", limit=1)]
    running = asyncio.create_task(client.post("/v1/retrievers/execute", json={"stages": stages, "inputs": {}}))
    await Wait.reached.wait()
    listed = (await client.post("/v1/retrievers/executions/list", json={"status": "processing"})).json()
    found = await trace(client, listed["executions"][0]["execution_id"])
    assert (found["status"], found["completed_at"]) == ("processing", None)
    assert [one["outcome"] for one in found["stages"]] == ["completed", "running", "not_run"]
    assert found["stages"][0]["returned"] == 6
    Wait.go.set()
    assert (await running).status_code == 200


async def test_large_inputs_are_references_unless_asked_for(client: httpx.AsyncClient) -> None:
    text = "shoes " * 20_000
    execution_id = await executed(
        client, search("{{INPUT.q}}"), inputs={"q": text}, input_schema={"q": {"type": "text"}}
    )
    bare = await trace(client, execution_id)
    assert bare["inputs"]["q"]["blob_ref"]["size_bytes"] == len(text)
    assert (await trace(client, execution_id, inputs="full"))["inputs"] == {"q": text}


async def test_a_saved_retrievers_executions_have_their_own_path(client: httpx.AsyncClient) -> None:
    body = {"retriever_name": "shoes", "stages": [search()], "input_schema": {}, "collection_identifiers": ["products"]}
    assert (await client.post("/v1/retrievers", json=body)).is_success
    ran = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {}})).json()
    execution_id = ran["execution_id"]
    found = (await client.get(f"/v1/retrievers/shoes/executions/{execution_id}/trace")).json()
    assert (found["retriever_id"], found["retriever_version"]) == (ran["retriever_id"], 1)
    for path in (f"executions/{execution_id}", "shoes/executions/exec_none", f"none/executions/{execution_id}"):
        assert (await client.get(f"/v1/retrievers/{path}/trace")).status_code == 404
