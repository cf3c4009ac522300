"""May a version take another's place? With a regression planted, and with none."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.retrieval_world import opened, search, stage

QUESTIONS = ("running shoes", "bread knife", "rain coat")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as world, world.client() as client:
        body = {"retriever_name": "shop", "stages": [search("{{INPUT.q}}")], "input_schema": {"q": {"type": "text"}}}
        await ask(client, "POST", "/v1/retrievers", body)
        for question in (*QUESTIONS, QUESTIONS[0]):
            await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": question}})
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def change(client: httpx.AsyncClient, *stages: Any, **more: Any) -> None:
    await ask(client, "PATCH", "/v1/retrievers/shop", {"stages": [*stages], **more})


async def check(client: httpx.AsyncClient, baseline: int = 1, candidate: int = 2, **more: Any) -> Any:
    body = {"baseline_version": baseline, "candidate_version": candidate, **more}
    return await ask(client, "POST", "/v1/retrievers/shop/check", body)


async def test_a_change_that_changes_no_answer_passes_and_leaves_no_trace(client: httpx.AsyncClient) -> None:
    await change(client, search("{{INPUT.q}}"), stage("limit", limit=50))
    before = (await ask(client, "POST", "/v1/retrievers/shop/executions/list", {}))["total"]
    found = await check(client)
    assert (found["passed"], found["reasons"]) == (True, [])
    assert (found["compared"], found["identical"], found["overlap"]) == (3, 3, 1.0)
    assert found["rank_biased_overlap"] == pytest.approx(1.0)
    assert (found["baseline"]["version"], found["candidate"]["version"]) == (1, 2)
    assert (await ask(client, "POST", "/v1/retrievers/shop/executions/list", {}))["total"] == before
    assert (await check(client, last=2))["compared"] == 2


async def test_planted_regressions_are_found_and_named(client: httpx.AsyncClient) -> None:
    await change(client, search("{{INPUT.q}}"), stage("limit", limit=1))
    found = await check(client)
    assert not found["passed"]
    assert "overlap of the first 10" in found["reasons"][0]
    assert found["worst"][0]["candidate"] == found["worst"][0]["baseline"][:1]
    assert (await check(client, min_overlap=0.0))["passed"]
    nothing = {"field": "price", "operator": "gt", "value": 10**9}
    await change(client, search("{{INPUT.q}}"), stage("attribute_filter", **nothing))
    assert "3 of 3 executions find nothing any more" in (await check(client, 1, 3, min_overlap=0.0))["reasons"][0]
    await change(client, search("{{INPUT.q}}"), stage("break", limit=1))
    broken = await check(client, 1, 4)
    assert (broken["failed"], broken["overlap"]) == (3, None)
    assert "3 of 3 executions fail" in broken["reasons"][0]
    await change(
        client, search("{{INPUT.q}}"), input_schema={"q": {"type": "text"}, "w": {"type": "text", "required": True}}
    )
    assert "fail" in (await check(client, 1, 5))["reasons"][0]
    assert (await check(client, 1, 5, max_failed=3))["passed"]


async def test_what_cannot_be_checked_is_told(client: httpx.AsyncClient) -> None:
    await ask(client, "POST", "/v1/retrievers/nothing/check", {}, 404)
    await ask(client, "POST", "/v1/retrievers/shop/check", {"candidate_version": 9}, 404)
    await ask(client, "POST", "/v1/retrievers/shop/check", {"last": 0}, 422)
    body = {"retriever_name": "idle", "stages": [search("shoes")]}
    await ask(client, "POST", "/v1/retrievers", body)
    assert (await ask(client, "POST", "/v1/retrievers/idle/check", {}))["reasons"] == ["no execution could be compared"]


async def test_versions_are_kept_until_the_retriever_goes(client: httpx.AsyncClient) -> None:
    await change(client, search("{{INPUT.q}}"), stage("limit", limit=3))
    await ask(client, "PATCH", "/v1/retrievers/shop", {"description": "no other version"})
    found = await ask(client, "GET", "/v1/retrievers/shop/versions")
    assert [one["version"] for one in found["versions"]] == [2, 1]
    assert [len(one["definition"]["stages"]) for one in found["versions"]] == [2, 1]
