"""A language model judges what waits in pools: never over people, within its budget, and told how far it agrees."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.engine.spending.prices import Price
from tamis.errors import CreditsSpentError
from tamis.services.access.credit_stop import CreditStop
from tamis.services.access.credits import CreditService
from tamis.services.learning.model_judgements import ModelJudgements, ModelJudging
from tamis.services.runs.turns import Turns
from tests.engine.stages.agents import speaking
from tests.engine.stages.shop import PRINCIPAL
from tests.llm_server import Body, Fault, LanguageServer, text_in
from tests.retrieval_world import WallClock, World, opened, search

DATASETS = "/v1/retrievers/evaluations/datasets"
_FENCE = re.compile(r"<data-(\w+)[^>]* document=[^>]*>\n(.*?)\n</data-\1>", re.DOTALL)


def counting(body: Body) -> Any:
    """A judge that counts shoes in what is fenced."""
    texts = [found[1] for found in _FENCE.findall(text_in(body))]
    return {f"document_{n}": min(text.count("shoes"), 1) for n, text in enumerate(texts, 1)}


@pytest.fixture
async def model() -> AsyncIterator[tuple[LanguageServer, Any]]:
    async with speaking() as (server, reach):
        server.answer = counting
        yield server, reach


@pytest.fixture
async def world(tmp_path: Path, model: tuple[LanguageServer, Any]) -> AsyncIterator[World]:
    async with opened(tmp_path, reach=model[1]) as world:
        yield world


@pytest.fixture
def server(model: tuple[LanguageServer, Any]) -> LanguageServer:
    return model[0]


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def pooled(client: httpx.AsyncClient, question: str = "running shoes") -> dict[str, str]:
    """A data set with one query, unjudged; the texts of its pool by document."""
    body = {"stages": [search("{{INPUT.q}}")], "inputs": {"q": question}, "input_schema": {"q": {"type": "text"}}}
    ran = await ask(client, "POST", "/v1/retrievers/execute", body)
    promoted = {"to": "dataset", "dataset_name": "golden"}
    await ask(client, "POST", f"/v1/retrievers/executions/{ran['execution_id']}/promote", promoted)
    return {one["document_id"]: one["text"] for one in ran["documents"]}


async def query(client: httpx.AsyncClient) -> Any:
    (found,) = (await ask(client, "GET", f"{DATASETS}/golden"))["queries"]
    return found


async def judge(client: httpx.AsyncClient, status: int = 200, **more: Any) -> Any:
    return await ask(client, "POST", f"{DATASETS}/golden/judge-by-model", {"max_credits": 10, **more}, status)


async def test_what_waits_is_judged_and_marked(client: httpx.AsyncClient, server: LanguageServer) -> None:
    texts = await pooled(client)
    found = await judge(client)
    assert (found["model"], found["judged"], found["left"], found["agreement"]) == ("openai/small", len(texts), 0, None)
    assert found["credits"] == 0.25 * found["calls"] == 0.25 * len(server.requests)
    now = await query(client)
    assert set(now["model_judged_documents"]) == set(texts)
    assert now["relevance_scores"] == {one: min(text.count("shoes"), 1) for one, text in texts.items()}
    assert "running shoes" in server.texts[0]
    outside = re.sub(r"<data-(\w+)[^>]*>\n.*?\n</data-\1>", "", server.texts[0], flags=re.DOTALL)
    assert not any(text in outside for text in texts.values())
    asked = len(server.requests)
    assert "nobody has judged" in (await judge(client, 409))["error"]["message"]
    assert len(server.requests) == asked
    assert (await judge(client, again=True))["judged"] == len(texts)


async def test_people_s_word_stands_and_is_what_the_model_is_measured_by(client: httpx.AsyncClient) -> None:
    texts = await pooled(client)
    right, wrong, *_ = [one for one, text in texts.items() if "shoes" in text]
    other = next(one for one, text in texts.items() if "shoes" not in text)
    said = {(await query(client))["query_id"]: {right: 1, wrong: 0, other: 0}}
    await ask(client, "POST", f"{DATASETS}/golden/judgements", {"judgements": said})
    found = await judge(client)
    agreement = found["agreement"]
    assert (agreement["documents"], agreement["same"]) == (3, pytest.approx(2 / 3))
    assert agreement["counts"] == {"0": {"0": 1, "1": 1}, "1": {"1": 1}}
    assert agreement["kappa"] == pytest.approx(0.4)
    now = await query(client)
    assert not {right, wrong, other} & set(now["model_judged_documents"])
    assert now["relevance_scores"][wrong] == 0
    told = (await ask(client, "GET", f"{DATASETS}/golden"))["metadata"]["model_judge"]
    assert (told["model"], told["compared"], told["kappa"]) == ("openai/small", 3, pytest.approx(0.4))
    mine = now["model_judged_documents"][0]
    await ask(client, "POST", f"{DATASETS}/golden/judgements", {"judgements": {now["query_id"]: {mine: 1}}})
    assert mine not in (await query(client))["model_judged_documents"]


async def test_people_who_judge_meanwhile_are_not_overwritten(
    client: httpx.AsyncClient, world: World, server: LanguageServer
) -> None:
    texts = await pooled(client)
    first = next(iter(texts))
    name = (await query(client))["query_id"]
    loop = asyncio.get_running_loop()
    said = {"judgements": {name: {first: 7}}}

    def slow(body: Body) -> Any:
        future = asyncio.run_coroutine_threadsafe(ask(client, "POST", f"{DATASETS}/golden/judgements", said), loop)
        future.result(timeout=20)
        return counting(body)

    server.answer = slow
    await judge(client)
    now = await query(client)
    assert now["relevance_scores"][first] == 7
    assert first not in now["model_judged_documents"]
    assert set(now["model_judged_documents"]) == set(texts) - {first}


async def test_budgets_end_it_with_what_was_judged(client: httpx.AsyncClient, server: LanguageServer) -> None:
    texts = await pooled(client)
    assert len(texts) > 5
    found = await judge(client, max_credits=0.25)
    assert (found["judged"], found["left"], found["credits"]) == (5, len(texts) - 5, 0.25)
    assert "max_credits 0.25 are spent" in found["stopped"]
    rest = await judge(client)
    assert rest["judged"] == len(texts) - 5
    assert (await judge(client, again=True, max_documents=2))["judged"] == 2
    late = await judge(client, again=True, max_seconds=0.000001)
    assert (late["judged"], late["calls"]) == (0, 0)
    assert "are over" in late["stopped"]


async def test_what_it_costs_is_charged_also_where_no_answer_fits_and_ends_with_the_credits(
    client: httpx.AsyncClient, world: World, server: LanguageServer
) -> None:
    await pooled(client)
    metadata, clock = world.shop.metadata, WallClock()

    async def charged() -> float:
        spent = await metadata.read(lambda session: session.credits.spent(PRINCIPAL))
        return sum(one.credits for one in spent if one.operation == "judging")

    server.answer = lambda body: {"document_1": 9}
    vain = await judge(client)
    assert (vain["failed"], vain["judged"]) == (2, 0)
    assert await charged() == vain["credits"] > 0
    server.answer = counting
    credits = CreditService(metadata, clock, 0.001)
    await credits.add(PRINCIPAL, 1)
    stop = CreditStop(metadata, credits.standing, clock)
    judging = ModelJudgements(metadata, world.reach.language, Price(per_call=1.0), Turns(credits=stop), clock)
    before, request = await charged(), ModelJudging(max_credits=10)
    found = await judging.judge(PRINCIPAL, "golden", request)
    assert await charged() - before == found.credits >= 1
    with pytest.raises(CreditsSpentError, match="no credits left"):
        await judging.judge(PRINCIPAL, "golden", replace(request, again=True))


async def test_a_model_that_does_not_answer_judges_nothing(client: httpx.AsyncClient, server: LanguageServer) -> None:
    texts = await pooled(client)
    server.answer = lambda body: {"document_1": 9}
    found = await judge(client)
    assert (found["judged"], found["left"]) == (0, len(texts))
    assert found["failed"] == 2
    server.answer = lambda body: Fault(500)
    assert (await judge(client))["judged"] == 0
    assert (await query(client))["model_judged_documents"] == []


async def test_what_makes_no_sense(client: httpx.AsyncClient, world: World) -> None:
    await pooled(client)
    body: dict[str, Any] = {}
    refused = await ask(client, "POST", f"{DATASETS}/golden/judge-by-model", body, 422)
    assert "say how many may be spent" in str(refused)
    assert "nowhere" in str(await judge(client, 422, provider="nowhere"))
    await judge(client, 422, greatest_grade=4)
    await ask(client, "POST", f"{DATASETS}/nothing/judge-by-model", {"max_credits": 1}, 404)
