"""Tuning over the shop: what is better is found and made a version; what may not be, is not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.stages.shop import URI
from tests.retrieval_world import World, opened, stage

WORDS = f"{URI}#lexical"
SEARCHES = [
    {"feature_uri": URI, "query": "{{INPUT.q}}", "weight": 0.95},
    {"feature_uri": URI, "query": "{{INPUT.q}}", "lexical": True, "weight": 0.05},
]
ASKED = ("paring book", "book paring", "paring reading", "reading paring", "a paring book", "paring a book")
"""By meaning books come first; by words the only document that says `paring`."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        body = {
            "retriever_name": "shop", "input_schema": {"q": {"type": "text"}},
            "stages": [stage("feature_search", searches=SEARCHES, fusion="dbsf")],
        }  # fmt: skip
        await ask(client, "POST", "/v1/retrievers", body)
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def judged(client: httpx.AsyncClient, relevant: bool = True) -> None:
    found = await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": "paring book"}})
    wanted = max(found["documents"], key=lambda one: one["scores"].get(WORDS, 0))["document_id"]
    queries = [
        {"query_id": q, "query_input": {"q": q}, "relevant_documents": [wanted] if relevant else []} for q in ASKED
    ]
    body = {"dataset_name": "golden", "queries": queries}
    await ask(client, "POST", "/v1/retrievers/evaluations/datasets", body, 201)


async def tune(client: httpx.AsyncClient, status: int = 200, **more: Any) -> Any:
    return await ask(client, "POST", "/v1/retrievers/shop/tune", {"dataset": "golden", **more}, status)


async def executions(client: httpx.AsyncClient) -> int:
    listed = await ask(client, "POST", "/v1/retrievers/shop/executions/list", {})
    return int(listed["pagination"]["total"])


async def test_a_better_version_is_found_and_made_only_where_that_is_asked(client: httpx.AsyncClient) -> None:
    await judged(client)
    before = await executions(client)
    found = await tune(client, k=3)
    assert (found["better"], found["made"], found["stopped"]) == (True, None, None)
    assert found["baseline"] < found["held_out"] <= found["best"]["value"] == 1.0
    assert found["trials"][0]["changes"] == []
    assert any(one["on_curve"] for one in found["trials"])
    assert await executions(client) == before
    now = await ask(client, "GET", "/v1/retrievers/shop/versions")
    assert [one["version"] for one in now["versions"]] == [1]
    made = await tune(client, k=3, apply=True)
    assert made["made"]["version"] == 2
    newest, first = (await ask(client, "GET", "/v1/retrievers/shop/versions"))["versions"]
    assert (newest["version"], first["version"]) == (2, 1)
    assert newest["definition"]["stages"] == made["stages"]
    again = await tune(client, k=3, apply=True)
    assert (again["better"], again["made"]) == (False, None)


async def test_time_and_credits_end_it_with_what_was_tried(client: httpx.AsyncClient) -> None:
    await judged(client)
    few = await tune(client, max_candidates=3)
    assert (len(few["trials"]), few["untried"]) == (3, 0)
    none = await tune(client, 409, max_seconds=0.000001)
    assert "not even the retriever as it is" in none["error"]["message"]


async def test_what_makes_no_sense(client: httpx.AsyncClient) -> None:
    await judged(client, relevant=False)
    assert "no query of data set 'golden'" in (await tune(client, 409))["error"]["message"]
    assert "one of precision" in str(await tune(client, 422, metric="beauty"))
    await ask(client, "POST", "/v1/retrievers/shop/tune", {"dataset": "nothing"}, 404)
    await ask(client, "POST", "/v1/retrievers/nothing/tune", {"dataset": "golden"}, 404)
    await tune(client, 422, folds=1)


async def test_a_stage_that_spends_is_not_tried_without_a_word(client: httpx.AsyncClient) -> None:
    await judged(client)
    stages = [stage("feature_search", searches=SEARCHES, fusion="dbsf"), stage("llm_filter", criteria="is it good?")]
    await ask(client, "PATCH", "/v1/retrievers/shop", {"stages": stages})
    assert "say how much may be spent" in str(await tune(client, 422))


PATH = "/v1/analytics/retrievers/shop/analyze-tuning"


async def test_advice_out_of_clicks(client: httpx.AsyncClient) -> None:
    quiet = await ask(client, "POST", PATH)
    assert (quiet["recommendations"], quiet["current_performance"]["interactions"]) == ([], 0)
    for _ in range(25):
        found = await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": "paring book"}})
        liked = max(found["documents"], key=lambda one: one["scores"].get(WORDS, 0))["document_id"]
        told = {"feature_id": liked, "interaction_type": ["click"], "position": 0, "retriever_id": "shop"}
        await ask(client, "POST", "/v1/retrievers/interactions", {**told, "execution_id": found["execution_id"]})
    advised = await ask(client, "POST", f"{PATH}?days=90")
    (weights,) = advised["recommendations"]
    assert weights["recommendation_type"] == "fusion_weights"
    assert weights["current_value"] == {URI: 0.95, WORDS: 0.05}
    assert weights["recommended_value"][WORDS] > 0.05
    assert weights["confidence"] > 0.9
    assert advised["current_performance"]["liked_documents"] == 25
    await ask(client, "POST", f"{PATH}?days=91", status=422)
    await ask(client, "POST", "/v1/analytics/retrievers/nothing/analyze-tuning", status=404)
