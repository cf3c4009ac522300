"""A candidate in the shadow of live executions and on a share of them: measured, bounded, no answer changed by it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.retrieval_world import HEADERS, Wait, World, opened, search, stage

QUESTIONS = ("running shoes", "bread knife", "rain coat")
PATH = "/v1/retrievers/shop"
SCHEMA = {"q": {"type": "text"}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        world.shadows.start()
        yield world
        Wait.go.set()
        await world.shadows.close()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        await save(client, "shop", search("{{INPUT.q}}"))
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def save(client: httpx.AsyncClient, name: str, *stages: Any) -> None:
    await ask(client, "POST", "/v1/retrievers", {"retriever_name": name, "stages": [*stages], "input_schema": SCHEMA})


async def start(client: httpx.AsyncClient, *stages: Any, **more: Any) -> Any:
    """With these as the candidate's stages."""
    await save(client, "next", *stages)
    return await ask(client, "PUT", f"{PATH}/rollout", {"candidate": "next", "shadow_share": 1, **more})


async def run(client: httpx.AsyncClient, *questions: str) -> list[Any]:
    return [await ask(client, "POST", f"{PATH}/execute", {"inputs": {"q": one}}) for one in questions]


def ids(answer: Any) -> list[str]:
    return [one["document_id"] for one in answer["documents"]]


async def versions(client: httpx.AsyncClient, answers: list[Any]) -> list[int]:
    """Which version answered, as the records say."""
    traces = [await ask(client, "GET", f"{PATH}/executions/{one['execution_id']}/trace") for one in answers]
    return [one["retriever_version"] for one in traces]


async def test_a_shadow_is_compared_and_leaves_no_trace_elsewhere(world: World, client: httpx.AsyncClient) -> None:
    before = await run(client, *QUESTIONS)
    begun = await start(client, search("{{INPUT.q}}"), stage("limit", limit=2))
    assert (begun["baseline_version"], begun["candidate_version"]) == (1, 2)
    answers = await run(client, *QUESTIONS)
    await world.shadows.drained()
    assert [ids(one) for one in answers] == [ids(one) for one in before]
    assert await versions(client, answers) == [1, 1, 1]
    found = await ask(client, "GET", f"{PATH}/rollout")
    agreement = found["agreement"]
    assert (agreement["compared"], agreement["failed"], agreement["skipped"], agreement["identical"]) == (3, 0, 0, 0)
    shown = [min(10, len(ids(one))) for one in answers]
    assert agreement["overlap"] == pytest.approx(sum(2 / length for length in shown) / 3)
    assert agreement["rank_biased_overlap"] == pytest.approx(1.0)  # they agree as far as both go
    assert agreement["candidate_credits"] == 0.5
    assert found["shadow_credits"] == 1.5
    runs = await ask(client, "GET", f"{PATH}/rollout/runs")
    assert {one["execution_id"] for one in runs} == {one["execution_id"] for one in answers}
    for one in runs:
        (answer,) = (each for each in answers if each["execution_id"] == one["execution_id"])
        assert (one["baseline"], one["candidate"]) == (ids(answer)[:10], ids(answer)[:2])
        assert one["query_summary"] == QUESTIONS[answers.index(answer)]
    assert (await ask(client, "POST", f"{PATH}/executions/list", {}))["total"] == 6
    told = await ask(client, "GET", "/v1/analytics/retrievers/shop/performance")
    assert told["summary"]["query_count"] == 6


async def test_a_broken_or_slow_candidate_costs_nobody_anything(world: World, client: httpx.AsyncClient) -> None:
    await start(client, search("{{INPUT.q}}"), stage("break", limit=1))
    (answer,) = await run(client, QUESTIONS[0])
    await world.shadows.drained()
    (failed,) = await ask(client, "GET", f"{PATH}/rollout/runs")
    assert failed["execution_id"] == answer["execution_id"]
    assert "break" in failed["error"]
    await save(client, "slow", search("{{INPUT.q}}"), stage("wait", limit=1))
    slow = {"candidate": "slow", "shadow_share": 1, "max_time_ms": 20}
    assert (await ask(client, "PUT", f"{PATH}/rollout", slow))["candidate_version"] == 3
    await run(client, *QUESTIONS)
    await world.shadows.drained()
    runs = await ask(client, "GET", f"{PATH}/rollout/runs")
    assert [one["error"] for one in runs] == ["it took longer than 20 ms"] * 3
    assert (await ask(client, "GET", f"{PATH}/rollout"))["agreement"]["failed"] == 3


async def test_what_comes_while_the_shadow_is_busy_is_let_go(world: World, client: httpx.AsyncClient) -> None:
    await start(client, search("{{INPUT.q}}"), stage("wait", limit=1))
    answers = await asyncio.gather(*(run(client, f"shoes {number}") for number in range(40)))
    assert all(ids(answer) for (answer,) in answers)
    await Wait.reached.wait()
    found = await ask(client, "GET", f"{PATH}/rollout")
    assert found["let_go"] >= 40 - 32 - 1
    Wait.go.set()
    await world.shadows.drained()
    found = await ask(client, "GET", f"{PATH}/rollout")
    assert found["agreement"]["compared"] + found["let_go"] == 40


async def test_a_shadow_keeps_to_its_budget_and_goes_with_its_execution(
    world: World, client: httpx.AsyncClient
) -> None:
    await start(client, search("{{INPUT.q}}"), max_runs=2)
    answers = await run(client, *QUESTIONS)
    await world.shadows.drained()
    assert (await ask(client, "GET", f"{PATH}/rollout"))["agreement"]["compared"] == 2
    await ask(client, "DELETE", f"{PATH}/executions/{answers[0]['execution_id']}")
    (left,) = await ask(client, "GET", f"{PATH}/rollout/runs")
    assert left["execution_id"] == answers[1]["execution_id"]
    dearer = {"candidate_version": 2, "shadow_share": 1, "max_credits": 0.4}
    assert (await ask(client, "PUT", f"{PATH}/rollout", dearer))["max_credits"] == 0.4
    await run(client, *QUESTIONS)
    await world.shadows.drained()
    assert len(await ask(client, "GET", f"{PATH}/rollout/runs")) == 1
    await ask(client, "PUT", f"{PATH}/rollout", {"candidate_version": 2, "shadow_share": 0})
    await run(client, *QUESTIONS)
    await world.shadows.drained()
    assert len(await ask(client, "GET", f"{PATH}/rollout/runs")) == 1


async def test_a_kill_loses_the_run_under_way_and_no_bound(world: World, client: httpx.AsyncClient) -> None:
    """What was answered stays answered, half a run is none, and a start counts the budget from what is stored."""
    await start(client, search("{{INPUT.q}}"), stage("wait", limit=1), max_runs=1)
    (broken_off,) = await run(client, QUESTIONS[0])
    await Wait.reached.wait()
    await world.shadows.close()
    Wait.go.set()
    found = []
    for question in QUESTIONS[1:]:
        after = world.restarted()
        after.shadows.start()
        async with after.client() as again:
            await run(again, question)
            await after.shadows.drained()
            found.append(await ask(again, "GET", f"{PATH}/rollout/runs"))
            assert (await ask(again, "GET", f"{PATH}/executions/{broken_off['execution_id']}"))["status"] == "completed"
        await after.shadows.close()
    (only,) = found[0]
    assert only["execution_id"] != broken_off["execution_id"]
    assert only["error"] is None
    assert found[1] == found[0]


async def test_a_share_is_answered_by_the_candidate_the_same_inputs_alike(client: httpx.AsyncClient) -> None:
    questions = [f"shoes {number}" for number in range(24)]
    await start(client, search("{{INPUT.q}}"), stage("limit", limit=1), live_share=0.5, shadow_share=0)
    answers = await run(client, *questions)
    by = await versions(client, answers)
    assert {1, 2} == {*by}
    assert [len(ids(one)) == 1 for one in answers] == [version == 2 for version in by]
    assert await versions(client, await run(client, *questions)) == by
    more = {"candidate_version": 2, "live_share": 0.8}
    await ask(client, "PUT", f"{PATH}/rollout", more)
    wider = await versions(client, await run(client, *questions))
    assert all(now >= before for now, before in zip(wider, by, strict=True))
    assert (await ask(client, "POST", f"{PATH}/rollout/promote"))["version"] == 2
    assert {*await versions(client, await run(client, *questions[:6]))} == {2}
    await ask(client, "GET", f"{PATH}/rollout", status=404)


async def test_going_back_makes_the_baseline_the_newest(client: httpx.AsyncClient) -> None:
    before = await run(client, *QUESTIONS)
    await start(client, search("{{INPUT.q}}"), stage("limit", limit=1), live_share=1)
    assert [len(ids(one)) for one in await run(client, *QUESTIONS)] == [1, 1, 1]
    assert (await ask(client, "POST", f"{PATH}/rollout/roll-back"))["version"] == 3
    after = await run(client, *QUESTIONS)
    assert [ids(one) for one in after] == [ids(one) for one in before]
    assert await versions(client, after) == [3, 3, 3]


async def test_a_change_to_the_retriever_is_live_for_nobody_meanwhile(client: httpx.AsyncClient) -> None:
    await ask(client, "PUT", f"{PATH}/rollout", {"shadow_share": 0})
    await ask(client, "PATCH", PATH, {"stages": [search("{{INPUT.q}}"), stage("limit", limit=1)]})
    assert await versions(client, await run(client, QUESTIONS[0])) == [1]
    changed = await ask(client, "PUT", f"{PATH}/rollout", {"live_share": 1})
    assert (changed["baseline_version"], changed["candidate_version"]) == (1, 2)
    assert await versions(client, await run(client, QUESTIONS[0])) == [2]


async def test_quality_is_told_by_judgements_and_by_clicks(world: World, client: httpx.AsyncClient) -> None:
    nothing = {"field": "price", "operator": "gt", "value": 10**9}
    await start(client, search("{{INPUT.q}}"), stage("attribute_filter", **nothing))
    answers = await run(client, *QUESTIONS, QUESTIONS[0])
    await world.shadows.drained()
    queries = [
        {"query_id": f"q{number}", "query_input": {"q": question}, "relevant_documents": [ids(answers[number])[0]]}
        for number, question in enumerate(QUESTIONS)
    ]
    body = {"dataset_name": "golden", "queries": queries}
    await ask(client, "POST", "/v1/retrievers/evaluations/datasets", body, 201)
    for answer, place in ((answers[0], 1), (answers[1], 0)):
        clicked = {"feature_id": ids(answer)[place], "interaction_type": ["click"], "position": place}
        told = {**clicked, "execution_id": answer["execution_id"], "retriever_id": "shop"}
        await ask(client, "POST", "/v1/retrievers/interactions", told)
    forged = {"feature_id": "doc_forged", "interaction_type": ["click"], "position": 0}
    await ask(client, "POST", "/v1/retrievers/interactions", {**forged, "execution_id": answers[2]["execution_id"]})
    found = await ask(client, "GET", f"{PATH}/rollout?dataset=golden")
    assert found["agreement"]["emptied"] == 4
    judged = found["by_judgements"]
    assert (judged["queries"], judged["metrics"]["ndcg@10"]["baseline"]) == (3, 1.0)
    assert (judged["metrics"]["ndcg@10"]["candidate"], judged["metrics"]["ndcg@10"]["losses"]) == (0.0, 3)
    assert judged["metrics"]["ndcg@10"]["p"] == 0.25  # of 2**3 assignments of signs the two outer ones
    clicks = found["by_clicks"]
    assert (clicks["queries"], clicks["metrics"]["mrr@10"]["baseline"]) == (2, 0.75)
    assert clicks["metrics"]["mrr@10"]["candidate"] == 0


async def test_what_is_wrong_is_named(client: httpx.AsyncClient) -> None:
    await ask(client, "GET", f"{PATH}/rollout", status=404)
    await ask(client, "POST", f"{PATH}/rollout/promote", status=404)
    await ask(client, "PUT", f"{PATH}/rollout", {"candidate": "nothing"}, 404)
    unknown = await ask(client, "PUT", f"{PATH}/rollout", {"candidate_version": 9}, 404)
    assert "known are [1]" in unknown["error"]["message"]
    for field, value in (("live_share", 1.5), ("shadow_share", -1), ("max_runs", 0), ("max_credits", 0)):
        wrong = await ask(client, "PUT", f"{PATH}/rollout", {field: value}, 422)
        assert wrong["detail"][0]["loc"] == ["body", field]
    await ask(client, "PUT", f"{PATH}/rollout", {})
    answer = await client.get(f"{PATH}/rollout", headers={**HEADERS, "X-Namespace": "ns_other"})
    assert answer.status_code == 404
    await ask(client, "GET", f"{PATH}/rollout?dataset=none", status=404)
    await ask(client, "DELETE", PATH)
    await save(client, "shop", search("{{INPUT.q}}"))
    await ask(client, "GET", f"{PATH}/rollout", status=404)
