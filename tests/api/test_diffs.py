from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tamis.api.schemas.diff import DiffResponse
from tamis.model.document import DocumentWrite
from tamis.model.vector import Dense
from tests.engine.stages.shop import document
from tests.retrieval_world import World, opened, search, stage


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
    found: str = answer["execution_id"]
    return found


async def diff(client: httpx.AsyncClient, a: str, b: str, path: str = "executions", **asked: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/retrievers/{path}/{a}/diff/{b}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    DiffResponse.model_validate(found)
    return found


async def test_the_same_request_twice_is_identical(client: httpx.AsyncClient) -> None:
    a, b = await executed(client), await executed(client)
    found = await diff(client, a, b)
    assert (found["a"], found["b"], found["identical"], found["cause"]) == (a, b, True, None)
    assert (found["first_divergence"], found["explanation"], found["inputs_identical"]) == (None, [], True)
    only = found["stages"][0]
    assert (only["in_a"], only["in_b"], only["identical"]) == (True, True, True)
    assert only["returned"] == {"a": 6, "b": 6}
    assert all(only["duration_ms"][side] > 0 for side in "ab")


async def test_another_definition_is_told_by_what_it_did(client: httpx.AsyncClient) -> None:
    a = await executed(client, search(), stage("limit", limit=2))
    b = await executed(client, search(), stage("limit", limit=4))
    found = await diff(client, a, b)
    assert (found["identical"], found["cause"]) == (False, "definition")
    assert found["first_divergence"] == {"stage_index": 1, "stage_name": "limit", "cause": "definition"}
    first, cut = found["stages"]
    assert first["identical"]
    assert [(one["document_id"], one["rank"]) for one in cut["entered"]] == [("p4", 3), ("p3", 4)]
    assert (cut["totals"]["entered"], cut["totals"]["left"]) == (2, 0)
    back = await diff(client, b, a)
    assert back["stages"][1]["left"] == cut["entered"]
    windowed = await diff(client, a, b, stage="limit", limit=1, offset=1)
    assert [one["entered"] for one in windowed["stages"]] == [cut["entered"][1:]]


async def test_a_write_in_between_is_a_change_of_data(world: World, client: httpx.AsyncClient) -> None:
    a = await executed(client)
    vector = {"embedding": Dense(np.array([1.0, 0.0, 0.0], dtype=np.float32))}
    await world.shop.put("col_a", [DocumentWrite(document("p0", "col_a", 9, {"text": "shoes"}), vector)])
    b = await executed(client)
    found = await diff(client, a, b)
    assert (found["cause"], found["explanation"][0]["says"][:17]) == ("data", "collection col_a:")
    assert [one["document_id"] for one in found["stages"][0]["entered"]] == ["p0"]
    assert found["stages"][0]["totals"]["moved"] > 0


async def test_other_inputs_are_their_own_cause(client: httpx.AsyncClient) -> None:
    asked = search("{{INPUT.q}}")
    schema = {"q": {"type": "text"}}
    a = await executed(client, asked, inputs={"q": "running shoes"}, input_schema=schema)
    b = await executed(client, asked, inputs={"q": "bread knife"}, input_schema=schema)
    found = await diff(client, a, b)
    assert (found["cause"], found["inputs_identical"]) == ("inputs", False)
    assert found["explanation"][0]["says"] == "the inputs differ: q"
    assert found["stages"][0]["rescored"][0]["scores"]


async def test_stages_put_in_and_taken_out_stand_alone(client: httpx.AsyncClient) -> None:
    a = await executed(client, search(), stage("limit", limit=3))
    b = await executed(client, search(), stage("sample", size=2), stage("limit", limit=3))
    found = await diff(client, a, b)
    rows = [(one["stage_name"], one["in_a"], one["in_b"]) for one in found["stages"]]
    assert rows == [("search", True, True), ("sample", False, True), ("limit", True, True)]
    alone = found["stages"][1]
    assert (alone["outcome"], alone["duration_ms"]["a"]) == ({"a": None, "b": "completed"}, None)
    assert found["cause"] == "definition"


async def test_between_anonymous_and_saved_executions_of_the_namespace(client: httpx.AsyncClient) -> None:
    body = {"retriever_name": "shoes", "stages": [search()], "input_schema": {}, "collection_identifiers": ["products"]}
    assert (await client.post("/v1/retrievers", json=body)).is_success
    saved = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {}})).json()["execution_id"]
    anonymous = await executed(client, collection_identifiers=["products"])
    assert (await diff(client, saved, anonymous, "shoes/executions"))["identical"]
    assert (await diff(client, anonymous, saved))["identical"]
    for path in (
        f"executions/{saved}/diff/{anonymous}",
        f"executions/{anonymous}/diff/exec_none",
        f"shoes/executions/{anonymous}/diff/{saved}",
    ):
        assert (await client.get(f"/v1/retrievers/{path}")).status_code == 404


async def test_a_stage_that_neither_has_is_refused(client: httpx.AsyncClient) -> None:
    a = await executed(client)
    answer = await client.get(f"/v1/retrievers/executions/{a}/diff/{a}", params={"stage": "no_such"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "stage"])


async def test_between_a_replay_and_its_original(client: httpx.AsyncClient) -> None:
    a = await executed(client, search(), stage("limit", limit=3))
    replayed = (await client.post(f"/v1/retrievers/executions/{a}/replay", json={"mode": "frozen"})).json()
    found = await diff(client, a, replayed["execution_id"])
    assert (replayed["verdict"], found["identical"], found["inputs_identical"]) == ("identical", True, True)
    trace = (await client.get(f"/v1/retrievers/executions/{replayed['execution_id']}/trace")).json()
    assert trace["replay"] == {"replay_of": a, "mode": "frozen"}
