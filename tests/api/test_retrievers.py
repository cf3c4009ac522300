from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tamis.engine.stages import STAGES
from tests.retrieval_world import opened, search, stage


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as world, world.client() as client:
        yield client


async def create(client: httpx.AsyncClient, name: str = "shoes", **more: Any) -> httpx.Response:
    body = {"retriever_name": name, "stages": [search()], "collection_identifiers": ["products"], **more}
    return await client.post("/v1/retrievers", json=body)


async def test_what_is_created_is_read_back_by_id_and_by_name(client: httpx.AsyncClient) -> None:
    made = (await create(client, tags=["a"], budget_limits={"max_credits": 2}, description="finds shoes")).json()
    retriever = made["retriever"]
    assert {**made, "retriever": None} == {**retriever, "retriever": None}
    assert retriever["collection_ids"] == ["col_a"]
    assert retriever["stages"][0]["config"]["stage_id"] == "feature_search"
    assert retriever["feature_dependencies"][0] == {
        "scheme": "mixpeek", "extractor": "text_extractor", "version": "v1", "output": "embedding",
    }  # fmt: skip
    by_id = (await client.get(f"/v1/retrievers/{retriever['retriever_id']}")).json()
    assert by_id == (await client.get("/v1/retrievers/shoes")).json()
    assert by_id == {**retriever, "is_published": False}


@pytest.mark.parametrize("name", ["execute", "executions", "stages", "list", "interactions", "a/b", " x", ""])
async def test_a_name_that_is_a_path_is_refused(client: httpx.AsyncClient, name: str) -> None:
    response = await create(client, name)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "retriever_name"]


async def test_what_could_not_run_is_not_saved(client: httpx.AsyncClient) -> None:
    wrong = await create(client, stages=[stage("limit", limit="many")])
    assert wrong.status_code == 422
    assert wrong.json()["detail"][0]["loc"][:3] == ["body", "stages", 0]
    assert (await create(client, collection_identifiers=["nowhere"])).status_code == 404
    schema = {"word": {"type": "string"}}
    assert (await create(client, stages=[search("{{INPUT.wrod}}")], input_schema=schema)).status_code == 422
    assert (await client.post("/v1/retrievers/list")).json()["total"] == 0


async def test_two_of_one_name_conflict(client: httpx.AsyncClient) -> None:
    await create(client)
    assert (await create(client)).status_code == 409


async def test_a_patch_changes_what_it_names(client: httpx.AsyncClient) -> None:
    await create(client, description="old", tags=["a"])
    patched = (await client.patch("/v1/retrievers/shoes", json={"retriever_name": "boots"})).json()["retriever"]
    assert (patched["retriever_name"], patched["description"], patched["version"]) == ("boots", "old", 1)
    cleared = (await client.patch("/v1/retrievers/boots", json={"description": None})).json()["retriever"]
    assert (cleared["description"], cleared["tags"]) == (None, ["a"])
    stages = [search(), stage("limit", limit=1)]
    newer = (await client.patch("/v1/retrievers/boots", json={"stages": stages})).json()["retriever"]
    assert (newer["version"], len(newer["stages"])) == (2, 2)
    same = (await client.patch("/v1/retrievers/boots", json={"stages": stages})).json()["retriever"]
    assert same["version"] == 2
    assert (await client.patch("/v1/retrievers/boots", json={"stages": [stage("nothing")]})).status_code == 422
    assert (await client.patch("/v1/retrievers/boots", json={"retriever_name": "list"})).status_code == 422


async def test_a_clone_copies_all_but_what_is_sent(client: httpx.AsyncClient) -> None:
    source = (await create(client, tags=["a"], description="finds shoes")).json()["retriever"]
    answer = await client.post("/v1/retrievers/shoes/clone", json={"retriever_name": "copy", "tags": ["b"]})
    copy = answer.json()["retriever"]
    assert (answer.status_code, answer.json()["source_retriever_id"]) == (201, source["retriever_id"])
    assert (copy["description"], copy["tags"], copy["stages"]) == ("finds shoes", ["b"], source["stages"])
    assert copy["retriever_id"] != source["retriever_id"]
    assert (await client.post("/v1/retrievers/shoes/clone", json={"retriever_name": "copy"})).status_code == 409


async def test_lists_search_filter_sort_and_window(client: httpx.AsyncClient) -> None:
    for name in ("ankle boots", "shoes", "sandals"):
        await create(client, name)
    newest_first = (await client.post("/v1/retrievers/list")).json()
    assert [one["retriever_name"] for one in newest_first["retrievers"]] == ["sandals", "shoes", "ankle boots"]
    assert newest_first["results"] == newest_first["retrievers"]
    body = {"sorts": [{"field": "retriever_name", "direction": "asc"}], "search": "s"}
    page = (await client.post("/v1/retrievers/list?limit=1&offset=1", json=body)).json()
    assert ([one["retriever_name"] for one in page["retrievers"]], page["total"]) == (["sandals"], 3)
    wanted = {"filters": {"field": "retriever_name", "operator": "eq", "value": "shoes"}}
    assert (await client.post("/v1/retrievers/list", json=wanted)).json()["total"] == 1


async def test_what_is_deleted_is_gone(client: httpx.AsyncClient) -> None:
    await create(client)
    assert (await client.delete("/v1/retrievers/shoes")).json()["success"] is True
    for method in ("GET", "DELETE"):
        assert (await client.request(method, "/v1/retrievers/shoes")).status_code == 404


async def test_a_stage_shows_its_kind_whatever_was_sent(client: httpx.AsyncClient) -> None:
    limit = {**stage("limit", limit=1), "stage_type": "apply"}
    made = (await create(client, stages=[search(), limit])).json()["retriever"]
    assert [one["stage_type"] for one in made["stages"]] == ["filter", "reduce"]


async def test_the_catalogue_says_what_the_server_enforces(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/retrievers/stages")).json()
    assert [one["stage_id"] for one in found] == list(STAGES)
    for one in found:
        assert one["category"] in ("filter", "sort", "reduce", "apply")
        validator = Draft202012Validator(one["parameter_schema"])
        validator.validate(one["example"])
        unknown = {**one["example"], "no_such_parameter": 1}
        assert not validator.is_valid(unknown)
        body = {"stages": [stage(one["stage_id"], **unknown)], "inputs": {}}
        assert (await client.post("/v1/retrievers/execute", json=body)).status_code == 422
