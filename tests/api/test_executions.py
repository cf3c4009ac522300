import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tamis.api.schemas.execution import ExecutionAnswer, ExecutionDetail
from tamis.model.document import DocumentWrite
from tamis.model.vector import Dense, Vector
from tests.engine.stages.shop import PRINCIPAL, document
from tests.retrieval_world import HEADERS, Wait, World, opened, search, stage


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def execute(client: httpx.AsyncClient, *stages: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"stages": list(stages) or [search()], "inputs": {}, **more}
    return await client.post("/v1/retrievers/execute", json=body)


def check(schema: dict[str, Any], answer: Any) -> None:
    Draft202012Validator(schema).validate(answer)


async def test_an_answer_is_what_its_schema_says(client: httpx.AsyncClient) -> None:
    answer = (await execute(client, search(), stage("limit", limit=3))).json()
    check(ExecutionAnswer.model_json_schema(), answer)
    first = answer["documents"][0]
    assert (first["document_id"], first["collection_id"], first["brand"]) == ("p1", "col_a", "Sole")
    assert first["metadata"]["text"] == first["text"]
    assert first["root_object_id"] == "obj_p1"
    assert first["scores"].keys() >= {"mixpeek://text_extractor@v1/embedding"}
    assert answer["results"] == answer["documents"]
    assert list(answer["stage_statistics"]["stages"]) == ["search", "limit"]


async def test_rows_that_stages_made_are_documents_without_a_collection(client: httpx.AsyncClient) -> None:
    aggregate = stage("aggregate", aggregations=[{"function": "count", "alias": "how_many"}])
    answer = (await execute(client, search(), aggregate)).json()
    check(ExecutionAnswer.model_json_schema(), answer)
    assert answer["documents"][0]["collection_id"] is None


async def test_results_are_dropped_where_nobody_reads_them(client: httpx.AsyncClient) -> None:
    assert "results" not in (await execute(client, include_legacy_results=False)).json()


async def test_vectors_come_where_they_are_asked_for(client: httpx.AsyncClient) -> None:
    answer = (await execute(client, return_vectors=True, limit=1)).json()
    assert answer["documents"][0]["vectors"]["embedding"] == [1.0, 0.0, 0.0]
    assert "vectors" not in (await execute(client, limit=1)).json()["documents"][0]
    asked = await client.post("/v1/retrievers/execute?return_vectors=true", json={"stages": [search()], "inputs": {}})
    assert "vectors" in asked.json()["documents"][0]
    wrong = await client.post("/v1/retrievers/execute?return_vectors=often", json={"stages": [search()], "inputs": {}})
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["query", "return_vectors"])


async def test_the_record_says_what_the_answer_said(client: httpx.AsyncClient) -> None:
    answer = (await execute(client, inputs={"b": 1, "a": "x"})).json()
    record = (await client.get(f"/v1/retrievers/executions/{answer['execution_id']}")).json()
    assert record["execution_mode"] == "anonymous"
    assert record["timestamp"].endswith("Z")
    assert len(record["timestamp"]) == len("2026-01-01T00:00:00.000Z")
    assert json.loads(record["inputs"]) == {"a": "x", "b": 1}
    other = (await execute(client, inputs={"a": "x", "b": 1})).json()
    again = (await client.get(f"/v1/retrievers/executions/{other['execution_id']}")).json()
    assert again["inputs_hash"] == record["inputs_hash"]


async def test_lists_take_status_time_window_and_count(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await execute(client)
    await execute(client, stage("break"))

    async def listed(query: str = "", **body: Any) -> Any:
        return (await client.post(f"/v1/retrievers/executions/list{query}", json=body)).json()

    page = await listed("?limit=2", status="completed")
    assert (len(page["executions"]), page["total"], page["pagination"]["has_next"]) == (2, 3, True)
    assert page["results"] == page["executions"]
    assert (await listed(status="failed", count_only=True))["total"] == 1
    assert (await listed(count_only=True))["executions"] == []
    middle = (await listed())["executions"][1]["timestamp"]
    assert [one["timestamp"] >= middle for one in (await listed(start_time=middle))["executions"]] == [True, True]
    assert (await listed(end_time="2020-01-01T00:00:00Z"))["total"] == 0
    assert (await client.post("/v1/retrievers/executions/list")).json()["total"] == 4


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"stages": []}, 422, ["body", "stages"]),
        ({"stages": [search()], "pagination": {"method": "sideways"}}, 422, ["body", "pagination"]),
        ({"stages": [search()], "limit": 3, "page_size": 4}, 422, ["body", "page_size"]),
        ({"stages": [search()], "collection_ids": ["nowhere"]}, 404, None),
        ({"stages": [search()], "inputs": {}, "input_schema": {"q": {"type": "string", "required": True}}}, 422,
         ["body", "inputs", "q"]),
    ],
)  # fmt: skip
async def test_a_wrong_request_is_told_where(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, place: list[str] | None
) -> None:
    response = await client.post("/v1/retrievers/execute", json=body)
    assert (response.status_code, response.json()["success"]) == (status, False)
    if place is not None:
        assert response.json()["detail"][0]["loc"][: len(place)] == place


async def test_a_run_that_fails_names_its_execution(client: httpx.AsyncClient) -> None:
    response = await execute(client, search(), stage("break"))
    execution_id = response.json()["error"]["details"]["execution_id"]
    assert response.status_code == 500
    assert (await client.get(f"/v1/retrievers/executions/{execution_id}")).json()["status"] == "failed"


async def test_a_caller_that_leaves_cancels_its_run(world: World, client: httpx.AsyncClient) -> None:
    """Through the ASGI interface itself, for there the leaving is a message."""
    body = json.dumps({"stages": [stage("wait")], "inputs": {}}).encode()
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await Wait.reached.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    headers = [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]
    headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http", "method": "POST", "path": "/v1/retrievers/execute", "raw_path": b"/v1/retrievers/execute",
        "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("tamis", 80),
        "client": ("tamis", 1), "root_path": "",
    }  # fmt: skip
    await asyncio.wait_for(world.app(scope, receive, send), 10)
    listed = (await client.post("/v1/retrievers/executions/list", json={})).json()
    assert [one["status"] for one in listed["executions"]] == ["cancelled"]


async def test_saved_runs_have_their_own_path(client: httpx.AsyncClient) -> None:
    await client.post("/v1/retrievers", json={"retriever_name": "shoes", "stages": [search()]})
    answer = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {}, "limit": 2})).json()
    assert answer["execution_metadata"]["retriever_persisted"] is True
    detail = (await client.get(f"/v1/retrievers/shoes/executions/{answer['execution_id']}")).json()
    check(ExecutionDetail.model_json_schema(), detail)
    assert detail["documents"] == answer["documents"]
    assert detail["pagination"] == answer["pagination"]
    assert detail["stage_statistics"]["stages"].keys() == {"search"}
    elsewhere = await client.get(f"/v1/retrievers/executions/{answer['execution_id']}")
    assert elsewhere.status_code == 404
    assert "not an anonymous one but one of retriever 'shoes'" in elsewhere.json()["error"]["message"]
    page = (await client.post("/v1/retrievers/shoes/executions/list", json={"status": "completed"})).json()
    assert [one["execution_id"] for one in page["executions"]] == [answer["execution_id"]]
    assert (await client.delete("/v1/retrievers/shoes")).status_code == 200
    gone = (await client.get(f"/v1/retrievers/executions/{answer['execution_id']}")).json()
    assert gone["error"]["message"].endswith("was not found")


async def test_queries_of_a_batch_fail_alone(client: httpx.AsyncClient) -> None:
    schema = {"q": {"type": "string", "required": True}}
    saved = {"retriever_name": "any", "stages": [search("{{INPUT.q}}")], "input_schema": schema}
    assert (await client.post("/v1/retrievers", json=saved)).status_code == 200
    queries = [{"inputs": {"q": "running shoes"}}, {"inputs": {}}, {"inputs": {"q": "bread knife"}}]
    answer = (await client.post("/v1/retrievers/any/execute/batch", json={"queries": queries})).json()
    assert [one["status"] for one in answer["results"]] == ["completed", "failed", "completed"]
    assert [one["documents"][0]["document_id"] for one in answer["results"][::2]] == ["p1", "p3"]
    assert answer["results"][1]["error"]["type"] == "ValidationError"
    streamed = await client.post("/v1/retrievers/any/execute/batch", json={"queries": queries, "stream": True})
    assert (streamed.status_code, streamed.json()["detail"][0]["loc"]) == (422, ["body", "stream"])


async def test_a_run_shows_how_far_it_is(client: httpx.AsyncClient) -> None:
    running = asyncio.create_task(execute(client, search(), stage("wait")))
    await asyncio.wait_for(Wait.reached.wait(), 10)
    listed = (await client.post("/v1/retrievers/executions/list", json={})).json()["executions"][0]
    detail = (await client.get(f"/v1/retrievers/executions/{listed['execution_id']}")).json()
    for shown in (listed, detail):
        assert (shown["status"], shown["stages_completed"], shown["total_stages"]) == ("processing", 1, 2)
        assert (shown["total_processed"], shown["total_returned"]) == (6, 0)
    Wait.go.set()
    assert (await running).json()["execution_id"] == listed["execution_id"]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**400])
async def test_integers_beyond_64_bits_are_recorded_and_read_back(client: httpx.AsyncClient, number: int) -> None:
    long = {**search(), "batch_size": abs(number)}
    sample = stage("sample", seed="{{INPUT.n}}")
    await client.post("/v1/retrievers", json={"retriever_name": "long", "stages": [long, sample]})
    inputs = {"n": number}
    answer = (await client.post("/v1/retrievers/long/execute", json={"inputs": inputs})).json()
    detail = (await client.get(f"/v1/retrievers/long/executions/{answer['execution_id']}")).json()
    assert detail["documents"] == answer["documents"]
    anonymous = (await execute(client, long, sample, inputs=inputs)).json()
    record = (await client.get(f"/v1/retrievers/executions/{anonymous['execution_id']}")).json()
    assert json.loads(record["inputs"]) == inputs


async def test_a_document_may_hold_integers_beyond_64_bits(world: World, client: httpx.AsyncClient) -> None:
    vectors: dict[str, Vector] = {"embedding": Dense(np.array([1.0, 0.0, 0.0], dtype=np.float32))}
    for number, name in ((10**30, "p7"), (10**30, "p8"), (10**31, "p9")):
        long = document(name, "col_a", fields={"text": "long", "n": number})
        await world.shop.metadata.write(
            lambda session, long=long: session.documents.put(PRINCIPAL, "col_a", [DocumentWrite(long, vectors)])  # type: ignore[misc]
        )
    listed = stage("attribute_filter", field="text", operator="eq", value="long")
    answer = (await execute(client, listed, pagination={"method": "cursor", "limit": 2})).json()
    assert [one["n"] for one in answer["documents"]] == [10**30, 10**30]
    one_each = (await execute(client, listed, stage("deduplicate", fields=["n"]))).json()
    assert [one["document_id"] for one in one_each["documents"]] == ["p7", "p9"]
    grouped = (await execute(client, listed, stage("group_by", group_by_field="n", max_per_group=1))).json()
    assert [one["group"]["key"] for one in grouped["documents"]] == [10**30, 10**31]
    count = stage("aggregate", aggregations=[{"function": "count", "alias": "c"}], group_by=[{"field": "n"}])
    counted = (await execute(client, listed, count)).json()
    assert [one["c"] for one in counted["documents"]] == [2, 1]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("execute", {"stages": [search()], "budget_limits": {"max_time_ms": 10**400}}),
        ("execute", {"stages": [search()], "pagination": {"method": "offset", "offset": 10**30}}),
        ("execute", {"stages": [search({"input_mode": "vector", "value": {"a": 1}})]}),
        ("execute", {"stages": [search()], "pagination": {"method": "keyset", "after": {"score": 1.0}}}),
        ("executions/list", {"offset": 2**63}),
    ],
)
async def test_odd_values_are_the_caller_s_fault_and_leave_no_record(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    response = await client.post(f"/v1/retrievers/{path}", json=body)
    assert response.status_code == 422, response.text
    assert (await client.post("/v1/retrievers/executions/list")).json()["total"] == 0


@pytest.mark.parametrize("method", ["offset", "cursor", "scroll", "keyset"])
@pytest.mark.parametrize("name", ["limit", "page_size"])
async def test_every_form_takes_its_size_by_either_name(client: httpx.AsyncClient, method: str, name: str) -> None:
    answer = await execute(client, pagination={"method": method, name: 2})
    assert len(answer.json()["documents"]) == 2


async def test_an_empty_keyset_asks_for_the_first_page(client: httpx.AsyncClient) -> None:
    answer = (await execute(client, pagination={"method": "keyset", "limit": 2, "after": {}})).json()
    assert [one["document_id"] for one in answer["documents"]] == ["p1", "p2"]


@pytest.mark.parametrize("stage_id", ["limit", "sample", "sort_attribute", "group_by", "aggregate", "score_normalize"])
async def test_what_needs_documents_cannot_begin_a_pipeline(client: httpx.AsyncClient, stage_id: str) -> None:
    response = await execute(client, stage(stage_id), search())
    assert response.status_code == 422
    faults = {tuple(one["loc"]): one["msg"] for one in response.json()["detail"]}
    assert "feature_search" in faults["body", "stages", 0, "config", "stage_id"]
