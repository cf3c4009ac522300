"""Observation changes nothing: however a run is recorded, followed, explained, cached or repeated, it gives the same.

A new way to observe is one line in `WAYS`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tamis.engine.spending.prices import PriceTable
from tamis.engine.tape import untaped
from tamis.errors import TamisError
from tamis.executions.codec import decode
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.retriever import Retriever
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.explain import ExplainService
from tamis.services.runs.stage_statistics import StageExperience
from tests.caching_world import CachingWorld, another
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.retrieval_world import WallClock, World, opened, search, specs, stage

Pipeline: TypeAlias = list[dict[str, Any]]
Answer: TypeAlias = list[Any]
Way: TypeAlias = Callable[[World, Pipeline], Awaitable[Answer]]

INPUTS: dict[str, Any] = {"q": "running kitchen", "most": 50}
QUERIES = ("running shoes", "bread knife", "a novel", "kitchen road reading")


def arms() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"feature_uri": st.just(URI), "query": st.sampled_from([*QUERIES, "{{INPUT.q}}"])},
        optional={
            "lexical": st.booleans(),
            "top_k": st.integers(1, 6),
            "weight": st.floats(0.1, 3),
            "optional": st.just(True),
            "filters": st.just({"field": "price", "operator": "lte", "value": 100}),
            "collection_identifiers": st.sampled_from([["col_a"], ["more"], ["products", "more"]]),
        },
    )


def searches() -> st.SearchStrategy[dict[str, Any]]:
    more = st.fixed_dictionaries(
        {"final_top_k": st.integers(1, 6), "fusion": st.sampled_from(["rrf", "dbsf", "weighted", "max"])},
        optional={
            "facets": st.just(["brand"]),
            "group_by": st.just({"field": "brand", "max_per_group": 2}),
        },
    )
    return st.builds(lambda found, rest: search(searches=found, **rest), st.lists(arms(), min_size=1, max_size=3), more)


LISTED = st.just({**stage("attribute_filter", field="price", operator="gte", value=1), "stage_name": "listed"})
TIMED = {"field": "price", "operator": "gte", "value": "{{CONTEXT.document_count}}"}
LATER = st.sampled_from(
    [
        stage("attribute_filter", field="price", operator="lte", value="{{INPUT.most}}"),
        {**stage("attribute_filter", **TIMED), "stage_name": "counted"},
        stage("sort_relevance"),
        stage("sort_attribute", sort_field="price"),
        stage("limit", limit=3),
        stage("sample", count=2),
        stage("deduplicate", fields=["brand"], strategy="field"),
        stage("group_by", group_by_field="brand"),
        stage("score_normalize"),
        stage("aggregate", aggregations=[{"function": "count", "alias": "n"}], group_by=["brand"]),
        {**search("bread knife"), "stage_name": "again"},
    ]
)


def pipelines() -> st.SearchStrategy[Pipeline]:
    later = st.lists(LATER, max_size=3, unique_by=lambda one: str(one["stage_name"]))
    return st.builds(lambda first, rest: [first, *rest], searches() | LISTED, later)


async def execute(world: World, pipeline: Pipeline, **more: Any) -> dict[str, Any]:
    body = {"stages": pipeline, "inputs": INPUTS, **more}
    async with world.client() as client:
        answer = await client.post("/v1/retrievers/execute", json=body)
    told: dict[str, Any] = orjson.loads(answer.content)
    return told


def seen(told: Mapping[str, Any]) -> Answer:
    """Ids and every score, in order; of a failure its kind."""
    if "documents" not in told:
        return [told["error"]["type"]]
    return [[one["document_id"], one["score"], one["scores"]] for one in told["documents"]]


async def plainly(world: World, pipeline: Pipeline) -> Answer:
    return seen(await execute(world, pipeline))


async def thin(world: World, pipeline: Pipeline) -> Answer:
    """Without a tape."""
    executor = world.executions._executor
    run = executor.run
    executor.run = lambda plan, request, sink: run(plan, replace(request, tapes=untaped), sink)  # type: ignore[assignment,method-assign,misc]
    try:
        return await plainly(world, pipeline)
    finally:
        executor.run = run  # type: ignore[method-assign]


async def streamed(world: World, pipeline: Pipeline) -> Answer:
    body = {"stages": pipeline, "inputs": INPUTS, "stream": True}
    async with world.client() as client:
        answer = await client.post("/v1/retrievers/execute", json=body)
    events = [orjson.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]
    if answer.headers["content-type"].startswith("application/json"):
        return seen(answer.json())
    last = next(one for one in reversed(events) if one["event_type"].startswith("execution_"))
    return await recorded(world, last["execution_id"])


async def recorded(world: World, execution_id: str) -> Answer:
    """The same, out of the record."""
    record = decode(await world.records.get_anonymous(PRINCIPAL, execution_id))
    if record.error is not None:
        return [record.error.code]
    return [[one.id, one.score, dict(one.scores)] for one in record.stages[-1].returned]


async def from_record(world: World, pipeline: Pipeline) -> Answer:
    told = await execute(world, pipeline)
    return await recorded(world, told.get("execution_id") or told["error"]["details"]["execution_id"])


def cached(by_stage: bool) -> Way:
    """A saved retriever behind a cache: cold, then warm; then the warm one's record replayed."""

    async def twice(world: World, pipeline: Pipeline) -> Answer:
        # The index of this world is written beside the queue that a cache asks whether it has everything.
        serving = another(world)
        serving.drafts = int(by_stage)
        for one in ("col_a", "col_b"):
            await serving.indexer.apply(PRINCIPAL, one)
        named: dict[str, Any] = {"cache_stage_names": [one["stage_name"] for one in pipeline]} if by_stage else {}
        retriever = await serving.saved(*pipeline, enabled=True, ttl_seconds=60, **named)
        cold, warm = [await _run_saved(serving, retriever) for _ in range(2)]
        assert cold[1] == warm[1]
        if warm[0] is not None:
            replayed = await world.replays.replay(
                PRINCIPAL, warm[0], ReplayMode.FROZEN, retriever=retriever.retriever_id
            )
            assert (replayed.verdict, replayed.reason) == (Verdict.IDENTICAL, None), replayed
        return warm[1]

    return twice


async def _run_saved(serving: CachingWorld, retriever: Retriever) -> tuple[str | None, Answer]:
    try:
        executed = await serving.run(retriever, **INPUTS)
    except TamisError as error:
        return error.details["execution_id"], [error.code]
    return executed.execution_id, [[hit.id, hit.score, dict(hit.scores)] for hit in executed.documents]


async def uncached(world: World, pipeline: Pipeline) -> Answer:
    return seen(await execute(world, pipeline, skip_cache=True))


async def explained(world: World, pipeline: Pipeline) -> Answer:
    """Before the run and after it, by the planner that the run takes its plan from."""
    metadata = world.shop.metadata
    experience = StageExperience(metadata, WallClock())
    service = ExplainService(metadata, world.shop.index, world.executions._plans.planner, PriceTable(), experience)
    answers = []
    for _ in range(2):
        # A pipeline that only fails once it runs is explained; one that could not run is refused here too.
        with contextlib.suppress(TamisError):
            await service.explain_anonymous(PRINCIPAL, specs(*pipeline), {}, RunOptions(inputs=INPUTS))
        answers.append(await plainly(world, pipeline))
    assert answers[0] == answers[1]
    return answers[0]


async def beside_others(world: World, pipeline: Pipeline) -> Answer:
    told = await asyncio.gather(*(plainly(world, pipeline) for _ in range(3)))
    assert told[0] == told[1] == told[2]
    return told[0]


def again(mode: ReplayMode) -> Way:
    async def repeat(world: World, pipeline: Pipeline) -> Answer:
        told = await execute(world, pipeline)
        first = told.get("execution_id") or told["error"]["details"].get("execution_id")
        if first is None:
            return seen(told)
        replayed = await world.restarted().replays.replay(PRINCIPAL, first, mode)
        assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None), replayed
        return await recorded(world, replayed.execution_id or "")

    return repeat


WAYS: Mapping[str, Way] = {
    "thin": thin,
    "read back": from_record,
    "streamed": streamed,
    "explained": explained,
    "stages cached": cached(by_stage=True),
    "answer cached": cached(by_stage=False),
    "past the caches": uncached,
    "beside others": beside_others,
    "replayed frozen": again(ReplayMode.FROZEN),
    "replayed live": again(ReplayMode.LIVE),
}


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(pipelines())
def test_observation_changes_nothing(pipeline: Pipeline) -> None:
    async def compare() -> None:
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory())
            world = await stack.enter_async_context(opened(Path(folder)))
            told = await execute(world, pipeline)
            assert "documents" in told or "execution_id" in told["error"]["details"], told
            expected = seen(told)
            for name, way in WAYS.items():
                assert await way(world, pipeline) == expected, name

    asyncio.run(compare())
