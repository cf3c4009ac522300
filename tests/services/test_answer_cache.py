"""Whole answers and single stages from a cache: what is the same, what is not kept, what ends an entry."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.cache import Layer
from tamis.engine.ports.executions import ExecutionQuery
from tamis.errors import StageError, ValidationError
from tamis.executions.codec import decode
from tamis.executions.record import Record, StageOutcome
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.execution import ExecutionStatus
from tamis.model.retriever import Budget
from tamis.services.runs.execution_runs import CacheState, Executed, RunOptions
from tamis.services.runs.result_pages import PageMethod, PageRequest
from tamis.services.runs.retrievers import RetrieverChanges
from tamis.storage.cache import MemoryCache
from tests.caching_world import CachingWorld, Clocked, Count, Outside, Seeded, another, caching, shown
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import Wait, search, specs, stage

SEARCH = search("{{INPUT.text}}")
CHEAP = stage("attribute_filter", field="price", operator="lt", value="{{INPUT.below}}")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[CachingWorld]:
    async with caching(tmp_path) as opened:
        yield opened


async def record(world: CachingWorld, executed: Executed) -> Record:
    assert executed.retriever is not None
    name = executed.retriever.retriever_id
    return decode(await world.world.records.find(PRINCIPAL, executed.execution_id, name))


def state(executed: Executed) -> CacheState | None:
    return executed.cache.state if executed.cache else None


async def test_an_answer_is_kept_and_given_again_as_an_execution_of_its_own(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), ttl_seconds=60)
    first, second = [await world.run(retriever, text="running shoes") for _ in range(2)]
    assert (state(first), state(second), Count.runs) == (CacheState.MISS, CacheState.HIT, 1)
    assert shown(first) == shown(second) != []
    assert first.execution_id != second.execution_id
    fresh, cached = await record(world, first), await record(world, second)
    assert (fresh.header.cache_hit_rate, cached.header.cache_hit_rate) == (0.0, 1.0)
    assert (fresh.header.credits_used, cached.header.credits_used) == (0.01, 0.0)
    assert sum(one.credits_saved for one in cached.stages) == 0.01
    assert all(one.cache_hit and one.cache_key for one in cached.stages)
    assert fresh.header.total_processed == cached.header.total_processed > 0
    for a, b in zip(fresh.stages, cached.stages, strict=True):
        assert (a.received, a.returned, a.parameters, a.metadata, a.calls) == (
            b.received, b.returned, b.parameters, b.metadata, b.calls,
        )  # fmt: skip
    assert fresh.revisions == cached.revisions


async def test_a_condition_is_part_of_what_an_answer_follows_from(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, {**stage("count"), "when": "{{ INPUT.below > 50 }}"}, ttl_seconds=60)
    first, second = [await world.run(retriever, text="running shoes", below=1) for _ in range(2)]
    assert (state(first), state(second), Count.runs) == (CacheState.MISS, CacheState.HIT, 0)
    assert shown(first) == shown(second) != []
    fresh, cached = await record(world, first), await record(world, second)
    assert [one.outcome for one in fresh.stages] == [one.outcome for one in cached.stages]
    assert fresh.stages[1].outcome is StageOutcome.PASSED_OVER
    assert (fresh.header.stages_completed, cached.header.stages_completed) == (1, 1)
    assert fresh.stages[1].metadata == cached.stages[1].metadata
    other = await world.run(retriever, text="running shoes", below=60)
    assert (state(other), Count.runs) == (CacheState.MISS, 1)


async def test_without_a_configuration_nothing_is_kept(world: CachingWorld) -> None:
    configs: list[dict[str, Any]] = [{}, {"enabled": False, "ttl_seconds": 60}, {"ttl_seconds": 0}]
    for config in configs:
        retriever = await world.saved(SEARCH, stage("count"), **config)
        Count.runs = 0
        answers = [await world.run(retriever, text="running shoes") for _ in range(2)]
        assert Count.runs == 2
        assert CacheState.HIT not in map(state, answers)


async def test_other_inputs_filters_and_pipelines_have_answers_of_their_own(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), enabled=True)
    await world.run(retriever, text="running shoes")
    assert state(await world.run(retriever, text="bread knife")) is CacheState.MISS
    assert state(await world.run(retriever, text="running shoes", more=1)) is CacheState.MISS
    filtered = RunOptions(inputs={"text": "running shoes"}, filters={"AND": [{"field": "brand", "operator": "eq",
                                                                              "value": "Sole"}]})  # fmt: skip
    narrowed = await world.world.executions.execute_saved(PRINCIPAL, retriever.retriever_id, filtered)
    assert state(narrowed) is CacheState.MISS
    changed = RetrieverChanges(frozenset({"stages"}), stages=specs(SEARCH, stage("count"), stage("limit", limit=1)))
    await world.world.retrievers.patch(PRINCIPAL, retriever.retriever_id, changed)
    answer = await world.run(retriever, text="running shoes")
    assert (state(answer), len(answer.documents)) == (CacheState.MISS, 1)


async def test_pages_of_any_size_are_cut_from_one_answer(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), enabled=True)
    whole = shown(await world.run(retriever, text="running shoes"))

    async def page(**request: Any) -> Executed:
        options = RunOptions(inputs={"text": "running shoes"}, page=PageRequest(PageMethod.CURSOR, **request))
        return await world.world.executions.execute_saved(PRINCIPAL, retriever.retriever_id, options)

    first = await page(size=2)
    assert (state(first), shown(first)) == (CacheState.HIT, whole[:2])
    following = await page(size=2, token=first.pagination["next_cursor"])
    assert shown(following) == whole[2:4]
    paged = await record(world, following)
    assert paged.header.total_processed == (await record(world, first)).header.total_processed > 0


async def test_a_write_is_seen_by_the_next_read(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), enabled=True)
    await world.run(retriever, text="running shoes")
    await world.write("p1", brand="Heel")
    after = await world.run(retriever, text="running shoes")
    assert state(after) is CacheState.MISS
    assert {hit.id: hit.document.fields["brand"] for hit in after.documents if hit.document}["p1"] == "Heel"
    await world.delete("p2", "col_b")
    gone = await world.run(retriever, text="running shoes")
    assert (state(gone), "p2" in [hit.id for hit in gone.documents]) == (CacheState.MISS, False)
    assert state(await world.run(retriever, text="running shoes")) is CacheState.HIT


async def test_while_the_index_is_behind_nothing_is_kept(world: CachingWorld) -> None:
    """The revision says that the write is there; the search cannot find it yet."""
    cheap = {"AND": [{"field": "price", "operator": "lt", "value": 15}]}
    retriever = await world.saved(search("{{INPUT.text}}", filters=cheap), stage("count"), enabled=True)
    await world.commit("p1", price=1)
    behind = await world.run(retriever, text="running shoes")
    assert "p1" not in [hit.id for hit in behind.documents]
    await world.indexer.apply(PRINCIPAL, "col_a")
    after = await world.run(retriever, text="running shoes")
    assert (state(after), "p1" in [hit.id for hit in after.documents]) == (CacheState.MISS, True)


async def test_what_was_written_during_a_run_keeps_its_answer_from_being_kept(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("wait"), enabled=True)
    running = asyncio.ensure_future(world.run(retriever, text="running shoes"))
    await Wait.reached.wait()
    await world.write("p1", brand="Heel")
    Wait.go.set()
    await running
    # The embedding is there and nothing else: what was found is neither the state before nor the one after.
    assert (await world.cache.usage()).entries == 1


async def test_an_index_made_again_ends_what_was_answered_while_it_was_incomplete(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), enabled=True)
    await world.shop.index.drop(PRINCIPAL, "col_a")
    await world.shop.index.create(PRINCIPAL, "col_a", world.shop.collections[0].features)
    lost = await world.run(retriever, text="running shoes")
    assert "p1" not in [hit.id for hit in lost.documents]
    await world.indexer.rebuild(PRINCIPAL, "col_a")
    healed = await world.run(retriever, text="running shoes")
    assert (state(healed), "p1" in [hit.id for hit in healed.documents]) == (CacheState.MISS, True)


async def test_a_write_by_another_server_is_seen_too(world: CachingWorld) -> None:
    other = another(world.world)
    retriever = await world.saved(SEARCH, stage("count"), enabled=True)
    await world.run(retriever, text="running shoes")
    await other.write("p1", brand="Heel")
    assert state(await world.run(retriever, text="running shoes")) is CacheState.MISS


async def test_its_cache_dropped_a_retriever_answers_anew_on_every_server(world: CachingWorld) -> None:
    other = another(world.world)
    retriever = await world.saved(SEARCH, stage("count"), enabled=True, cache_stage_names=["count"])
    for server in (world, other):
        await server.run(retriever, text="running shoes")
    await world.world.retrievers.drop_cache(PRINCIPAL, retriever.retriever_id)
    Count.runs = 0
    for server in (world, other):
        assert state(await server.run(retriever, text="running shoes")) is CacheState.MISS
    assert Count.runs == 2


async def test_skip_cache_neither_takes_nor_leaves(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), enabled=True, cache_stage_names=["search"])
    for _ in range(2):
        assert state(await world.run(retriever, skip_cache=True, text="running shoes")) is CacheState.BYPASS
    assert world.shop.models.themes.asked == ["running shoes"] * 2
    assert (await world.cache.usage()).entries == 0


@pytest.mark.parametrize(
    "last", [stage("clocked"), stage("outside"), stage("attribute_filter", field="n", operator="lt",
                                                       value="{{CONTEXT.document_count}}")],
)  # fmt: skip
async def test_what_another_run_might_not_give_is_not_kept(world: CachingWorld, last: dict[str, Any]) -> None:
    retriever = await world.saved(SEARCH, stage("count"), last, enabled=True)
    answers = [await world.run(retriever, text="running shoes") for _ in range(2)]
    assert Count.runs == 2
    assert CacheState.HIT not in map(state, answers)


async def test_what_reaches_outside_is_kept_only_where_that_is_asked_for(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("outside"), enabled=True, ttl_seconds=60,
                                  cache_stage_names=["outside"])  # fmt: skip
    first, second = [await world.run(retriever, text="running shoes") for _ in range(2)]
    assert (state(second), Outside.runs, shown(first)) == (CacheState.HIT, 1, shown(second))
    assert (first.credits_used, second.credits_used) == (0.51, 0.0)


async def test_an_answer_cut_by_its_budget_or_failed_is_not_kept(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("break"), enabled=True)
    for _ in range(2):
        with pytest.raises(StageError):
            await world.run(retriever, text="running shoes")
    cut = await world.saved(SEARCH, stage("outside"), enabled=True, cache_stage_names=["outside"])
    poor = RunOptions(inputs={"text": "running shoes"}, budget=Budget(max_credits=0.1))
    for _ in range(2):
        answer = await world.world.executions.execute_saved(PRINCIPAL, cut.retriever_id, poor)
        assert (answer.status, state(answer)) == (ExecutionStatus.DEGRADED, CacheState.MISS)


async def test_a_stage_is_answered_from_the_cache_while_others_run(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), CHEAP, ttl_seconds=60, cache_stage_names=["search", "count"])
    first = await world.run(retriever, text="running shoes", below=100)
    second = await world.run(retriever, text="running shoes", below=50)
    assert (state(first), state(second), Count.runs) == (CacheState.MISS, CacheState.MISS, 1)
    kept = await record(world, second)
    assert [one.cache_hit for one in kept.stages] == [True, True, False]
    assert kept.header.cache_hit_rate == pytest.approx(2 / 3)
    assert [one.credits_used for one in kept.stages] == [0.0, 0.0, 0.0]
    assert kept.stages[0].credits_saved == 0.01
    assert kept.stages[0].cache_key == (await record(world, first)).stages[0].cache_key
    assert kept.stages[0].returned == (await record(world, first)).stages[0].returned
    assert kept.stages[0].calls == (await record(world, first)).stages[0].calls != ()
    assert world.counts.hits[Layer.STAGE] == 2


async def test_a_cached_stage_follows_what_comes_into_it(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, CHEAP, stage("count"), ttl_seconds=60, cache_stage_names=["count"])
    for below, runs in ((100, 1), (50, 2), (51, 2)):
        await world.run(retriever, text="running shoes", below=below)
        assert Count.runs == runs


async def test_a_stage_that_looks_at_the_seed_is_cached_for_that_seed(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("seeded"), CHEAP, ttl_seconds=60, cache_stage_names=["seeded"])
    seeds = []
    for below in (100, 50, 100):
        answer = await world.run(retriever, skip_cache=False, text="running shoes", below=below)
        seeds.append(next(hit.extra["seed"] for hit in answer.documents))
    assert seeds[0] == seeds[2] != seeds[1]
    assert Seeded.runs == 2


async def test_stages_ask_for_themselves_in_an_anonymous_pipeline_too(world: CachingWorld) -> None:
    async def run(**parameters: Any) -> None:
        stages = specs(SEARCH, stage("count", **parameters))
        await world.world.executions.execute_anonymous(
            PRINCIPAL, stages, {}, RunOptions(inputs={"text": "running shoes"})
        )

    for asked, runs in (
        ({}, 2), ({"cache_behavior": "disabled", "cache_ttl_seconds": 60}, 2), ({"cache_ttl_seconds": 0}, 2),
        ({"cache_behavior": "auto"}, 1), ({"cache_ttl_seconds": 60}, 0), ({"cache_behavior": "aggressive"}, 0),
    ):  # fmt: skip
        Count.runs = 0
        for _ in range(2):
            await run(**asked)
        assert Count.runs == runs, asked


async def test_a_clocked_stage_is_never_cached_whoever_asks(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("clocked", cache_behavior="aggressive"), cache_stage_names=["clocked"])
    answers = [await world.run(retriever, text="running shoes") for _ in range(2)]
    assert Clocked.runs == 2
    assert (await record(world, answers[1])).stages[1].cache_hit is None


async def test_inputs_that_no_template_sees_may_be_left_out_of_the_key(world: CachingWorld) -> None:
    excluded = ["inputs.session", "text"]
    retriever = await world.saved(SEARCH, stage("count"), enabled=True, exclude_fields=excluded)
    await world.run(retriever, text="running shoes", session="a")
    assert state(await world.run(retriever, text="running shoes", session="b")) is CacheState.HIT
    assert state(await world.run(retriever, text="bread knife", session="a")) is CacheState.MISS
    seeded = await world.saved(SEARCH, stage("seeded"), enabled=True, exclude_fields=excluded)
    await world.run(seeded, text="running shoes", session="a")
    assert state(await world.run(seeded, text="running shoes", session="b")) is CacheState.MISS


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"enabled": "yes"}, "enabled"), ({"ttl_seconds": -1}, "ttl_seconds"), ({"ttl_seconds": 1.5}, "ttl_seconds"),
        ({"cache_stage_names": ["serch"]}, "cache_stage_names"), ({"exclude_fields": "session"}, "exclude_fields"),
    ],
)  # fmt: skip
async def test_a_configuration_is_checked_when_it_is_saved(
    world: CachingWorld, config: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        await world.saved(SEARCH, **config)
    assert field in raised.value.problems[0]["loc"]


async def test_identical_requests_in_flight_run_once(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), stage("wait"), enabled=True)
    running = [asyncio.ensure_future(world.run(retriever, text="running shoes")) for _ in range(5)]
    await Wait.reached.wait()
    await asyncio.sleep(0.01)
    Wait.go.set()
    answers = await asyncio.gather(*running)
    assert Count.runs == 1
    assert len({one.execution_id for one in answers}) == 5
    assert all(shown(one) == shown(answers[0]) for one in answers)
    assert sorted(str(state(one)) for one in answers) == ["HIT"] * 4 + ["MISS"]
    assert [(await record(world, one)).header.status for one in answers] == [ExecutionStatus.COMPLETED] * 5


@pytest.mark.parametrize("is_kept", [True, False])
async def test_of_servers_that_share_a_cache_one_runs_and_the_others_take_its_answer(
    world: CachingWorld, is_kept: bool
) -> None:
    cache, locks = MemoryCache(4_000_000 if is_kept else 100), LocalLocks()
    servers = [another(world.world, cache=cache, locks=locks) for _ in range(3)]
    retriever = await world.saved(SEARCH, stage("count"), stage("wait"), enabled=True)
    running = [asyncio.ensure_future(servers[0].run(retriever, text="running shoes"))]
    await Wait.reached.wait()
    running += [asyncio.ensure_future(server.run(retriever, text="running shoes")) for server in servers[1:]]
    await asyncio.sleep(0.05)
    assert Count.runs == 1
    Wait.go.set()
    answers = await asyncio.gather(*running)
    assert Count.runs == (1 if is_kept else 3), "what is not kept each runs for itself"
    assert all(shown(one) == shown(answers[0]) for one in answers)
    assert [str(state(one)) for one in answers] == ["MISS", *(["HIT"] * 2 if is_kept else ["MISS"] * 2)]
    assert [(await record(world, one)).header.status for one in answers] == [ExecutionStatus.COMPLETED] * 3


@pytest.mark.parametrize("leaver", [0, 1])
async def test_who_leaves_is_recorded_and_keeps_nobody_from_the_answer(world: CachingWorld, leaver: int) -> None:
    retriever = await world.saved(SEARCH, stage("count"), stage("wait"), enabled=True)
    first = asyncio.ensure_future(world.run(retriever, text="running shoes"))
    await Wait.reached.wait()
    running = [first, asyncio.ensure_future(world.run(retriever, text="running shoes"))]
    await asyncio.sleep(0.01)
    running[leaver].cancel()
    with pytest.raises(asyncio.CancelledError):
        await running[leaver]
    Wait.go.set()
    answer = await running[1 - leaver]
    assert (len(answer.documents) > 0, Count.runs) == (True, 1)
    page = await world.shop.metadata.read(
        lambda session: session.executions.page(PRINCIPAL, ExecutionQuery(retriever_id=retriever.retriever_id))
    )
    assert sorted(str(one.status) for one in page.items) == ["cancelled", "completed"]


async def test_a_failure_is_nobody_elses(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), stage("wait"), stage("break"), enabled=True)
    running = [asyncio.ensure_future(world.run(retriever, text="running shoes")) for _ in range(3)]
    await Wait.reached.wait()
    await asyncio.sleep(0.01)
    Wait.go.set()
    failures = await asyncio.gather(*running, return_exceptions=True)
    assert len({one.details["execution_id"] for one in failures if isinstance(one, StageError)}) == 3
    assert Count.runs == 3


async def test_an_embedding_is_made_once(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH)
    for text in ("running shoes", "bread knife", "running shoes", "running shoes"):
        await world.run(retriever, text=text)
    assert world.shop.models.themes.asked == ["running shoes", "bread knife"]
    assert (world.counts.hits[Layer.INFERENCE], world.counts.misses[Layer.INFERENCE]) == (2, 2)


@pytest.mark.parametrize("config", [{"enabled": True}, {"cache_stage_names": ["search", "sample"]}])
async def test_the_record_of_a_cached_execution_replays(world: CachingWorld, config: dict[str, Any]) -> None:
    retriever = await world.saved(SEARCH, stage("sample", count=2), CHEAP, **config)
    answers = [await world.run(retriever, text="running shoes", below=100) for _ in range(2)]
    assert any(one.cache_hit for one in (await record(world, answers[1])).stages)
    await world.write("p1", brand="Heel")
    await world.delete("p2", "col_b")
    for answer in answers:
        replayed = await world.world.replays.replay(
            PRINCIPAL, answer.execution_id, ReplayMode.FROZEN, retriever=retriever.retriever_id
        )
        assert replayed.verdict is Verdict.IDENTICAL, replayed
