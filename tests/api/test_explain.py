"""Plans and prices over HTTP: real stages and stores; nothing runs for them and nothing is left of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.api import executions, explain, retrievers
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.engine.environment import Environment
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stages import STAGES
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.explain import ExplainService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.retrievers import RetrieverService
from tamis.services.runs.stage_statistics import StageExperience
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import HEADERS, WallClock, World, opened, search, stage

SOLE = {"field": "brand", "operator": "eq", "value": "Sole"}
FILTER = stage("attribute_filter", conditions={"AND": [SOLE]})
LIMIT = stage("limit", limit=1)
PRICES = PriceTable({"feature_search": Price(per_run=0.01, per_document=0.001), "limit": Price(per_call=2)})


@dataclass
class Explained:
    world: World
    http: httpx.AsyncClient

    async def ask(self, *stages: dict[str, Any], path: str = "execute/explain", **more: Any) -> Any:
        answer = await self.http.post(f"/v1/retrievers/{path}", json={"stages": stages, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def records(self) -> int:
        count = self.world.shop.metadata.read(lambda session: session.executions.count(PRINCIPAL, ExecutionQuery()))
        return await count


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Explained]:
    async with opened(tmp_path) as world:
        clock, planner, metadata = WallClock(), Planner(STAGES), world.shop.metadata
        experience = StageExperience(metadata, clock)
        executor = Executor(Environment(world.shop.searcher, world.shop.models, clock), PRICES, experience)
        api = httpx.ASGITransport(_app(world, planner, executor, experience))
        async with httpx.AsyncClient(transport=api, base_url="http://tamis", headers=HEADERS) as http:
            yield Explained(world, http)
        await experience.close()


def _app(world: World, planner: Planner, executor: Executor, experience: StageExperience) -> Any:
    from fastapi import FastAPI

    metadata, clock = world.shop.metadata, WallClock()
    in_flight = InFlight(clock)
    every: tuple[Any, ...] = (
        Gate(metadata),
        PRICES,
        RetrieverService(metadata, planner, clock),
        ExecutionService(metadata, planner, executor, clock, in_flight),
        ExecutionRecords(metadata, in_flight),
        ExplainService(metadata, world.shop.index, planner, PRICES, experience),
    )
    api = FastAPI()
    api.state.services = {type(one): one for one in every}
    add_error_handlers(api)
    for router in (executions.router, explain.router, retrievers.router):
        api.include_router(router)
    return api


def outputs(plan: Any) -> list[int]:
    return [one["estimated_output"] for one in plan["execution_plan"]]


async def test_filters_are_counted_before_anything_ever_ran(shop: Explained) -> None:
    """Six products, two of them of the brand."""
    listing = await shop.ask(FILTER, LIMIT)
    first, last = listing["execution_plan"]
    assert (first["basis"], first["estimated_input"], first["estimated_output"]) == ("counted", 0, 2)
    assert (last["basis"], last["estimated_output"], last["estimated_efficiency"]) == ("declared", 1, 0.5)
    assert (listing["retriever_id"], listing["total_estimated_stages"]) == ("anonymous", 2)
    narrowed = await shop.ask(search(filters={"AND": [SOLE]}))
    assert outputs(narrowed) == [2]
    behind = await shop.ask(search(), FILTER)
    assert outputs(behind) == [6, 2]
    assert [one["kind"] for one in behind["optimization_suggestions"]] == ["filter_in_search"]
    assert await shop.records() == 0
    assert shop.world.shop.models.themes.asked == []


async def test_what_stages_did_is_what_they_are_expected_to_do(shop: Explained) -> None:
    cheap = {"field": "price", "operator": "lt", "value": 100}
    pipeline = (search(), stage("attribute_filter", conditions={"AND": [cheap]}))
    before = await shop.ask(*pipeline)
    for _ in range(3):
        ran = (await shop.http.post("/v1/retrievers/execute", json={"stages": pipeline})).json()
    after = await shop.ask(*pipeline)
    stages = ran["stage_statistics"]["stages"]
    assert outputs(after) == [one["output_count"] for one in stages.values()]
    assert [one["estimated_input"] for one in after["execution_plan"]] == [
        one["input_count"] for one in stages.values()
    ]  # fmt: skip
    assert [(one["basis"], one["measured_runs"]) for one in after["execution_plan"]] == [("measured", 3)] * 2
    assert before["execution_plan"][1]["warnings"]
    assert not after["execution_plan"][1]["warnings"]
    assert after["estimated_cost"]["duration_ms"] > 0
    assert after["estimated_cost"]["credits"] == pytest.approx(ran["budget"]["credits_used"])


async def test_another_question_rests_on_the_same_experience(shop: Explained) -> None:
    await shop.http.post("/v1/retrievers/execute", json={"stages": [search("running shoes")]})
    other = await shop.ask(search("a novel"))
    assert other["execution_plan"][0]["measured_runs"] == 1


async def test_inputs_that_are_not_given_leave_the_rest_to_be_told(shop: Explained) -> None:
    brand = {"field": "brand", "operator": "eq", "value": "{{INPUT.brand}}"}
    schema = {"brand": {"type": "string", "required": True}}
    listing = stage("attribute_filter", conditions={"AND": [brand]})
    given = await shop.ask(listing, input_schema=schema, inputs={"brand": "Blade"})
    assert outputs(given) == [2]
    open_ = await shop.ask(listing, input_schema=schema)
    assert open_["execution_plan"][0]["basis"] == "declared"
    wrong = await shop.http.post(
        "/v1/retrievers/execute/explain",
        json={"stages": [listing], "input_schema": schema, "inputs": {"brand": 3}},
    )
    assert wrong.status_code == 422


async def test_a_budget_is_shown_at_work_before_it_is(shop: Explained) -> None:
    """A search costs 0.01 and 0.001 for each of at most 100 candidates."""
    plan = await shop.ask(search(), LIMIT, budget_limits={"max_credits": 0.05})
    first = plan["execution_plan"][0]
    assert first["shrunk"] == {"searches.0.top_k": [100, 40]}
    ran = await shop.http.post(
        "/v1/retrievers/execute", json={"stages": [search(), LIMIT], "budget_limits": {"max_credits": 0.05}}
    )
    answer = ran.json()
    assert answer["status"] == "degraded"
    assert answer["stage_statistics"]["stages"]["search"]["shrunk"] == first["shrunk"]
    assert answer["budget"]["cut"] == [
        {"stage_name": "search", "limit": "max_credits", "shrunk": first["shrunk"], "reason": None}
    ]
    assert answer["budget"]["credits_saved"] == 0.0
    nothing = await shop.ask(search(), LIMIT, budget_limits={"max_credits": 0.001})
    assert [one["is_reached"] for one in nothing["execution_plan"]] == [False, False]
    assert nothing["estimated_cost"] == {"credits": 0.0, "duration_ms": 0.0, "max_credits": 0.001}


async def test_filters_beside_the_inputs_are_shown_where_they_went(shop: Explained) -> None:
    plan = await shop.ask(search(), LIMIT, filters=SOLE)
    assert plan["optimization_applied"]
    (rewrite,) = plan["optimization_details"]["rewrites"]
    assert (rewrite["kind"], rewrite["before"], rewrite["after"]) == (
        "filter_into_search", {"filters": None}, {"filters": SOLE},
    )  # fmt: skip
    assert plan["execution_plan"][0]["optimization_notes"] == [rewrite["note"]]
    ran = (await shop.http.post("/v1/retrievers/execute", json={"stages": [search(), LIMIT], "filters": SOLE})).json()
    assert ran["optimization_applied"]
    assert ran["optimization_summary"] == plan["optimization_details"]
    plain = (await shop.http.post("/v1/retrievers/execute", json={"stages": [search()]})).json()
    assert (plain["optimization_applied"], plain["optimization_summary"]) == (False, None)


async def test_a_saved_retriever_is_explained_by_name(shop: Explained) -> None:
    body = {
        "retriever_name": "shoes", "stages": [search("{{INPUT.q}}"), FILTER], "collection_identifiers": ["col_a"],
        "input_schema": {"q": {"type": "text", "required": True}}, "cache_config": {"enabled": True},
    }  # fmt: skip
    made = await shop.http.post("/v1/retrievers", json=body)
    assert made.status_code == 200, made.text
    answer = await shop.http.post("/v1/retrievers/shoes/execute/explain", json={"inputs": {"q": "shoes"}})
    plan = answer.json()
    assert (plan["retriever_name"], plan["total_estimated_stages"]) == ("shoes", 2)
    assert [one["stage_type"] for one in plan["execution_plan"]] == ["filter", "filter"]
    assert all(one["cache_likely"] for one in plan["execution_plan"])
    assert (await shop.http.post("/v1/retrievers/shoes/execute/explain")).status_code == 200
    assert (await shop.http.post("/v1/retrievers/boots/execute/explain", json={})).status_code == 404
    assert await shop.records() == 0


async def test_what_could_not_run_is_not_explained(shop: Explained) -> None:
    answer = await shop.http.post("/v1/retrievers/execute/explain", json={"stages": [stage("feature_serch")]})
    assert answer.status_code == 422
    assert "did you mean 'feature_search'" in answer.text


async def test_the_price_list(shop: Explained) -> None:
    found = (await shop.http.get("/v1/retrievers/prices")).json()
    assert {one["stage_id"] for one in found["prices"]} == set(STAGES)
    prices = {one.pop("stage_id"): one for one in found["prices"]}
    assert prices["feature_search"] == {"per_run": 0.01, "per_document": 0.001, "per_call": 0, "per_1k_tokens": 0}
    assert prices["sample"] == {"per_run": 0, "per_document": 0, "per_call": 0, "per_1k_tokens": 0}


async def test_a_stage_whose_condition_the_inputs_show_to_be_false_costs_nothing(shop: Explained) -> None:
    narrow = {**LIMIT, "when": "{{ INPUT.narrow }}"}
    schema = {"narrow": {"type": "boolean"}}
    plan = await shop.ask(search(), narrow, input_schema=schema, inputs={"narrow": False})
    found, passed = plan["execution_plan"]
    assert passed["estimated_input"] == passed["estimated_output"] == found["estimated_output"]
    assert passed["estimated_cost_credits"] == 0.0
    assert passed["warnings"] == ["with these inputs its condition is false: it is passed over"]
    plan = await shop.ask(search(), narrow, input_schema=schema, inputs={"narrow": True})
    assert plan["execution_plan"][1]["estimated_output"] == 1
    assert (
        plan["execution_plan"][1]["warnings"][0]
        == "it runs only where its condition is true; this is what it does then"
    )
    assert await shop.records() == 0
