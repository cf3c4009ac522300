"""A batch's progress as server-sent events: now, after each change, and once more at its end."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tamis.api import batches
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.client.events import event_data
from tamis.engine.ports.metadata import Session
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key
from tamis.services.data.batch_following import BatchFollowing
from tests.extraction_world import BAD, World, open_world

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


class Edge:
    """The routes of batches; `ending` is what a draining server says."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world, self.http, self.ending = world, http, False

    async def events(self, batch_id: str, key: str = "sk_0") -> list[dict[str, Any]]:
        """All of them, once the stream has ended."""
        answer = await self.http.get(
            f"/buckets/things/batches/{batch_id}/events", headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [json.loads(data) for data in event_data([answer.content])]


@pytest.fixture
async def edge(world: World) -> AsyncIterator[Edge]:
    for place, principal in enumerate((world.principal, world.stranger)):
        await world.metadata.write(lambda s, who=principal, key=f"sk_{place}": _insert_key(s, who, key))  # type: ignore[misc] # the defaults bind
    app = FastAPI()
    add_error_handlers(app)
    app.include_router(batches.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://tamis/v1") as client:
        made = Edge(world, client)
        following = BatchFollowing(world.metadata, lambda: made.ending, poll_s=0.01)
        app.state.services = {type(each): each for each in (world.batches, following, Gate(world.metadata))}
        yield made


def _insert_key(session: Session, who: Principal, secret: str) -> None:
    owner = replace(who, namespace_id="")
    user = f"usr_{who.organization_id[-1] * 20}"
    key = ApiKey(f"key_{secret}", owner.organization_id, user, secret, hash_key(secret), "sk", (Permission.ADMIN,), NOW)
    session.keys.insert(owner, key)


async def test_every_step_is_told_and_the_last_one_is_the_end(world: World, edge: Edge) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": BAD if place == 5 else f"text {place}"} for place in range(200)])
    await world.collection("docs", bucket)
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    following = asyncio.create_task(edge.events(batch.batch_id))
    await asyncio.sleep(0)
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    *before, last = await following
    assert {one["event_type"] for one in before} <= {"batch_progress"}
    assert (last["event_type"], last["status"]) == ("batch_end", "COMPLETED_WITH_ERRORS")
    progress = last["progress"]
    assert (progress["sources_total"], progress["sources_done"], progress["sources_failed"]) == (200, 199, 1)
    assert (progress["sources_left"], progress["seconds_left"], progress["percentage"]) == (0, 0.0, 100.0)
    assert progress["sources_per_s"] > 0
    done = [one["progress"]["sources_done"] for one in before if one["progress"]]
    assert done == sorted(done)
    assert await edge.events(batch.batch_id) == [last], "whoever comes later is told the end at once"


async def test_a_batch_that_is_deleted_or_a_server_that_ends_ends_the_stream(world: World, edge: Edge) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}])
    for end in ("deleted", "ending"):
        batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
        following = asyncio.create_task(edge.events(batch.batch_id))
        await asyncio.sleep(0.1)
        assert not following.done()
        if end == "deleted":
            await world.batches.delete(world.principal, bucket.name, batch.batch_id)
        edge.ending = end == "ending"
        [told] = await asyncio.wait_for(following, 10)
        assert (told["status"], told["progress"], told["event_type"]) == ("DRAFT", None, "batch_progress")


async def test_silence_is_broken_and_what_is_not_there_is_404(world: World, edge: Edge) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}])
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    following = BatchFollowing(world.metadata, heartbeat_s=0.0, poll_s=0.001)
    begun = await following.begin(world.principal, bucket.name, batch.batch_id)
    steps = following.follow(world.principal, bucket.name, begun)
    assert [await anext(steps), await anext(steps)] == [begun, None]
    await steps.aclose()
    for path, key in (("btch_none", "sk_0"), (batch.batch_id, "sk_1")):
        answer = await edge.http.get(
            f"/buckets/things/batches/{path}/events", headers={"Authorization": f"Bearer {key}"}
        )
        assert (answer.status_code, answer.json()["success"]) == (404, False)
