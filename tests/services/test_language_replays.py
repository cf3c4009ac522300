"""Stages that ask a language model, through the services: recorded whole, replayed with no model left to ask."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tamis.engine.forecasting.estimates import NoExperience
from tamis.engine.forecasting.outlook import Basis
from tamis.engine.reach import Reach
from tamis.engine.spending.prices import PriceTable
from tamis.engine.verdicts.verdict import VerdictKind
from tamis.errors import StageError
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.inference.language.endpoints import Endpoints, named_endpoint
from tamis.inference.language.models import Limits, OpenAILanguageModels
from tamis.model.json import JSON
from tamis.outside.secrets import secret_store
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.explain import ExplainService
from tests.engine.stages.agents import FINISH, call
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.llm_server import LanguageServer, serving
from tests.retrieval_world import World, opened, search, specs, stage

CHEAP = {"filter": {"AND": [{"field": "price", "operator": "lte", "value": 20}]}}
CONDITION = {"field": "price", "operator": "lte", "value": 20}
WORDS = stage("attribute_filter", natural_language="at most {{INPUT.most}} euros")
SEARCHED = {"searches": [{"feature_uri": URI, "query": "{{INPUT.q}}"}]}
# Each with what the model says, where the plainest answer would do nothing.
PIPELINES: dict[str, tuple[list[dict[str, Any]], list[Any]]] = {
    "attribute_filter": ([WORDS], [CHEAP]),
    "attribute_filter_later": ([search(), WORDS], [CHEAP]),
    "llm_filter": ([search(), stage("llm_filter", criteria="{{INPUT.q}}?", batch_size=2)], []),
    "rerank": ([search(), stage("rerank", decision_model="small", query="{{INPUT.q}}", batch_size=2)], []),
    "llm_enrich": ([search(), stage("llm_enrich", prompt="What is {{DOC.text}}?")], []),
    "summarize": ([search(), stage("summarize", prompt="Say it.", group_by="brand")], []),
    "query_expand": (
        [stage("query_expand", feature_search_config=SEARCHED)], [{"queries": ["bread", "a novel"]}],
    ),
    "summarize_by_template": (
        [search(), stage("summarize", document_template="[{{INDEX}}] {{DOC.text}}\n", mode="per_document")], [],
    ),
    "query_expand_apart": (
        [stage("query_expand", feature_search_config=SEARCHED, deduplicate=False)], [{"queries": ["bread"]}],
    ),
    "agent_search": ([stage("agent_search", query="shoes")], [call("feature_search", query="shoes"), FINISH]),
}  # fmt: skip


@dataclass
class Told:
    """A world whose language model is a scripted server, which can be stopped."""

    world: World
    server: LanguageServer

    async def run(self, *raw: dict[str, Any], **options: Any) -> Executed:
        inputs: dict[str, JSON] = {"q": "running shoes", "most": 20}
        given = RunOptions(inputs=inputs, **options)
        return await self.world.executions.execute_anonymous(PRINCIPAL, specs(*raw), {}, given)

    async def record(self, execution_id: str) -> Record:
        return decode(await self.world.records.get_anonymous(PRINCIPAL, execution_id))


@asynccontextmanager
async def told(path: Path, server: LanguageServer) -> AsyncIterator[Told]:
    endpoint = named_endpoint("openai", server.url, SecretStr("sk-of-the-operator"), "small")
    models = OpenAILanguageModels(Endpoints("openai", {"openai": endpoint}), secret_store(None, None), Limits(5.0, 0))
    try:
        async with opened(path, reach=Reach(language=models)) as world:
            yield Told(world, server)
    finally:
        await models.close()


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Told]:
    with serving() as server:
        async with told(tmp_path, server) as one:
            yield one


@pytest.mark.parametrize("name", PIPELINES)
async def test_a_frozen_replay_asks_no_model(name: str, tmp_path: Path) -> None:
    pipeline, script = PIPELINES[name]
    stopping = ExitStack()
    server = stopping.enter_context(serving())
    server.script.extend(script)
    async with told(tmp_path, server) as one:
        first = await one.run(*pipeline)
        asked = len(server.requests)
        stopping.close()
        replayed = await one.world.replays.replay(PRINCIPAL, first.execution_id, ReplayMode.FROZEN)
        again = await one.record(replayed.execution_id or "")
        with pytest.raises(StageError):  # nobody answers there any more
            await one.run(WORDS)
    assert asked == len(server.requests) >= 1
    assert first.documents
    assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None)
    assert [[hit.id for hit in row.returned] for row in again.stages][-1] == [hit.id for hit in first.documents]


async def test_the_filter_stands_in_the_record_and_the_trace_in_place_of_the_sentence(play: Told) -> None:
    play.server.script.append(CHEAP)
    ran = await play.run(search(), WORDS)
    record = await play.record(ran.execution_id)
    row = record.stages[1]
    assert row.parameters == {"conditions": CHEAP["filter"], "case_insensitive": False, "case_sensitive": False}
    assert row.llm_calls == 1
    assert row.tokens_used
    frozen: Any = record.definition["stages"]
    assert frozen[1]["parameters"] == WORDS["config"]["parameters"]
    async with play.world.client() as client:
        trace = (await client.get(f"/v1/retrievers/executions/{ran.execution_id}/trace")).json()
    assert trace["stages"][1]["parameters"]["conditions"] == CHEAP["filter"]


@pytest.mark.parametrize("before", [[], [search()]])
async def test_why_not_names_the_clause_that_the_model_wrote(play: Told, before: list[dict[str, Any]]) -> None:
    play.server.script.append(CHEAP)
    ran = await play.run(*before, WORDS)
    asked = len(play.server.requests)
    answer = await play.world.why.why(PRINCIPAL, ran.execution_id, "p2")
    (stopped,) = [one for one in answer.stages if one.stage_name == answer.stopped_at]
    assert stopped.verdict.kind is VerdictKind.FILTERED
    assert stopped.verdict.reason.startswith("it fails natural_language: ")
    assert "price" in stopped.verdict.reason
    assert "120" in stopped.verdict.reason
    assert len(play.server.requests) == asked


async def test_explain_does_not_count_what_only_a_run_can_tell(play: Told) -> None:
    service = ExplainService(
        play.world.shop.metadata,
        play.world.shop.index,
        play.world.executions._plans.planner,
        PriceTable(),
        NoExperience(),
    )
    given = RunOptions(inputs={"most": 20})
    worded = await service.explain_anonymous(PRINCIPAL, specs(WORDS), {}, given)
    written = await service.explain_anonymous(PRINCIPAL, specs(stage("attribute_filter", **CONDITION)), {}, given)
    assert [one.basis for one in worded.outlooks] == [Basis.DECLARED]
    assert [one.basis for one in written.outlooks] == [Basis.COUNTED]
    assert not play.server.requests


async def test_on_error_says_what_a_refused_answer_does(play: Told) -> None:
    wrong = {"filter": {"field": "costs", "operator": "lt", "value": 3}}
    play.server.script.extend([wrong, wrong])
    with pytest.raises(StageError, match="does not fit the schema"):
        await play.run(search(), WORDS)
    play.server.script.extend([wrong, wrong])
    skipping = {**WORDS, "config": {**WORDS["config"], "on_error": "skip"}}
    skipped = await play.run(search(), skipping)
    assert [hit.id for hit in skipped.documents] == [hit.id for hit in (await play.run(search())).documents]


async def test_a_live_replay_asks_again_only_where_it_may(play: Told) -> None:
    play.server.script.append(CHEAP)
    ran = await play.run(WORDS)
    kept = await play.world.replays.replay(PRINCIPAL, ran.execution_id, ReplayMode.LIVE)
    assert (kept.verdict, kept.from_record) == (Verdict.IDENTICAL, ("attribute_filter",))
    assert len(play.server.requests) == 1
    dearer = {"filter": {"field": "price", "operator": "lte", "value": 100}}
    play.server.script.append(dearer)
    again = await play.world.replays.replay(PRINCIPAL, ran.execution_id, ReplayMode.LIVE, allow_effects=True)
    assert again.verdict is Verdict.DRIFTED
    assert len(play.server.requests) == 2
