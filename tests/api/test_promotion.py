from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.retrieval_world import opened, search, stage

PIPELINE: dict[str, Any] = {
    "stages": [search("{{INPUT.q}}"), stage("limit", limit=2)],
    "inputs": {"q": "running shoes"},
    "input_schema": {"q": {"type": "text"}},
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as world, world.client() as client:
        yield client


async def execute(client: httpx.AsyncClient, **more: Any) -> Any:
    answer = await client.post("/v1/retrievers/execute", json={**PIPELINE, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def promote(client: httpx.AsyncClient, execution_id: str, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/retrievers/executions/{execution_id}/promote", json=body)


async def test_an_execution_becomes_a_retriever_that_answers_the_same(client: httpx.AsyncClient) -> None:
    executed = await execute(client)
    made = await promote(client, executed["execution_id"], to="retriever", retriever_name="shoes", tags=["a"])
    retriever = made.json()["retriever"]
    assert (made.status_code, retriever["retriever_name"], made.json()["created"]) == (200, "shoes", True)
    again = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {"q": "running shoes"}})).json()
    shown = [(one["document_id"], one["score"]) for one in executed["documents"]]
    assert [(one["document_id"], one["score"]) for one in again["documents"]] == shown
    taken = await promote(client, executed["execution_id"], to="retriever", retriever_name="shoes")
    assert taken.status_code == 409
    path = f"/v1/retrievers/shoes/executions/{again['execution_id']}/promote"
    copied = await client.post(path, json={"to": "retriever", "retriever_name": "copied"})
    assert copied.json()["retriever"]["retriever_name"] == "copied"


async def test_an_execution_becomes_a_query_once_and_its_documents_the_pool(client: httpx.AsyncClient) -> None:
    executed = await execute(client)
    first = (await promote(client, executed["execution_id"], to="dataset", dataset_name="golden")).json()
    assert first["created"]
    (query,) = first["dataset"]["queries"]
    assert (query["query_input"], query["relevant_documents"]) == ({"q": "running shoes"}, [])
    shown = [one["document_id"] for one in executed["documents"]]
    assert [(one["document_id"], one["rank"]) for one in query["pool"]] == [(id, n) for n, id in enumerate(shown, 1)]
    second = (await promote(client, executed["execution_id"], to="evaluation", dataset="golden")).json()
    assert (second["created"], second["dataset"]) == (False, first["dataset"])
    wider = await execute(client, stages=[search("{{INPUT.q}}")])
    third = (await promote(client, wider["execution_id"], to="dataset", dataset_name="golden")).json()
    (query,) = third["dataset"]["queries"]
    assert [one["document_id"] for one in query["pool"]] == [one["document_id"] for one in wider["documents"]]
    assert query["pool"][0]["execution_id"] == executed["execution_id"]
    other = await execute(client, inputs={"q": "bread knife"})
    await promote(client, other["execution_id"], to="dataset", dataset_name="golden")
    stored = (await client.get("/v1/retrievers/evaluations/datasets/golden")).json()
    assert (stored["query_count"], stored["namespace_id"]) == (2, "ns_1")
    listed = (await client.get("/v1/retrievers/evaluations/datasets", params={"page_size": 1})).json()
    assert (listed["total"], listed["datasets"]) == (1, [stored])


async def test_what_cannot_be_promoted(client: httpx.AsyncClient) -> None:
    execution_id = (await execute(client))["execution_id"]
    assert (await promote(client, execution_id, to="retriever")).status_code == 422
    assert (await promote(client, execution_id, to="dataset", dataset_name="a/b")).status_code == 422
    assert (await promote(client, "exec_nothing", to="dataset", dataset_name="golden")).status_code == 404
    assert (await client.get("/v1/retrievers/evaluations/datasets/golden")).status_code == 404
