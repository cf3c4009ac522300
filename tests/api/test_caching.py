"""Caches over HTTP: what the headers say, 304, and a cache dropped by hand."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.caching_world import CachingWorld, Count, caching
from tests.retrieval_world import search, stage

SEARCH = search("{{INPUT.text}}")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[CachingWorld]:
    async with caching(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(world: CachingWorld) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def saved(client: httpx.AsyncClient, name: str = "seek", **config: Any) -> str:
    body = {
        "retriever_name": name,
        "stages": [SEARCH, stage("count")],
        "input_schema": {"text": {"type": "text"}},
        "collection_identifiers": ["products", "more"],
        "cache_config": config or None,
    }
    answer = await client.post("/v1/retrievers", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["retriever"]["retriever_id"])


async def run(
    client: httpx.AsyncClient, retriever_id: str, headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    return await client.post(
        f"/v1/retrievers/{retriever_id}/execute", json={"inputs": {"text": "running shoes"}, **body}, headers=headers
    )


async def test_the_headers_say_what_a_cache_did(client: httpx.AsyncClient) -> None:
    retriever_id = await saved(client, ttl_seconds=300)
    first, second, third = [await run(client, retriever_id, skip_cache=skip) for skip in (False, False, True)]
    assert [one.headers["X-Cache"] for one in (first, second, third)] == ["MISS", "HIT", "BYPASS"]
    assert {one.headers["ETag"] for one in (first, second, third)} == {first.headers["ETag"]}
    assert first.headers["Cache-Control"] == "private, no-cache, max-age=300"
    assert first.json()["documents"] == second.json()["documents"] == third.json()["documents"] != []
    assert first.json()["execution_id"] != second.json()["execution_id"]
    statistics = second.json()["stage_statistics"]
    assert [one["cache_hit"] for one in statistics["stages"].values()] == [True, True]
    assert statistics["credits_used"] == 0


async def test_without_a_cache_nothing_is_said_of_one(client: httpx.AsyncClient) -> None:
    answer = await run(client, await saved(client))
    assert not {"x-cache", "etag", "cache-control"} & set(answer.headers)


async def test_tags_sent_in_several_headers_are_one_list(client: httpx.AsyncClient) -> None:
    retriever_id = await saved(client, enabled=True)
    tag = (await run(client, retriever_id)).headers["ETag"]
    body = {"inputs": {"text": "running shoes"}}
    headers = [("If-None-Match", '"other"'), ("If-None-Match", tag)]
    assert (await client.post(f"/v1/retrievers/{retriever_id}/execute", json=body, headers=headers)).status_code == 304


async def test_who_has_the_answer_gets_304_and_a_record(world: CachingWorld, client: httpx.AsyncClient) -> None:
    retriever_id = await saved(client, enabled=True)
    tag = (await run(client, retriever_id)).headers["ETag"]
    for given in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        same = await run(client, retriever_id, {"If-None-Match": given})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        assert same.headers["X-Cache"] == "HIT"
        record = await client.get(f"/v1/retrievers/{retriever_id}/executions/{same.headers['X-Execution-Id']}")
        assert record.json()["status"] == "completed"
    await world.write("p1", brand="Heel")
    changed = await run(client, retriever_id, {"If-None-Match": tag})
    assert (changed.status_code, changed.headers["X-Cache"]) == (200, "MISS")
    assert changed.headers["ETag"] != tag


async def test_a_tag_is_of_the_page_that_was_shown(client: httpx.AsyncClient) -> None:
    retriever_id = await saved(client, enabled=True)
    pages = [await run(client, retriever_id, limit=limit) for limit in (2, 2, 3)]
    first, again, other = [page.headers["ETag"] for page in pages]
    assert first == again != other
    assert pages[0].json()["pagination"]["next_cursor"] != pages[1].json()["pagination"]["next_cursor"]


async def test_what_is_asked_conditionally_is_answered_so_without_a_cache_too(client: httpx.AsyncClient) -> None:
    retriever_id = await saved(client)
    tagged = await run(client, retriever_id, {"If-None-Match": '"none"'})
    assert tagged.status_code == 200
    same = await run(client, retriever_id, {"If-None-Match": tagged.headers["ETag"]})
    assert same.status_code == 304
    assert "X-Cache" not in same.headers


async def test_a_dropped_cache_answers_anew(client: httpx.AsyncClient) -> None:
    retriever_id = await saved(client, enabled=True)
    for _ in range(2):
        await run(client, retriever_id)
    assert Count.runs == 1
    dropped = await client.delete(f"/v1/retrievers/{retriever_id}/cache")
    assert (dropped.status_code, dropped.json()["retriever_id"]) == (200, retriever_id)
    assert (await run(client, retriever_id)).headers["X-Cache"] == "MISS"
    assert (await client.delete("/v1/retrievers/ret_none/cache")).status_code == 404


async def test_a_wrong_configuration_names_its_field(client: httpx.AsyncClient) -> None:
    body = {"retriever_name": "bad", "stages": [search("x")], "cache_config": {"cache_stage_names": ["serch"]}}
    answer = await client.post("/v1/retrievers", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "cache_config", "cache_stage_names", 0]
