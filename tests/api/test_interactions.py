"""Interactions told, read, forgotten, and made into judgements."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.model.interaction import InteractionType
from tests.retrieval_world import opened, search, stage

PATH = "/v1/retrievers/interactions"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as world, world.client() as client:
        stages = [search("{{INPUT.q}}"), stage("limit", limit=4)]
        body = {"retriever_name": "shop", "stages": stages, "input_schema": {"q": {"type": "text"}}}
        await ask(client, "POST", "/v1/retrievers", body)
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def told(number: int, **more: Any) -> dict[str, Any]:
    return {"feature_id": f"doc_{number}", "interaction_type": ["click"], "position": number, **more}


async def listed(client: httpx.AsyncClient, **body: Any) -> list[str]:
    return [one["feature_id"] for one in (await ask(client, "POST", f"{PATH}/list", body))["results"]]


async def test_interactions_of_every_type_are_kept_listed_and_forgotten(client: httpx.AsyncClient) -> None:
    every = [told(n, interaction_type=[kind], user_id="ann") for n, kind in enumerate(InteractionType)]
    made = await ask(client, "POST", f"{PATH}/batch", {"interactions": every})
    assert (made["created"], made["failed"], len(InteractionType)) == (15, 0, 15)
    more = {"execution_id": "exec_1", "session_id": "s", "retriever_id": "shop", "query_snapshot": {"q": "shoes"}}
    single = await ask(client, "POST", PATH, told(20, **more, user_id="bob", document_score=0.5, result_set_size=9))
    assert await ask(client, "GET", f"{PATH}/{single['interaction_id']}") == single
    assert (single["position"], single["execution_id"]) == (20, "exec_1")
    assert single["retriever_id"].startswith("ret_")
    for condition in ({"retriever_id": "shop"}, {"execution_id": "exec_1"}, {"session_id": "s"}, {"user_id": "bob"}):
        assert await listed(client, **condition) == ["doc_20"]
    assert await listed(client, feature_id="doc_3") == ["doc_3"]
    assert await listed(client, interaction_type="purchase", user_id="ann") == ["doc_4"]
    filters = {"AND": [{"field": "position", "operator": "gte", "value": 13}, {"field": "user_id", "value": "ann"}]}
    assert await listed(client, filters=filters, sort={"field": "position", "direction": "desc"}) == [
        "doc_14",
        "doc_13",
    ]
    assert await listed(client, search="SHOES") == ["doc_20"]
    page = await ask(client, "POST", f"{PATH}/list?limit=4&offset=4", {})
    assert (page["pagination"]["total"], len(page["results"])) == (16, 4)
    assert (await ask(client, "DELETE", f"{PATH}/users/ann"))["deleted"] == 15
    assert (await ask(client, "DELETE", f"{PATH}/users/ann"))["deleted"] == 0
    await ask(client, "DELETE", f"{PATH}/{single['interaction_id']}")
    await ask(client, "DELETE", f"{PATH}/{single['interaction_id']}", status=404)
    assert await listed(client) == []


async def test_what_is_wrong_with_an_interaction_is_told_and_nothing_is_kept(client: httpx.AsyncClient) -> None:
    wrong = await ask(client, "POST", f"{PATH}/batch", {"interactions": [told(1), told(2, retriever_id="no")]}, 404)
    assert "retriever 'no'" in wrong["error"]["message"]
    await ask(client, "POST", PATH, told(1, interaction_type=["stare"]), 422)
    await ask(client, "POST", PATH, told(-1), 422)
    assert await listed(client) == []
    wrong = await ask(client, "POST", f"{PATH}/list", {"interaction_type": "stare"}, 422)
    assert wrong["detail"][0]["loc"] == ["body", "interaction_type"]
    await ask(client, "GET", f"{PATH}/int_nothing", status=404)


async def test_an_interaction_belongs_to_the_retriever_whose_execution_it_names(client: httpx.AsyncClient) -> None:
    found = await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": "running shoes"}})
    seen = told(0, feature_id=found["documents"][0]["document_id"], execution_id=found["execution_id"])
    made = await ask(client, "POST", f"{PATH}/batch", {"interactions": [seen, told(1), told(2, execution_id="exec_1")]})
    assert [one["retriever_id"] for one in made["results"]] == [found["retriever_id"], None, None]
    assert await listed(client, retriever_id="shop") == [seen["feature_id"]]
    path = "/v1/retrievers/shop/evaluations/generate-from-interactions"
    for _ in range(2):
        await visit(client, 0)
    made = await ask(client, "POST", path, {"dataset_name": "clicked", "min_interactions": 3})
    assert seen["feature_id"] in made["queries"][0]["inferred_documents"]


async def test_too_little_to_judge_by_is_told_with_what_there_is(client: httpx.AsyncClient) -> None:
    path = "/v1/retrievers/shop/evaluations/generate-from-interactions"
    none = await ask(client, "POST", path, {}, 409)
    assert none["error"]["message"] == "no interaction in 30 days names an execution of 'shop' that has a record"
    await visit(client, 1)
    few = await ask(client, "POST", path, {"min_interactions": 7, "lookback_days": 2}, 409)
    assert "has 7 likings in 2 days (min_interactions)" in few["error"]["message"]
    assert few["error"]["message"].endswith("of 1 queries none has more than 1")


async def visit(client: httpx.AsyncClient, clicks: int | None, kind: str = "click") -> list[str]:
    """Somebody searches and clicks on the document at this place."""
    found = await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": "running shoes"}})
    ids = [str(one["document_id"]) for one in found["documents"]]
    seen = told(0, feature_id=ids[clicks or 0], execution_id=found["execution_id"], retriever_id="shop")
    await ask(client, "POST", PATH, {**seen, "interaction_type": ["view" if clicks is None else kind]})
    return ids


async def test_clicks_become_judgements_that_never_stand_over_somebodys(client: httpx.AsyncClient) -> None:
    path = "/v1/retrievers/shop/evaluations/generate-from-interactions"
    await ask(client, "POST", path, {"min_interactions": 1}, 409)
    ids: list[str] = []
    for place in (1, 1, 1, 2, 1, None, 1, 1):
        ids = await visit(client, place)
    await visit(client, 3, "negative_feedback")
    made = await ask(client, "POST", path, {"dataset_name": "clicked", "min_interactions": 7})
    (query,) = made["queries"]
    grades = query["relevance_scores"]
    assert query["query_input"] == {"q": "running shoes"}
    assert grades[ids[1]] == max(grades.values()) > grades[ids[3]]
    assert sorted(query["inferred_documents"]) == sorted(ids)
    assert made["metadata"]["click_model"]["executions"] == 9
    judge = {"judgements": {query["query_id"]: {ids[1]: 0}}}
    judged = await ask(client, "POST", "/v1/retrievers/evaluations/datasets/clicked/judgements", judge)
    assert ids[1] not in judged["queries"][0]["inferred_documents"]
    again = await ask(client, "POST", path, {"dataset_name": "clicked", "min_interactions": 7})
    assert again["queries"][0]["relevance_scores"][ids[1]] == 0
    assert again["query_count"] == 1
    await ask(client, "POST", path, {"min_interactions": 50}, 409)
    await ask(client, "POST", path, {"positive_interaction_types": ["stare"]}, 422)


async def test_an_interaction_with_anothers_execution_counts_for_nothing(client: httpx.AsyncClient) -> None:
    pipeline = {"stages": [search("{{INPUT.q}}")], "inputs": {"q": "shoes"}, "input_schema": {"q": {"type": "text"}}}
    found = await ask(client, "POST", "/v1/retrievers/execute", pipeline)
    document_id = found["documents"][0]["document_id"]
    forged = told(0, feature_id=document_id, execution_id=found["execution_id"], retriever_id="shop")
    await ask(client, "POST", PATH, forged)
    path = "/v1/retrievers/shop/evaluations/generate-from-interactions"
    await ask(client, "POST", path, {"min_interactions": 1}, 409)
