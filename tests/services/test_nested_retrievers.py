"""document_enrich by a saved retriever: run for each document, within the stage's budget, record and tenancy."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.environment import Environment
from tamis.engine.ports.retrieving import Retrieve
from tamis.engine.running.executor import Executor
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stage import Effect, effects_of
from tamis.engine.stages.document_enrich import DocumentEnrich
from tamis.errors import AllowanceSpentError, NotFoundError, ValidationError
from tamis.executions.codec import decode
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.principal import Permission, Principal
from tamis.model.retriever import Budget, Retriever
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.nested_retrievers import NestedRetrievers
from tamis.services.runs.retrievers import RetrieverDraft
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import WallClock, World, opened, search, specs, stage

SCHEMA: dict[str, Any] = {"query": {"type": "text", "required": True}}
STRANGER = Principal("org_1", "ns_2", frozenset(Permission))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as one:
        yield one


async def saved(world: World, *stages: dict[str, Any], name: str = "like it", **more: Any) -> Retriever:
    draft = RetrieverDraft(name, specs(*stages), SCHEMA, **more)
    return await world.retrievers.create(PRINCIPAL, draft)


async def run(world: World, *stages: dict[str, Any], **options: Any) -> Executed:
    return await world.executions.execute_anonymous(PRINCIPAL, specs(*stages), {}, RunOptions(**options))


def enriching(retriever: str, query: Any = "{{DOC.text}}", **more: Any) -> dict[str, Any]:
    given = {"retriever_id": retriever, "retriever_inputs": {"query": query}, "output_field": "like", **more}
    return stage("document_enrich", **given)


async def test_each_document_gets_what_the_retriever_finds_for_it(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}", final_top_k=3))
    found = await run(world, search(), enriching(retriever.retriever_id, multiple=True, limit=2))
    for hit in found.documents:
        alone = RunOptions(inputs={"query": hit.view()["text"]})
        expected = (await world.executions.execute_saved(PRINCIPAL, retriever.retriever_id, alone)).documents[:2]
        like: Any = hit.extra["like"]
        assert [(one["document_id"], one["score"]) for one in like] == [(one.id, one.score) for one in expected]
        assert {"text", "brand", "collection_id"} <= like[0].keys()
    named = await run(world, search(), enriching("like it", fields_to_merge=["brand"]))
    assert all(hit.extra["like"].keys() == {"brand"} for hit in named.documents)  # type: ignore[union-attr]


async def test_the_same_inputs_are_retrieved_for_once(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}"))
    executed = await run(world, search(), enriching(retriever.retriever_id, "{{DOC.brand | default('none', true)}}"))
    record = decode(await world.records.get_anonymous(PRINCIPAL, executed.execution_id))
    asked = [call for call in record.stages[1].calls if call.port == "retrievers"]
    assert len(asked) == len({hit.view()["brand"] for hit in executed.documents}) < len(executed.documents)


async def test_a_frozen_replay_runs_no_retriever(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}"))
    first = await run(world, search(), enriching(retriever.retriever_id))
    await world.retrievers.delete(PRINCIPAL, retriever.retriever_id)
    replayed = await world.replays.replay(PRINCIPAL, first.execution_id, ReplayMode.FROZEN)
    assert replayed.verdict is Verdict.IDENTICAL
    live = await world.replays.replay(PRINCIPAL, first.execution_id, ReplayMode.LIVE)
    assert live.from_record == ("document_enrich",)


async def test_a_document_that_it_fails_for_is_left_without(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}"))
    executed = await run(world, search(), enriching(retriever.retriever_id, "{{DOC.brand}}"))
    without = [hit.id for hit in executed.documents if hit.extra["like"] is None]
    assert without == [hit.id for hit in executed.documents if hit.view()["brand"] is None] != []
    assert any("query" in warning for warning in executed.warnings)
    strict = await run(world, search(), enriching(retriever.retriever_id, "{{DOC.brand}}", allow_missing=False))
    assert {hit.id for hit in strict.documents} == {hit.id for hit in executed.documents} - {*without}
    why = await world.why.why(PRINCIPAL, strict.execution_id, without[0])
    assert why.stopped_at == "document_enrich"


async def test_what_is_wrong_for_all_fails_the_stage(world: World) -> None:
    with pytest.raises(NotFoundError):
        await run(world, search(), enriching("ret_none"))
    retriever = await saved(world, search("{{INPUT.query}}"))
    with pytest.raises(ValidationError, match="query"):
        await run(world, search(), stage("document_enrich", retriever_id=retriever.retriever_id))


async def test_a_retriever_runs_no_retriever(world: World) -> None:
    inner = await saved(world, search("{{INPUT.query}}"), name="inner")
    outer = await saved(world, search("{{INPUT.query}}"), enriching(inner.retriever_id), name="outer")
    with pytest.raises(ValidationError, match="further retrievers"):
        await run(world, search(), enriching(outer.retriever_id))


def nested(world: World, prices: dict[str, Price]) -> NestedRetrievers:
    environment = Environment(world.shop.searcher, world.shop.models, WallClock())
    return NestedRetrievers(world.shop.metadata, world.retrievers._planner, Executor(environment, PriceTable(prices)))


async def test_it_is_paid_for_out_of_the_stages_allowance(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}"), stage("limit", limit=1))
    retrievers = nested(world, {"feature_search": Price(per_run=0.5), "limit": Price(per_run=0.1)})
    asked = Retrieve(retriever.retriever_id, {"query": "shoes"}, 5)
    allowance = Allowance(left=1.1)
    found = await retrievers.retrieve(PRINCIPAL, asked, allowance)
    assert len(found.documents) == 1
    assert allowance.credits == pytest.approx(0.6)
    assert allowance.left == pytest.approx(0.5)
    cut = await retrievers.retrieve(PRINCIPAL, asked, allowance)
    assert any("max_credits" in warning for warning in cut.warnings)
    assert allowance.credits <= 1.1
    with pytest.raises(AllowanceSpentError):
        await retrievers.retrieve(PRINCIPAL, asked, allowance)


async def test_its_credits_are_the_stages(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}"))
    executed = await run(world, search(), enriching(retriever.retriever_id))
    plain = await run(world, search())
    runs = len(executed.documents)
    assert executed.credits_used == pytest.approx(plain.credits_used + runs * 0.01)
    tight = await run(world, search(), enriching(retriever.retriever_id), budget=Budget(max_credits=0.03))
    assert tight.credits_used <= 0.03 + 1e-9
    assert any("left without" in warning for warning in tight.warnings)


async def test_another_namespaces_retriever_does_not_exist(world: World) -> None:
    retriever = await saved(world, search("{{INPUT.query}}"))
    for name in (retriever.retriever_id, retriever.name):
        with pytest.raises(NotFoundError):
            await nested(world, {}).retrieve(STRANGER, Retrieve(name, {"query": "x"}, 1), Allowance())
    other = replace(PRINCIPAL, organization_id="org_2")
    with pytest.raises(NotFoundError):
        await nested(world, {}).retrieve(other, Retrieve(retriever.retriever_id, {"query": "x"}, 1), Allowance())


def test_only_a_retriever_may_reach_outside() -> None:
    assert effects_of(DocumentEnrich, {"target_collection_id": "a"}) == frozenset()
    assert effects_of(DocumentEnrich, {"retriever_id": "a"}) == {Effect.OUTSIDE, Effect.SPENDS}
