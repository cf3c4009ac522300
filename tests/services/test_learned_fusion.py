"""Learned fusion over the shop: what is clicked changes the weights, for whom, and is forgotten without a trace."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.engine.ports.learning import Evidence, EvidenceQuery
from tamis.executions.codec import decode
from tamis.model.fusion_credit import DayOfCredits
from tamis.model.principal import Principal
from tamis.services.runs.learnt_weights import faded
from tamis.storage.metadata.upkeep import SqlUpkeep
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.retrieval_world import World, opened, stage

LEXICAL = f"{URI}#lexical"
INPUTS = {"q": {"type": "text"}, "user_id": {"type": "text"}, "segment": {"type": "text"}}
PATH = "/v1/retrievers/interactions"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


def learned(**config: Any) -> dict[str, Any]:
    searches = [{"feature_uri": URI, "query": "{{INPUT.q}}", "lexical": lexical} for lexical in (False, True)]
    return stage("feature_search", searches=searches, fusion="learned", learning_config=config)


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def make(client: httpx.AsyncClient, name: str = "shop", **more: Any) -> str:
    cache = more.pop("cache_config", None)
    body = {"retriever_name": name, "stages": [learned(**more)], "input_schema": INPUTS, "cache_config": cache}
    made = await ask(client, "POST", "/v1/retrievers", body)
    return str(made["retriever"]["retriever_id"] if "retriever" in made else made["retriever_id"])


async def search(client: httpx.AsyncClient, q: str = "novel about", **inputs: str) -> Any:
    return await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": q, **inputs}})


def facts(answer: Any) -> dict[str, Any]:
    (found,) = answer["stage_statistics"]["stages"].values()
    return dict(found["metadata"]["learned_fusion"])


async def click(client: httpx.AsyncClient, answer: Any, document: str, **more: Any) -> str:
    told = {"feature_id": document, "interaction_type": ["click"], "position": 0, **more}
    return str((await ask(client, "POST", PATH, {"execution_id": answer["execution_id"], **told}))["interaction_id"])


def liked_by_words(answer: Any) -> str:
    """The document that the words put first."""
    return str(max(answer["documents"], key=lambda one: one["scores"].get(LEXICAL, 0.0))["document_id"])


async def teach(client: httpx.AsyncClient, times: int, **inputs: str) -> None:
    for _ in range(times):
        answer = await search(client, **inputs)
        await click(client, answer, liked_by_words(answer))


async def sums(world: World, retriever: str, context: str = "") -> Sequence[DayOfCredits]:
    return await world.shop.metadata.read(
        lambda session: session.fusion_credits.days(PRINCIPAL, retriever, "feature_search", context, 0)
    )


async def test_clicks_move_the_weights_of_who_clicks_and_a_little_everyones(client: httpx.AsyncClient) -> None:
    await make(client, exploration_bonus=0.1, exploration_floor=0.0, exploration_decay=0.9)
    before = facts(await search(client, user_id="ann"))
    assert (before["level"], before["used"], before["interactions"]) == ("prior", True, 0)
    await teach(client, 25, user_id="ann")
    ann, bob = facts(await search(client, user_id="ann")), facts(await search(client, user_id="bob"))
    assert (ann["level"], bob["level"]) == ("personal", "global")
    assert ann["weights"][LEXICAL] > 0.6
    assert sum(ann["weights"].values()) == pytest.approx(1)
    few = facts(await search(client, user_id="cleo", segment="cooks"))
    assert (few["level"], len(few["contexts"])) == ("global", 3)


async def test_a_replay_repeats_the_decision_whatever_was_learnt_since(client: httpx.AsyncClient, world: World) -> None:
    await make(client)
    await teach(client, 6, user_id="ann")
    asked = await search(client, user_id="ann")
    await teach(client, 20, user_id="ann")
    path = f"/v1/retrievers/shop/executions/{asked['execution_id']}/replay"
    again = await ask(client, "POST", path, {"mode": "frozen"})
    assert again["verdict"] == "identical"
    stored = await world.shop.metadata.read(lambda session: session.executions.get(PRINCIPAL, asked["execution_id"]))
    assert stored is not None
    assert decode(stored).stages[0].metadata["learned_fusion"] == facts(asked)
    assert facts(await search(client, user_id="ann"))["weights"] != facts(asked)["weights"]


async def test_the_same_question_is_answered_alike_until_something_is_learnt(client: httpx.AsyncClient) -> None:
    await make(client, cache_config={"enabled": True, "ttl_seconds": 600})
    first, second = await search(client), await search(client)
    assert facts(first)["weights"] == facts(second)["weights"]
    await click(client, second, liked_by_words(second))
    third = await search(client)
    assert facts(third)["interactions"] == 1
    assert facts(third)["weights"] != facts(second)["weights"]


async def test_what_proves_nothing_teaches_nothing(client: httpx.AsyncClient, world: World) -> None:
    retriever = await make(client)
    other = {"retriever_name": "other", "stages": [learned()], "input_schema": INPUTS}
    await ask(client, "POST", "/v1/retrievers", other)
    answer = await search(client, user_id="ann")
    shown = liked_by_words(answer)
    await click(client, answer, "doc_nowhere")
    await click(client, {"execution_id": "exec_nothing"}, shown)
    await click(client, answer, shown, interaction_type=["view"])
    await click(client, answer, shown, retriever_id="other")
    await click(client, answer, shown, user_id="bob")
    assert await sums(world, retriever) == []
    await click(client, answer, shown, user_id="ann")
    once = await sums(world, retriever)
    await click(client, answer, shown, user_id="ann")
    assert await sums(world, retriever) == once
    assert [day.interactions for day in once] == [1]


async def test_what_is_forgotten_leaves_no_trace(client: httpx.AsyncClient, world: World) -> None:
    retriever = await make(client)
    await teach(client, 3, user_id="ann", segment="cooks")
    answer = await search(client, user_id="ann", segment="cooks")
    group, ann = facts(answer)["contexts"][1:]
    kept = [await sums(world, retriever, context) for context in ("", group)]
    for user in ("bob", "cleo"):
        answer = await search(client, user_id=user, segment="cooks")
        made = await click(client, answer, liked_by_words(answer), user_id=user)
        if user == "bob":
            await ask(client, "DELETE", f"{PATH}/{made}")
    await ask(client, "DELETE", f"{PATH}/users/cleo")
    assert [await sums(world, retriever, context) for context in ("", group)] == kept
    # Nobody told whose the clicks were; whose searches they were is known.
    assert (await ask(client, "DELETE", f"{PATH}/users/ann"))["deleted"] == 0
    assert [await sums(world, retriever, context) for context in ("", group, ann)] == [[], [], []]
    await teach(client, 1)
    await ask(client, "DELETE", "/v1/retrievers/shop")
    assert await sums(world, retriever) == []


@pytest.mark.parametrize(
    ("config", "used"), [({"shadow_mode": True}, False), ({"rollout_pct": 0}, False), ({"rollout_pct": 100}, True)]
)
async def test_in_the_shadow_weights_are_noted_and_not_used(
    client: httpx.AsyncClient, config: Mapping[str, Any], used: bool
) -> None:
    await make(client, **config)
    await teach(client, 4)
    found = facts(await search(client))
    assert (found["used"], found["weights"] == {URI: 0.5, LEXICAL: 0.5}) == (used, not used)
    assert found["drawn"] != {URI: 0.5, LEXICAL: 0.5}


async def test_weights_that_were_shipped_are_where_it_starts(client: httpx.AsyncClient) -> None:
    shipped = {
        "weight_set_id": "w1", "evaluation_id": "eval_2", "baseline_evaluation_id": "eval_1",
        "shipped_at": "2026-01-01T00:00:00Z", "weights": {URI: 1, LEXICAL: 3},
    }  # fmt: skip
    await make(client, shipped_weight_set=shipped, shadow_mode=True)
    assert facts(await search(client))["weights"] == {URI: 0.25, LEXICAL: 0.75}


async def test_a_pipeline_that_is_not_saved_uses_its_weights_and_says_why(client: httpx.AsyncClient) -> None:
    body = {"stages": [learned()], "inputs": {"q": "knife"}, "input_schema": INPUTS}
    found = facts(await ask(client, "POST", "/v1/retrievers/execute", body))
    assert found == {"level": "prior", "used": False, "because": "only a saved retriever learns"}


async def test_without_an_answer_in_time_the_weights_are_as_written(client: httpx.AsyncClient, world: World) -> None:
    class Late:
        async def evidence(self, principal: Principal, query: EvidenceQuery) -> Sequence[Evidence] | None:
            return None

    await make(client, circuit_breaker_timeout_ms=3)
    executor = world.executions._executor
    executor.environment = replace(executor.environment, reach=replace(executor.environment.reach, learning=Late()))
    answer = await search(client)
    assert facts(answer)["used"] is False
    assert "could not be read within 3 ms" in answer["warnings"][0]
    assert [one["document_id"] for one in answer["documents"]]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"algorithm": "guessing"}, "thompson_sampling"),
        ({"reward_map": {"stare": 1}}, "no type of interaction is called 'stare'"),
        ({"min_weight": 0.6}, "less than or equal to 0.5"),
        ({"decay_factor": 0.5}, "greater than or equal to 0.9"),
    ],
)
async def test_a_configuration_that_makes_no_sense(client: httpx.AsyncClient, config: Any, told: str) -> None:
    body = {"retriever_name": "wrong", "stages": [learned(**config)], "input_schema": INPUTS}
    assert told in str(await ask(client, "POST", "/v1/retrievers", body, 422))


def test_days_fade() -> None:
    days = [DayOfCredits(10, 4), DayOfCredits(12, 2), DayOfCredits(13, 1)]
    assert faded(days, 12, 0.5).interactions == 4 / 4 + 2 + 1


async def test_what_was_learnt_is_shown_and_forgotten(client: httpx.AsyncClient, world: World) -> None:
    retriever = await make(client)
    await teach(client, 6, user_id="ann")
    shown = "/v1/retrievers/shop/learned-fusion"
    everybody, ann = (await ask(client, "GET", f"{shown}?user_id=ann"))["learnt"]
    assert (everybody["level"], ann["level"], ann["interactions"]) == ("global", "personal", pytest.approx(6))
    assert ann["searches"][LEXICAL]["agreement"] > ann["searches"][URI]["agreement"]
    (alone,) = (await ask(client, "GET", shown))["learnt"]
    assert alone == everybody
    await ask(client, "DELETE", shown)
    assert await sums(world, retriever) == []
    assert [one["interactions"] for one in (await ask(client, "GET", f"{shown}?user_id=ann"))["learnt"]] == [0, 0]
    assert facts(await search(client, user_id="ann"))["level"] == "prior"
    await ask(client, "DELETE", "/v1/retrievers/nothing/learned-fusion", status=404)


async def test_sums_are_held_against_each_lesson_and_made_again(
    client: httpx.AsyncClient, world: World, tmp_path: Path
) -> None:
    retriever = await make(client)
    await teach(client, 2, user_id="ann")
    right = await sums(world, retriever)
    path = tmp_path / "metadata.db"
    upkeep = SqlUpkeep(path)
    assert [*upkeep.faults(False)] == []
    with contextlib.closing(sqlite3.connect(path)) as stored, stored:
        stored.execute("UPDATE fusion_days SET agreed = agreed + 1 WHERE kind = 'search' AND context = ''")
    (fault,) = upkeep.faults(False)
    assert (fault.kind, fault.is_derived, retriever in fault.where) == ("fusion_sums", True, True)
    upkeep.mend()
    assert ([*upkeep.faults(True)], await sums(world, retriever)) == ([], right)
    with contextlib.closing(sqlite3.connect(path)) as stored, stored:
        stored.execute("DELETE FROM interactions")
    assert {one.kind for one in upkeep.faults(False)} == {"lesson"}
    upkeep.mend()
    assert ([*upkeep.faults(True)], await sums(world, retriever)) == ([], [])
