"""Tuning over the shop: what is better is found and made a version; what may not be, is not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tamis.model.collection import Collection, Source
from tamis.model.document import DocumentWrite
from tamis.model.vector import Dense
from tamis.services.data.tasks import TaskService
from tamis.services.learning.tuning import Progress
from tests.engine.stages.shop import KITCHEN, PRINCIPAL, URI, collection, product
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


async def refused(client: httpx.AsyncClient, status: int, **more: Any) -> Any:
    return await ask(client, "POST", "/v1/retrievers/shop/tune", {"dataset": "golden", **more}, status)


async def begun(client: httpx.AsyncClient, **more: Any) -> str:
    return str((await refused(client, 202, **more))["task_id"])


async def ended(world: World, client: httpx.AsyncClient, task_id: str) -> Any:
    """Once a worker has seen it through."""
    world.tuner.start()
    try:
        await world.tuner.drain()
    finally:
        await world.tuner.close()
    return await ask(client, "GET", f"/v1/retrievers/shop/tunings/{task_id}")


async def tune(world: World, client: httpx.AsyncClient, **more: Any) -> Any:
    run = await ended(world, client, await begun(client, **more))
    assert (run["status"], run["error"]) == ("COMPLETED", None)
    assert run["candidates_done"] == len(run["result"]["trials"])
    return run["result"]


async def executions(client: httpx.AsyncClient) -> int:
    listed = await ask(client, "POST", "/v1/retrievers/shop/executions/list", {})
    return int(listed["pagination"]["total"])


async def test_a_better_version_is_found_and_made_only_where_that_is_asked(
    world: World, client: httpx.AsyncClient
) -> None:
    await judged(client)
    before = await executions(client)
    found = await tune(world, client, k=3)
    assert (found["better"], found["made"], found["stopped"]) == (True, None, None)
    assert found["baseline"] < found["held_out"] <= found["best"]["value"] == 1.0
    assert found["trials"][0]["changes"] == []
    assert any(one["on_curve"] for one in found["trials"])
    assert await executions(client) == before
    now = await ask(client, "GET", "/v1/retrievers/shop/versions")
    assert [one["version"] for one in now["versions"]] == [1]
    made = await tune(world, client, k=3, apply=True)
    assert made["made"]["version"] == 2
    newest, first = (await ask(client, "GET", "/v1/retrievers/shop/versions"))["versions"]
    assert (newest["version"], first["version"]) == (2, 1)
    assert newest["definition"]["stages"] == made["stages"]
    again = await tune(world, client, k=3, apply=True)
    assert (again["better"], again["made"]) == (False, None)


async def test_time_and_credits_end_it_with_what_was_tried(world: World, client: httpx.AsyncClient) -> None:
    await judged(client)
    few = await tune(world, client, max_candidates=3)
    assert (len(few["trials"]), few["untried"]) == (3, 0)
    none = await ended(world, client, await begun(client, max_seconds=0.000001))
    assert (none["status"], none["result"]) == ("FAILED", None)
    assert "not even the retriever as it is" in none["error"]
    both = (await ask(client, "GET", "/v1/retrievers/shop/tunings"))["tunings"]
    assert [one["status"] for one in both] == ["FAILED", "COMPLETED"]


async def test_one_that_is_killed_with_its_task_ends_and_changes_nothing(
    world: World, client: httpx.AsyncClient
) -> None:
    await judged(client)
    task_id = await begun(client, k=3, apply=True)
    tasks = TaskService(world.shop.metadata)
    tuning: Any = world.tuning
    tried = tuning.tune

    async def killed_midway(*given: Any) -> Any:
        *rest, tell, spent = given

        async def told(progress: Progress) -> None:
            if progress.done == 2:
                await tasks.kill(PRINCIPAL, task_id)
            await tell(replace(progress, spent=progress.spent + progress.done))

        return await tried(*rest, told, spent)

    tuning.tune = killed_midway
    run = await ended(world, client, task_id)
    assert (run["status"], run["result"]) == ("CANCELED", None)
    assert len((await ask(client, "GET", "/v1/retrievers/shop/versions"))["versions"]) == 1


@pytest.mark.parametrize("is_found", [False, True], ids=["while it tries", "when it has found, before it is applied"])
async def test_a_kill_leaves_nothing_half_done(world: World, client: httpx.AsyncClient, is_found: bool) -> None:
    """The next start begins anew, or applies what was found, once."""
    await judged(client)
    task_id = await begun(client, k=3, apply=True, max_candidates=5)
    reached, never = asyncio.Event(), asyncio.Event()
    target, name = (world.retrievers, "patch") if is_found else (world.tuning, "_ask")
    honest = getattr(target, name)

    async def stuck(*given: Any) -> Any:
        reached.set()
        await never.wait()

    setattr(target, name, stuck)
    world.tuner.start()
    async with asyncio.timeout(20):
        await reached.wait()
    await world.tuner.close()
    setattr(target, name, honest)
    under_way = await ask(client, "GET", f"/v1/retrievers/shop/tunings/{task_id}")
    assert (under_way["status"], under_way["result"] is not None) == ("IN_PROGRESS", is_found)
    after = world.restarted()
    async with after.client() as again:
        run = await ended(after, again, task_id)
        assert (run["status"], run["result"]["made"]["version"]) == ("COMPLETED", 2)
        assert len((await ask(again, "GET", "/v1/retrievers/shop/versions"))["versions"]) == 2


async def test_a_kill_after_it_was_applied_makes_no_second_version(world: World, client: httpx.AsyncClient) -> None:
    await judged(client)
    task_id = await begun(client, k=3, apply=True, max_candidates=5)
    reached, never = asyncio.Event(), asyncio.Event()
    honest = world.retrievers.patch

    async def stuck(*given: Any) -> Any:
        await honest(*given)
        reached.set()
        await never.wait()

    retrievers: Any = world.retrievers
    retrievers.patch = stuck
    world.tuner.start()
    async with asyncio.timeout(20):
        await reached.wait()
    await world.tuner.close()
    after = world.restarted()
    async with after.client() as again:
        run = await ended(after, again, task_id)
        assert (run["status"], run["result"]["made"]["version"]) == ("COMPLETED", 2)
        assert len((await ask(again, "GET", "/v1/retrievers/shop/versions"))["versions"]) == 2


async def test_a_retriever_that_was_changed_meanwhile_is_left_alone(world: World, client: httpx.AsyncClient) -> None:
    await judged(client)
    task_id = await begun(client, k=3, apply=True, max_candidates=5)
    retrievers: Any = world.retrievers
    honest = retrievers.get

    async def late(*given: Any) -> Any:
        retrievers.get = honest
        stages = [stage("feature_search", searches=SEARCHES, fusion="rrf")]
        await ask(client, "PATCH", "/v1/retrievers/shop", {"stages": stages})
        return await honest(*given)

    retrievers.get = late
    run = await ended(world, client, task_id)
    assert run["status"] == "FAILED"
    assert "changed meanwhile" in run["error"]
    assert len((await ask(client, "GET", "/v1/retrievers/shop/versions"))["versions"]) == 2


async def test_what_makes_no_sense(client: httpx.AsyncClient) -> None:
    await judged(client, relevant=False)
    assert "no query of data set 'golden'" in (await refused(client, 409))["error"]["message"]
    assert "one of precision" in str(await refused(client, 422, metric="beauty"))
    await ask(client, "POST", "/v1/retrievers/shop/tune", {"dataset": "nothing"}, 404)
    await ask(client, "POST", "/v1/retrievers/nothing/tune", {"dataset": "golden"}, 404)
    await refused(client, 422, folds=1)
    await ask(client, "GET", "/v1/retrievers/shop/tunings/task_1", status=404)
    await ask(client, "GET", "/v1/retrievers/nothing/tunings", status=404)


async def test_a_stage_that_spends_is_not_tried_without_a_word(client: httpx.AsyncClient) -> None:
    await judged(client)
    stages = [stage("feature_search", searches=SEARCHES, fusion="dbsf"), stage("llm_filter", criteria="is it good?")]
    await ask(client, "PATCH", "/v1/retrievers/shop", {"stages": stages})
    assert "say how much may be spent" in str(await refused(client, 422))


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


class Cuts:
    """A retriever of `products` by meaning, and `passages` of the same objects, one of which answers better."""

    asked = tuple(f"bread {word}" for word in ("knife", "kitchen", "bread", "a knife", "a kitchen", "of a kitchen"))

    def __init__(self, world: World, client: httpx.AsyncClient) -> None:
        self.world, self.client = world, client

    async def made(self) -> None:
        """What is relevant is p5's object, which p3 stands before, and which a passage says best."""
        for name, bucket in (("passages", "bkt_1"), ("others", "bkt_2")):
            await self.put(replace(collection(f"col_{name}", name), source=Source("bucket", (bucket,))))
        write = product(4, "col_passages")
        dense = Dense(np.array(KITCHEN, dtype=np.float32))
        passage = replace(write.document, document_id="passage", collection_id="col_passages")
        await self.world.shop.put("col_passages", [DocumentWrite(passage, {**write.vectors, "embedding": dense})])
        stages = [stage("feature_search", searches=[{"feature_uri": URI, "query": "{{INPUT.q}}"}])]
        await ask(self.client, "PATCH", "/v1/retrievers/shop", {"stages": stages})
        await self.judged("golden", "root_object_id", "obj_p5")

    async def put(self, one: Collection) -> None:
        await self.world.shop.metadata.write(lambda session: session.collections.insert(PRINCIPAL, one))
        await self.world.shop.index.create(PRINCIPAL, one.collection_id, one.features)

    async def judged(self, name: str, field: str | None, relevant: str) -> None:
        queries = [{"query_id": q, "query_input": {"q": q}, "relevant_documents": [relevant]} for q in self.asked]
        body = {"dataset_name": name, "queries": queries, "document_field": field}
        await ask(self.client, "POST", "/v1/retrievers/evaluations/datasets", body, 201)


async def test_passages_of_the_same_objects_are_tried_and_joined(world: World, client: httpx.AsyncClient) -> None:
    cuts = Cuts(world, client)
    await cuts.made()
    refusal = await refused(client, 422, collections=["passages"])
    assert "names no collections of its own" in str(refusal)
    await ask(client, "PATCH", "/v1/retrievers/shop", {"collection_identifiers": ["products"]})
    found = await tune(world, client, k=1, collections=["passages", "col_passages"], apply=True)
    assert (found["baseline"], found["held_out"], found["better"]) == (0.0, 1.0, True)
    assert found["best"]["changes"] == [found["trials"][1]["changes"][0]]
    assert "search 0 (by meaning) asks passages" in found["best"]["changes"][0]
    (parameters,) = [one["parameters"] for one in found["stages"]]
    assert parameters["fuse_by"] == "root_object_id"
    assert parameters["searches"][0]["collection_identifiers"] == ["col_passages"]
    answer = await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": cuts.asked[0]}})
    assert answer["documents"][0]["document_id"] == "passage"
    beside = [one for one in found["trials"] if "and passages like" in "".join(one["changes"])]
    assert [one["failed"] for one in beside] == [0, 0]


async def test_what_cannot_be_joined_is_refused(world: World, client: httpx.AsyncClient) -> None:
    cuts = Cuts(world, client)
    await cuts.made()
    await ask(client, "PATCH", "/v1/retrievers/shop", {"collection_identifiers": ["products"]})
    await refused(client, 404, collections=["nothing"])
    assert "is searched by the retriever already" in str(await refused(client, 422, collections=["products"]))
    assert "is made of other buckets" in str(await refused(client, 422, collections=["others"]))
    await cuts.put(collection("col_bare", "bare", "passthrough_extractor"))
    refusal = await refused(client, 422, collections=["passages", "bare"])
    assert "has no feature that the retriever searches" in str(refusal)
    assert ["body", "collections", 1] in [one["loc"] for one in refusal["detail"]]
    await cuts.judged("by-id", None, "p5")
    assert "document_field" in str(await refused(client, 409, dataset="by-id", collections=["passages"]))
