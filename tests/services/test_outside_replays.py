"""Stages that reach outside, through the services: recorded whole, replayed with nobody left to ask, secrets kept."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.environment import Environment
from tamis.engine.planning.plan import Planner
from tamis.engine.reach import Reach
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stages import STAGES
from tamis.engine.verdicts.verdict import VerdictKind
from tamis.errors import StageError, TamisError, ValidationError
from tamis.executions.codec import decode
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.execution import ExecutionStatus
from tamis.model.json import JSON
from tamis.model.retriever import Budget
from tamis.outside.secrets import secret_store
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.wiring.outside import outside_of
from tamis.wiring.search import web_search_of
from tests.engine.stages.searching import EXA, KEY, settings_for
from tests.engine.stages.shop import PRINCIPAL
from tests.outside.server import Answer, Asked, Server, served
from tests.retrieval_world import WallClock, World, opened, search, specs, stage

PAGE = (
    b"<html lang='en'><head><title>Brand</title></head><body><article><p>A brand of knives.</p></article></body></html>"
)
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def anything(asked: Asked) -> Answer:
    if asked.path == "/robots.txt":
        return Answer(b"User-agent: *\nDisallow: /private")
    if asked.path.startswith("/brands/"):
        country = {"name": asked.path[8:], "sent": dict(asked.headers)}
        return Answer(json.dumps(country).encode(), 404 if asked.path == "/brands/Blade" else 200)
    if asked.path == "/rest/search/":
        backlinks = [{"backlink": "https://x.example/"}]
        return Answer(json.dumps({"results": {"matches": [{"score": 50, "backlinks": backlinks}]}}).encode())
    return Answer(PAGE) if asked.path.startswith("/pages/") else Answer(json.dumps(EXA).encode())


def pipelines(url: str) -> dict[str, list[dict[str, Any]]]:
    brand, secret = f"{url}/brands/{{DOC.brand}}", {"X-Key": "{{SECRET.search}}"}
    return {
        "api_call": [search(), stage("api_call", url=brand, headers=secret)],
        "api_call_removing": [search(), stage("api_call", url=brand, on_error="remove")],
        "web_scrape": [search(), stage("web_scrape", url=f"{url}/pages/{{{{ DOC.brand }}}}", include_links=True)],
        "external_web_search": [search(), stage("external_web_search", query="{{INPUT.q}}")],
        "external_web_search_first": [stage("external_web_search", query="{{INPUT.q}}")],
        "external_web_search_each": [search(), stage("external_web_search", query="by {{DOC.brand}}", num_results=1)],
        "external_reverse_image": [stage("external_reverse_image", image_url="{{INPUT.picture}}")],
    }


@dataclass
class Abroad:
    world: World
    server: Server
    reach: Reach

    async def run(self, *raw: dict[str, Any], **inputs: JSON) -> Executed:
        given = RunOptions(inputs={"q": "running shoes", "picture": PICTURE, **inputs})
        return await self.world.executions.execute_anonymous(PRINCIPAL, specs(*raw), {}, given)


@asynccontextmanager
async def abroad(path: Path, server: Server) -> AsyncIterator[Abroad]:
    more: dict[str, Any] = {"outside_domains": "127.0.0.1", "outside_ports": str(server.port)}
    settings = settings_for(server, {"exa": {}, "tineye": {}}, **more)
    secrets = secret_store(settings.secrets, None)
    reach = Reach(outside=outside_of(settings, secrets), web_search=web_search_of(settings, secrets))
    async with opened(path, reach=reach) as world:
        yield Abroad(world, server, reach)


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Abroad]:
    async with served(anything) as server, abroad(tmp_path, server) as one:
        yield one


@pytest.mark.parametrize("name", pipelines(""))
async def test_a_frozen_replay_asks_nobody(name: str, tmp_path: Path) -> None:
    stopping = served(anything)
    server = await stopping.__aenter__()
    pipeline = pipelines(server.url)[name]
    async with abroad(tmp_path, server) as one:
        first = await one.run(*pipeline)
        await stopping.__aexit__(None, None, None)
        asked = len(server.asked)
        replayed = await one.world.replays.replay(PRINCIPAL, first.execution_id, ReplayMode.FROZEN)
        record = await one.world.records.get_anonymous(PRINCIPAL, first.execution_id)
    assert asked == len(server.asked) >= 1
    assert first.documents
    assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None)
    assert KEY not in repr(decode(record))
    assert not _holding(KEY, tmp_path)


def _holding(text: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


async def test_found_pages_go_through_the_stages_behind(play: Abroad) -> None:
    found = await play.run(
        stage("external_web_search", query="{{INPUT.q}}"),
        stage("attribute_filter", field="metadata.domain", operator="eq", value="knives.example"),
        stage("sort_attribute", sort_field="published_date"),
        stage("rag_prepare", max_tokens=200, output_mode="single_context"),
    )
    assert "Use a ceramic rod." in json.dumps([hit.view() for hit in found.documents])


async def test_a_page_goes_out_as_the_contracts_pages_show_it(play: Abroad) -> None:
    body = {
        "stages": [stage("external_web_search", query="{{INPUT.q}}", include_text=False)],
        "collection_identifiers": ["products"],
        "inputs": {"q": "bread"},
    }
    async with play.world.client() as client:
        answer = await client.post("/v1/retrievers/execute", json=body)
    assert answer.status_code == 200, answer.text
    first = answer.json()["documents"][0]
    assert first["document_id"].startswith("web_")
    assert first["score"] == 0.62
    for fields in (first, first["metadata"]):
        assert (fields["source"], fields["url"]) == ("web", "https://www.knives.example/sharpen")
        assert (fields["search_query"], fields["search_position"]) == ("bread", 0)


PRICED = PriceTable({"external_web_search": Price(per_call=0.5, per_document=0.01)})


async def test_searches_are_charged_and_a_budget_holds(play: Abroad) -> None:
    world, clock = play.world, WallClock()
    environment = Environment(world.shop.searcher, world.shop.models, clock, play.reach)
    executor = Executor(environment, PRICED)
    service = ExecutionService(world.shop.metadata, Planner(STAGES), executor, clock, InFlight(clock))
    each = stage("external_web_search", query="by {{DOC.brand}} {{DOC.price}}", num_results=2)

    async def run(budget: Budget | None, *stages: dict[str, Any]) -> Executed:
        options = RunOptions(inputs={"q": "running shoes"}, budget=budget)
        return await service.execute_anonymous(PRINCIPAL, specs(*stages), {}, options)

    free = await run(None, stage("external_web_search", query="shoes"))
    assert free.credits_used == pytest.approx(0.5 + 2 * 0.01)
    asked = len(play.server.asked)
    poor = await run(Budget(max_credits=1.3), search(), each)
    assert poor.status is not ExecutionStatus.COMPLETED
    assert poor.credits_used <= 1.3
    assert len(play.server.asked) - asked == 2


async def test_single_braces_in_a_url_are_filled_and_escaped(play: Abroad) -> None:
    url = f"{play.server.url}/brands/{{INPUT.brand}}?all={{INPUT.all}}"
    await play.run(search(), stage("api_call", url=url), brand="a/b ../c", all="x&y=1")
    assert {one.target for one in play.server.asked} == {"/brands/a%2Fb%20..%2Fc?all=x%26y%3D1"}


async def test_single_braces_in_a_web_search_are_filled(play: Abroad) -> None:
    query = "{INPUT.company_name} and {json}, latest"
    await play.run(stage("external_web_search", query=query), company_name="{INPUT.q} Ltd")
    assert [json.loads(one.body)["query"] for one in play.server.asked] == ["{INPUT.q} Ltd and {json}, latest"]
    with pytest.raises(ValidationError, match="company_nam"):
        await play.run(stage("external_web_search", query="{INPUT.company_nam}"), company_name="x")


@pytest.mark.parametrize(
    "parameters",
    [
        {"headers": {"X-Sent": "{{INPUT.reference}}"}},
        {"headers": {"X-Sent": "Bearer {{ INPUT.reference }}"}},
        {"headers": "{{INPUT.headers}}"},
        {"auth": {"type": "bearer", "secret_ref": "{{INPUT.name}}"}},
        {"auth": "{{INPUT.auth}}"},
    ],
)
async def test_no_input_refers_to_a_secret(parameters: dict[str, Any], play: Abroad) -> None:
    inputs: dict[str, JSON] = {
        "reference": "{{SECRET.search}}", "name": "search", "headers": {"X-Sent": "{{SECRET.search}}"},
        "auth": {"type": "bearer", "secret_ref": "search"},
    }  # fmt: skip
    with pytest.raises(TamisError) as raised:
        await play.run(search(), stage("api_call", url=f"{play.server.url}/brands/x", **parameters), **inputs)
    assert isinstance(raised.value, ValidationError | StageError)
    assert play.server.asked == []
    assert KEY not in str(raised.value)


async def test_what_a_document_holds_refers_to_no_secret(play: Abroad) -> None:
    """It is sent as the text that it is."""
    holding = stage("json_transform", template='{"id": "{{ DOC.document_id }}", "reference": "{{ INPUT.reference }}"}')
    call = stage(
        "api_call",
        url=f"{play.server.url}/brands/x",
        method="POST",
        headers={"X-Sent": "{{ DOC.reference }}"},
        body={"sent": "{{ DOC.reference }}"},
    )
    await play.run(search(), holding, call, reference="{{SECRET.search}}")
    assert play.server.asked
    for asked in play.server.asked:
        assert asked.headers["x-sent"] == "{{SECRET.search}}"
        assert json.loads(asked.body) == {"sent": "{{SECRET.search}}"}


async def test_why_not_names_what_the_service_answered(play: Abroad) -> None:
    ran = await play.run(*pipelines(play.server.url)["api_call_removing"])
    asked = len(play.server.asked)
    answer = await play.world.why.why(PRINCIPAL, ran.execution_id, "p4")
    (stopped,) = [one for one in answer.stages if one.stage_name == answer.stopped_at]
    assert stopped.verdict.kind is VerdictKind.DROPPED
    assert "the service answered 404" in stopped.verdict.reason
    assert "on_error" in stopped.verdict.reason
    assert [edit.after for edit in stopped.verdict.edits] == ["skip"]
    assert len(play.server.asked) == asked
