"""Data sets and evaluations over the API, on real stores and real searches."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.jobs.evaluating import EvaluationWorker
from tests.retrieval_world import Wait, WallClock, World, opened, search, stage

DATASETS = "/v1/retrievers/evaluations/datasets"
QUESTIONS = ("running shoes", "bread knife", "rain coat")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def save(client: httpx.AsyncClient, name: str, *stages: Any) -> str:
    body = {"retriever_name": name, "stages": [*stages], "input_schema": {"q": {"type": "text"}}}
    return str((await ask(client, "POST", "/v1/retrievers", body))["retriever"]["retriever_id"])


async def found(client: httpx.AsyncClient, retriever: str, question: str) -> list[str]:
    answer = await ask(client, "POST", f"/v1/retrievers/{retriever}/execute", {"inputs": {"q": question}})
    return [one["document_id"] for one in answer["documents"]]


async def golden(client: httpx.AsyncClient, retriever: str) -> Any:
    """Of each question what stands second is relevant, and more so what stands first."""
    queries = []
    for number, question in enumerate(QUESTIONS):
        first, second = (await found(client, retriever, question))[:2]
        scores = {first: 3, second: 1}
        queries.append({
            "query_id": f"q{number}", "query_input": {"q": question},
            "relevant_documents": [first, second], "relevance_scores": scores,
        })  # fmt: skip
    return await ask(client, "POST", DATASETS, {"dataset_name": "golden", "queries": queries}, 201)


async def evaluate(world: World, client: httpx.AsyncClient, retriever: str, **body: Any) -> Any:
    path = f"/v1/retrievers/{retriever}/evaluations"
    started = await ask(client, "POST", path, {"dataset_name": "golden", **body}, 202)
    world.evaluating.start()
    try:
        await world.evaluating.drain()
    finally:
        await world.evaluating.close()
    return await ask(client, "GET", f"{path}/{started['evaluation_id']}")


async def test_a_retriever_is_evaluated_and_its_change_compared(world: World, client: httpx.AsyncClient) -> None:
    whole = await save(client, "whole", search("{{INPUT.q}}"))
    dataset = await golden(client, whole)
    assert dataset["query_count"] == 3
    ended = await evaluate(world, client, "whole")
    assert (ended["status"], ended["query_count"], ended["evaluated_queries"]) == ("completed", 3, 3)
    assert ended["metrics_by_k"]["10"]["ndcg"] == pytest.approx(1.0)
    assert ended["metrics_by_k"]["1"]["recall"] == pytest.approx(0.5)
    assert ended["overall_metrics"] == ended["metrics_by_k"]["20"]
    runs = await ask(client, "GET", f"/v1/retrievers/whole/evaluations/{ended['evaluation_id']}/queries")
    assert [one["query_id"] for one in runs["queries"]] == ["q0", "q1", "q2"]
    first = runs["queries"][0]
    assert first["ranking"] == (await found(client, whole, QUESTIONS[0]))[:20]
    assert first["metrics"]["mrr@10"] == 1.0
    stored = await ask(client, "GET", f"/v1/retrievers/whole/executions/{first['execution_id']}")
    assert [one["document_id"] for one in stored["documents"]] == first["ranking"]

    await ask(client, "PATCH", "/v1/retrievers/whole", {"stages": [search("{{INPUT.q}}"), stage("limit", limit=1)]})
    worse = await evaluate(world, client, "whole")
    again = await evaluate(world, client, "whole", retriever_version=1)
    assert [one["retriever_version"] for one in (ended, worse, again)] == [1, 2, 1]
    assert again["metrics_by_k"] == ended["metrics_by_k"]
    ids = f"baseline={ended['evaluation_id']}&candidate={worse['evaluation_id']}"
    compared = await ask(client, "GET", f"/v1/retrievers/evaluations/compare?{ids}&metric=recall@10&limit=2")
    recall = compared["metrics"]["recall@10"]
    assert (recall["baseline"], recall["candidate"], recall["losses"]) == (pytest.approx(1.0), pytest.approx(0.5), 3)
    assert recall["p"] == pytest.approx(0.25)
    assert recall["p_holm"] == 1.0
    assert [one["query_id"] for one in compared["worst"]] == ["q0", "q1"]
    diff = await ask(client, "GET", compared["worst"][0]["diff"])
    assert diff["b"] == compared["worst"][0]["candidate_execution_id"]
    listed = await ask(
        client, "GET", "/v1/retrievers/whole/evaluations?status=completed&dataset_name=golden&page_size=2"
    )
    assert (listed["total"], len(listed["evaluations"])) == (3, 2)
    assert listed["evaluations"][0] == again


async def test_of_two_servers_one_sees_an_evaluation_through(world: World, client: httpx.AsyncClient) -> None:
    whole = await save(client, "whole", search("{{INPUT.q}}"))
    await golden(client, whole)
    locks = LocalLocks()
    workers = [EvaluationWorker(world.shop.metadata, world.executions, WallClock(), locks, 0.01) for _ in range(2)]
    before = (await ask(client, "POST", "/v1/retrievers/whole/executions/list", {}))["total"]
    for _ in range(3):
        await ask(client, "POST", "/v1/retrievers/whole/evaluations", {"dataset_name": "golden"}, 202)
    for worker in workers:
        worker.start()
    try:
        await asyncio.gather(*(worker.drain() for worker in workers))
    finally:
        await asyncio.gather(*(worker.close() for worker in workers))
    listed = await ask(client, "GET", "/v1/retrievers/whole/evaluations")
    assert [one["status"] for one in listed["evaluations"]] == ["completed"] * 3
    after = (await ask(client, "POST", "/v1/retrievers/whole/executions/list", {}))["total"]
    assert after - before == 3 * len(QUESTIONS), "each query is asked once"


async def test_a_data_set_grows_by_pools_and_judgements(world: World, client: httpx.AsyncClient) -> None:
    whole = await save(client, "whole", search("{{INPUT.q}}"))
    await save(client, "short", search("{{INPUT.q}}"), stage("limit", limit=1))
    queries = [{"query_id": "q0", "query_input": {"q": QUESTIONS[0]}, "relevant_documents": []}]
    await ask(client, "POST", DATASETS, {"dataset_name": "golden", "queries": queries}, 201)
    ended = [await evaluate(world, client, name) for name in ("short", "whole")]
    assert [(one["status"], one["evaluated_queries"], one["overall_metrics"]) for one in ended] == [
        ("completed", 0, None)
    ] * 2
    ids = [one["evaluation_id"] for one in ended]
    pooled = await ask(client, "POST", f"{DATASETS}/golden/pool", {"evaluation_ids": ids, "depth": 2})
    ranking = await found(client, whole, QUESTIONS[0])
    assert [one["document_id"] for one in pooled["queries"][0]["pool"]] == ranking[:2]
    judgements = {"q0": {ranking[1]: 2, ranking[0]: 0}}
    judged = await ask(client, "POST", f"{DATASETS}/golden/judgements", {"judgements": judgements})
    assert judged["queries"][0]["relevant_documents"] == [ranking[1]]
    # Compared by the judgements as they are now, whatever they were when each was evaluated.
    compared = await ask(
        client, "GET", f"/v1/retrievers/evaluations/compare?baseline={ids[0]}&candidate={ids[1]}&metric=mrr@10"
    )
    assert compared["metrics"]["mrr@10"]["candidate"] == pytest.approx(0.5)
    assert compared["worst"][0]["change"] == pytest.approx(0.5)
    # Promoting an execution of the same inputs adds to the query that has them.
    executed = await ask(client, "POST", "/v1/retrievers/whole/execute", {"inputs": {"q": QUESTIONS[0]}})
    path = f"/v1/retrievers/whole/executions/{executed['execution_id']}/promote"
    promoted = await ask(client, "POST", path, {"to": "dataset", "dataset_name": "golden"})
    assert (promoted["query_id"], promoted["dataset"]["query_count"]) == ("q0", 1)
    assert [one["document_id"] for one in promoted["dataset"]["queries"][0]["pool"]] == ranking


async def test_judgements_may_name_documents_by_a_field(world: World, client: httpx.AsyncClient) -> None:
    await save(client, "whole", search("{{INPUT.q}}"))
    answer = await ask(client, "POST", "/v1/retrievers/whole/execute", {"inputs": {"q": QUESTIONS[0]}})
    titles = [one["text"] for one in answer["documents"]]
    queries = [{"query_id": "q0", "query_input": {"q": QUESTIONS[0]}, "relevant_documents": [titles[1]]}]
    body = {"dataset_name": "golden", "document_field": "metadata.text", "queries": queries}
    await ask(client, "POST", DATASETS, body, 201)
    ended = await evaluate(world, client, "whole")
    assert ended["metrics_by_k"]["10"]["mrr"] == pytest.approx(0.5)


async def test_an_evaluation_goes_on_where_it_was_left(world: World, client: httpx.AsyncClient) -> None:
    whole = await save(client, "whole", search("{{INPUT.q}}"))
    await golden(client, whole)
    await save(client, "slow", search("{{INPUT.q}}"), stage("wait", limit=5))
    started = await ask(client, "POST", "/v1/retrievers/slow/evaluations", {"dataset_name": "golden"}, 202)
    world.evaluating.start()
    await Wait.reached.wait()
    await world.evaluating.close()
    path = f"/v1/retrievers/slow/evaluations/{started['evaluation_id']}"
    assert (await ask(client, "GET", path))["status"] == "pending"
    Wait.go.set()
    again = world.restarted()
    again.evaluating.start()
    await again.evaluating.drain()
    await again.evaluating.close()
    ended = await ask(client, "GET", path)
    assert (ended["status"], ended["skipped_queries"]) == ("completed", 0)


async def test_what_cannot_be_asked_is_told(world: World, client: httpx.AsyncClient) -> None:
    whole = await save(client, "whole", search("{{INPUT.q}}"))
    dataset = await golden(client, whole)
    twice = [dataset["queries"][0]] * 2
    wrong = await ask(client, "POST", DATASETS, {"dataset_name": "twice", "queries": twice}, 422)
    assert wrong["detail"][0]["loc"] == ["body", "queries", 1, "query_id"]
    await ask(client, "POST", DATASETS, {"dataset_name": "golden", "queries": twice[:1]}, 409)
    path = "/v1/retrievers/whole/evaluations"
    await ask(client, "POST", path, {"dataset_name": "nothing"}, 404)
    missing = await ask(client, "POST", path, {"dataset_name": "golden", "retriever_version": 7}, 404)
    assert "known are [1]" in missing["error"]["message"]
    for config, loc in (({"metrics": ["bleu"]}, ["metrics", 0]), ({"k_values": [0]}, ["k_values"])):
        body = {"dataset_name": "golden", "evaluation_config": config}
        assert (await ask(client, "POST", path, body, 422))["detail"][0]["loc"] == ["body", "evaluation_config", *loc]
    judgements = {"judgements": {"q9": {"doc": 1}}}
    await ask(client, "POST", f"{DATASETS}/golden/judgements", judgements, 422)
    one = {"judgements": {"q0": {"doc": 1}}}
    judged = await ask(client, "POST", f"{DATASETS}/golden/judgements", one)
    assert judged["queries"][1:] == dataset["queries"][1:]
    await save(client, "broken", search("{{INPUT.q}}"), stage("break", limit=1))
    failed = await evaluate(world, client, "broken")
    assert (failed["status"], failed["skipped_queries"]) == ("failed", 3)
    assert "division by zero" in failed["error_message"] or "break" in failed["error_message"]
    ended = await evaluate(world, client, "whole")
    both = f"baseline={ended['evaluation_id']}&candidate={failed['evaluation_id']}"
    await ask(client, "GET", f"/v1/retrievers/evaluations/compare?{both}", status=409)
    await ask(client, "DELETE", f"{path}/{ended['evaluation_id']}")
    await ask(client, "GET", f"{path}/{ended['evaluation_id']}", status=404)
    await ask(client, "DELETE", f"{DATASETS}/golden")
    await ask(client, "GET", f"{DATASETS}/golden", status=404)
