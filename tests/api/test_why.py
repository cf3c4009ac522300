from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.retrieval_world import opened, search, stage

PIPELINE = {"stages": [search(), stage("limit", limit=2)]}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as world, world.client() as client:
        yield client


async def ask(client: httpx.AsyncClient, path: str, document_id: str, **more: Any) -> httpx.Response:
    return await client.post(f"/v1/retrievers/{path}/why", json={"document_id": document_id, **more})


async def test_an_anonymous_execution_says_why_not(client: httpx.AsyncClient) -> None:
    executed = (await client.post("/v1/retrievers/execute", json=PIPELINE)).json()
    answer = (await ask(client, f"executions/{executed['execution_id']}", "p4")).json()
    assert (answer["returned"], answer["stopped_at"]) == (False, "limit")
    found, cut = answer["stages"]
    assert (found["verdict"], found["rank_out"], found["stage_index"]) == ("passed", 3, 0)
    assert (cut["verdict"], cut["facts"]["rank"]) == ("cut", 3)
    assert answer["change"] == {
        "edits": [{"path": ["stages", 1, "parameters", "limit"], "from": 2, "to": 3}],
        "outcome": "returned", "rank": 3, "stopped_at": None, "note": None,
    }  # fmt: skip
    assert answer["as_of"]["document"] == "unchanged"
    unchecked = (await ask(client, f"executions/{executed['execution_id']}", "p4", check=False)).json()
    assert unchecked["change"]["outcome"] == "unchecked"
    first = executed["documents"][0]["document_id"]
    shown = (await ask(client, f"executions/{executed['execution_id']}", first)).json()
    assert (shown["returned"], shown["rank"], shown["change"]) == (True, 1, None)


async def test_a_saved_execution_has_its_own_path(client: httpx.AsyncClient) -> None:
    draft = {"retriever_name": "shoes", "collection_identifiers": ["products", "more"], "input_schema": {}, **PIPELINE}
    assert (await client.post("/v1/retrievers", json=draft)).status_code == 200
    executed = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {}})).json()
    execution_id = executed["execution_id"]
    assert (await ask(client, f"shoes/executions/{execution_id}", "p4")).json()["stopped_at"] == "limit"
    assert (await ask(client, f"executions/{execution_id}", "p4")).status_code == 404
    assert (await ask(client, f"shoes/executions/{execution_id}", "nobody")).status_code == 404
    refused = await ask(client, f"shoes/executions/{execution_id}", "p4", document="p4")
    assert refused.status_code == 422
