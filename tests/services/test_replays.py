"""Replays of real executions in a real shop."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tamis.engine.ports.executions import ExecutionSelection
from tamis.engine.ports.metadata import Session
from tamis.engine.stage import Context, Outcome
from tamis.engine.stages.limit import Limit
from tamis.executions.codec import decode
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.hits import Hits
from tamis.services.records.replays import Replayed
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.retrieval_world import REGISTRY, World, opened, search, stage

HYBRID = search(
    searches=[
        {"feature_uri": URI, "query": "{{INPUT.q}}", "top_k": 100},
        {"feature_uri": URI, "query": "{{INPUT.q}}", "top_k": 100, "lexical": True},
    ],
    facets=["brand"],
    final_top_k=4,
)
INPUTS = {"q": "running shoes", "most": 100}
CHEAP = stage("attribute_filter", field="price", operator="lte", value="{{INPUT.most}}")


class Shorter(Limit):
    """`limit` with a mistake: it lets one hit less through."""

    id: ClassVar[str] = "limit"

    async def run(self, hits: Hits, context: Context) -> Outcome:
        outcome = await super().run(hits, context)
        return replace(outcome, hits=outcome.hits[:-1])


class Curious(Limit):
    """`limit` that begins to look at the time."""

    id: ClassVar[str] = "limit"

    async def run(self, hits: Hits, context: Context) -> Outcome:
        context.clock.now()
        return await super().run(hits, context)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


async def execute(world: World, *stages: dict[str, Any], **more: Any) -> str:
    async with world.client() as client:
        body = {"stages": list(stages), "inputs": INPUTS, **more}
        answer = await client.post("/v1/retrievers/execute", json=body)
    told = answer.json()
    found: str = told["execution_id"] if answer.status_code == 200 else told["error"]["details"]["execution_id"]
    return found


async def frozen(world: World, execution_id: str) -> Replayed:
    return await world.replays.replay(PRINCIPAL, execution_id, ReplayMode.FROZEN)


async def live(world: World, execution_id: str) -> Replayed:
    return await world.replays.replay(PRINCIPAL, execution_id, ReplayMode.LIVE)


def rewrite(session: Session, collection_id: str) -> None:
    """Every document another, then the collection gone."""
    documents = list(session.documents.scan(PRINCIPAL, collection_id))
    changed = [replace(each, fields={"text": "gone", "price": 1}) for each in documents]
    session.documents.put_fields(PRINCIPAL, collection_id, changed)
    session.documents.delete_collection(PRINCIPAL, collection_id)
    session.collections.delete(PRINCIPAL, collection_id)


async def change_everything(world: World) -> None:
    for collection_id in ("col_a", "col_b"):
        await world.shop.metadata.write(partial(rewrite, collection_id=collection_id))
        await world.shop.index.drop(PRINCIPAL, collection_id)


async def test_a_frozen_replay_is_identical_and_an_execution_of_its_own(world: World) -> None:
    first = await execute(world, HYBRID, CHEAP, stage("limit", limit=2))
    replayed = await frozen(world, first)
    assert (replayed.verdict, replayed.first_divergence, replayed.reason) == (Verdict.IDENTICAL, None, None)
    assert replayed.execution_id not in (None, first)
    record = decode(await world.records.get_anonymous(PRINCIPAL, replayed.execution_id or ""))
    assert record.replay is not None
    assert (record.replay.of, record.replay.mode, record.header.credits_used) == (first, "frozen", 0.0)
    again = await frozen(world, replayed.execution_id or "")
    assert again.verdict is Verdict.IDENTICAL


async def test_it_is_identical_after_the_collections_are_gone(world: World) -> None:
    first = await execute(world, HYBRID, CHEAP, stage("limit", limit=2))
    listed = await execute(world, CHEAP, stage("sort_attribute", sort_field="price"))
    await change_everything(world)
    later = world.restarted()
    for execution_id in (first, listed):
        assert (await frozen(later, execution_id)).verdict is Verdict.IDENTICAL
        gone = await live(later, execution_id)
        assert (gone.verdict, gone.execution_id) == (Verdict.DRIFTED, None) or gone.first_divergence is not None
        assert gone.first_divergence is not None
        assert (gone.first_divergence.stage_index, gone.first_divergence.cause) == (0, "data")


@pytest.mark.parametrize("changed", [Shorter, Curious])
async def test_a_changed_stage_is_found(world: World, changed: type[Limit]) -> None:
    first = await execute(world, HYBRID, stage("limit", limit=3), stage("sort_relevance"))
    later = world.restarted({**REGISTRY, "limit": changed})
    found = (await frozen(later, first)).first_divergence
    assert found is not None
    assert (found.stage_index, found.stage_name, found.cause) == (1, "limit", "code")


async def test_a_stage_that_is_no_more_is_another_definition(world: World) -> None:
    first = await execute(world, HYBRID, stage("limit", limit=3))
    later = world.restarted({name: one for name, one in REGISTRY.items() if name != "limit"})
    for replayed in (await frozen(later, first), await live(later, first)):
        assert (replayed.verdict, replayed.execution_id) == (Verdict.DRIFTED, None)
        assert replayed.first_divergence is not None
        assert (replayed.first_divergence.stage_index, replayed.first_divergence.cause) == (1, "definition")


async def test_a_live_replay_sees_what_was_written(world: World) -> None:
    first = await execute(world, HYBRID, stage("limit", limit=3))
    assert (await live(world, first)).verdict is Verdict.IDENTICAL
    metadata = world.shop.metadata
    await metadata.write(lambda session: session.documents.delete(PRINCIPAL, "col_a", ["p1"]))
    await world.shop.index.delete(PRINCIPAL, "col_a", ["p1"])
    replayed = await live(world, first)
    found = replayed.first_divergence
    assert found is not None
    assert (replayed.verdict, found.stage_index, found.cause) == (Verdict.DRIFTED, 0, "data")
    assert [one.id for one in found.returned.left] == ["p1"]
    assert (await frozen(world, first)).verdict is Verdict.IDENTICAL


async def test_changed_code_is_told_from_changed_data(world: World) -> None:
    first = await execute(world, HYBRID, stage("limit", limit=3))
    await world.shop.metadata.write(lambda session: session.documents.touch(PRINCIPAL, "col_a"))
    found = (await live(world.restarted({**REGISTRY, "limit": Shorter}), first)).first_divergence
    assert found is not None
    assert (found.stage_index, found.cause) == (1, "code")


async def test_a_failure_fails_alike(world: World) -> None:
    first = await execute(world, HYBRID, stage("break", limit=1))
    assert (await frozen(world, first)).verdict is Verdict.IDENTICAL
    mended = {**REGISTRY, "break": type("Mended", (Limit,), {"id": "break"})}
    found = (await frozen(world.restarted(mended), first)).first_divergence
    assert found is not None
    assert (found.stage_name, found.cause) == ("break", "code")


async def test_templates_that_tell_the_time_are_told_the_same(world: World) -> None:
    told = stage("attribute_filter", field="price", operator="gte", value="{{CONTEXT.time_elapsed_ms}}")
    later = stage("limit", limit=2)
    first = await execute(world, HYBRID, {**told, "stage_name": "timed"}, later)
    assert (await frozen(world, first)).verdict is Verdict.IDENTICAL


async def test_a_page_of_a_ranking_says_which_execution_to_replay(world: World) -> None:
    async with world.client() as client:
        body: dict[str, Any] = {"stages": [HYBRID], "inputs": INPUTS}
        page = {"method": "cursor", "limit": 2}
        first = (await client.post("/v1/retrievers/execute", json={**body, "pagination": page})).json()
        cursor = first["pagination"]["next_cursor"]
        second = await client.post("/v1/retrievers/execute", json={**body, "pagination": {**page, "cursor": cursor}})
    replayed = await frozen(world, second.json()["execution_id"])
    assert replayed.verdict is Verdict.NOT_REPLAYABLE
    assert first["execution_id"] in (replayed.reason or "")
    assert (await frozen(world, first["execution_id"])).verdict is Verdict.IDENTICAL


async def test_history_is_kept_as_long_as_a_record_may_refer_to_it(world: World) -> None:
    first = await execute(world, HYBRID)
    await change_everything(world)
    stored = await world.records.get_anonymous(PRINCIPAL, first)
    metadata, later = world.shop.metadata, datetime.now(UTC) + timedelta(days=400)
    assert await metadata.write(lambda session: session.history.forget(PRINCIPAL, later, 100)) == 0
    assert (await frozen(world, first)).verdict is Verdict.IDENTICAL

    every = ExecutionSelection(start=stored.header.started_at)
    assert await metadata.write(lambda session: session.executions.delete(PRINCIPAL, every, 100)) == 2
    while await metadata.write(lambda session: session.history.forget(PRINCIPAL, later, 3)):
        pass
    await metadata.write(lambda session: session.executions.insert(PRINCIPAL, stored))  # as out of a backup
    replayed = await frozen(world, first)
    assert (replayed.verdict, replayed.execution_id) == (Verdict.NOT_REPLAYABLE, None)
    assert "not kept any more" in (replayed.reason or "")


async def test_over_http(world: World) -> None:
    first = await execute(world, HYBRID, stage("limit", limit=2))
    async with world.client() as client:
        path = f"/v1/retrievers/executions/{first}/replay"
        answer = (await client.post(path, json={"mode": "frozen"})).json()
        assert (answer["verdict"], answer["replay_of"], answer["first_divergence"]) == ("identical", first, None)
        assert (await client.post(path)).json()["mode"] == "frozen"
        assert (await client.post(path, json={"mode": "sometimes"})).status_code == 422
        assert (await client.post("/v1/retrievers/executions/exec_none/replay", json={})).status_code == 404
