"""What happens in a namespace as server-sent events: from now on, from a position, by type, for who may."""

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

from tamis.api import namespace_events
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.engine.ports.metadata import Session
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key
from tamis.services.data.event_following import EventFollowing
from tamis.storage.metadata import namespace_events as stored
from tests.extraction_world import World, open_world

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = {"Authorization": "Bearer sk_0"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


class Edge:
    """The route; `ending` is what a draining server says: streams end once they have told what is there."""

    following: EventFollowing

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world, self.http, self.ending = world, http, False
        self.namespace = world.principal.namespace_id
        self.gate = Gate(world.metadata)
        self.for_s = 0.5

    async def opened(self, readers: int = 1) -> None:
        """Once so many streams are open."""
        async with asyncio.timeout(30):
            while self.following._readers.total() < readers:  # noqa: ASYNC110 - nobody tells it
                await asyncio.sleep(0.01)

    async def answer(self, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return await self.http.get(f"/namespaces/{self.namespace}/events", headers=GOOD | (headers or {}), params=query)

    async def told(self, headers: dict[str, str] | None = None, **query: Any) -> list[tuple[str, dict[str, Any]]]:
        """Ids and events of a stream that is let go after a while."""
        asyncio.get_running_loop().call_later(self.for_s, setattr, self, "ending", True)
        answer = await self.answer(headers, **query)
        self.ending = False
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [read(block) for block in answer.text.split("\n\n") if block.startswith(("id:", "data:"))]


def read(block: str) -> tuple[str, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return fields.get("id", ""), json.loads(fields["data"])


@pytest.fixture
async def edge(world: World) -> AsyncIterator[Edge]:
    for place, principal in enumerate((world.principal, world.stranger)):
        await world.metadata.write(lambda s, who=principal, key=f"sk_{place}": _insert_key(s, who, key))  # type: ignore[misc] # the defaults bind
    app = FastAPI()
    add_error_handlers(app)
    app.include_router(namespace_events.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://tamis/v1") as client:
        made = Edge(world, client)
        following = made.following = EventFollowing(
            world.metadata, lambda: made.ending, heartbeat_s=0.02, poll_s=0.01, check_s=0.01, readers=2
        )
        app.state.services = {type(each): each for each in (following, made.gate)}
        yield made


def _insert_key(session: Session, who: Principal, secret: str) -> None:
    owner = replace(who, namespace_id="")
    user = f"usr_{who.organization_id[-1] * 20}"
    key = ApiKey(f"key_{secret}", owner.organization_id, user, secret, hash_key(secret), "sk", (Permission.ADMIN,), NOW)
    session.keys.insert(owner, key)


async def test_a_reader_hears_of_what_comes_and_goes_on_after_it(world: World, edge: Edge) -> None:
    bucket = await world.bucket()
    await world.objects(bucket, [{"text": "before"}])
    edge.for_s = 3.0  # what is made meanwhile may take a slow machine a second
    following = asyncio.create_task(edge.told())
    await edge.opened()
    ids = await world.objects(bucket, [{"text": "one"}, {"text": "two"}])
    (opened_at, opened), (first_id, first) = await following
    edge.for_s = 0.5
    assert (opened["event_type"], opened["event_id"]) == ("stream.open", None)
    assert (first["event_type"], first["resource_ids"], first["count"]) == ("object.created", ids, 2)
    (later,) = await world.objects(bucket, [{"text": "three"}])
    for headers, query in (({"Last-Event-ID": first_id}, {}), ({}, {"since": first_id})):
        (_, opened), (_, event) = await edge.told(headers, **query)
        assert (opened["event_type"], event["resource_ids"]) == ("stream.open", [later])
    again = [event["event_id"] for _, event in await edge.told(since=opened_at)]
    assert again == [None, first["event_id"], event["event_id"]]


async def test_only_the_types_that_are_wanted_are_told(world: World, edge: Edge) -> None:
    bucket = await world.bucket()
    collection = await world.collection("docs", bucket)
    ids = await world.objects(bucket, [{"text": "one"}])
    await world.process(bucket, ids)

    async def types(*wanted: str) -> list[str]:
        return [event["event_type"] for _, event in (await edge.told(since="0-0", types=wanted))[1:]]

    everything = await types()
    assert everything[:2] == ["collection.created", "object.created"]
    assert "collection.documents.written" in everything
    assert everything[-1] == "task.completed"
    assert await types("object.created,collection.created") == ["collection.created", "object.created"]
    tasks = [one for one in everything if one.startswith("task.")]
    assert await types("task") == await types("task.*") == tasks
    (_, _), (_, written) = await edge.told(since="0-0", types="collection.documents.written")
    assert written["resource_ids"] == [collection.collection_id]


@pytest.mark.parametrize(
    ("headers", "query", "where"),
    [
        ({"Last-Event-ID": "latest"}, {}, ["header", "Last-Event-ID"]),
        ({}, {"since": "12"}, ["query", "since"]),
        ({}, {"since": "-1-2"}, ["query", "since"]),
        ({}, {"since": f"0-{1 << 63}"}, ["query", "since"]),
        ({}, {"since": "1-٣"}, ["query", "since"]),
        ({}, {"types": "object.created,documents"}, ["query", "types", 1]),
    ],
)
async def test_what_is_wrong_is_named(
    edge: Edge, headers: dict[str, str], query: dict[str, str], where: list[str | int]
) -> None:
    answer = await edge.answer(headers, **query)
    assert answer.status_code == 422
    assert [each["loc"] for each in answer.json()["detail"]] == [where]


async def test_a_reader_who_missed_some_is_told_and_given_what_is_kept(
    world: World, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = await world.bucket()
    for number in range(4):
        await world.objects(bucket, [{"text": f"text {number}"}])
    (_, _), (first_id, _), *rest = await edge.told(since="0-0")
    monkeypatch.setattr(stored, "KEPT", 2)
    await world.metadata.write(lambda session: session.namespace_events.forget(world.principal))
    (_, gap), *kept = await edge.told(since=first_id)
    assert gap["event_type"] == "stream.gap"
    assert "not all" in gap["reason"]
    assert kept == rest[1:]


async def test_who_may_not_go_on_is_told_why(world: World, edge: Edge) -> None:
    following = asyncio.create_task(edge.answer())
    await edge.opened()
    owner = replace(world.principal, namespace_id="")
    (key,) = await world.metadata.read(lambda session: session.keys.list(owner))
    await world.metadata.write(lambda session: session.keys.replace(owner, replace(key, revoked_at=NOW)))
    edge.gate.forget()
    async with asyncio.timeout(10):
        answer = await following
    last = read([block for block in answer.text.split("\n\n") if block][-1])[1]
    assert last["event_type"] == "stream.closed"
    assert "revoked" in last["reason"]


async def test_silence_is_filled_and_readers_are_not_without_number(edge: Edge) -> None:
    streams = [asyncio.create_task(edge.answer()) for _ in range(2)]
    await edge.opened(2)
    await asyncio.sleep(0.5)
    refused = await edge.answer()
    assert refused.status_code == 429
    assert refused.json()["error"]["details"]["limit"] == 2
    edge.ending = True
    for stream in streams:
        assert ": nothing happened\nid: 0-0\n\n" in (await stream).text
    assert (await edge.answer()).status_code == 200


async def test_a_namespace_of_others_is_not_there(world: World, edge: Edge) -> None:
    edge.namespace = world.stranger.namespace_id
    assert (await edge.answer()).status_code == 404
    assert (await edge.answer({"Authorization": "Bearer sk_no"})).status_code == 401


async def test_what_is_there_alone_is_read_to_its_end(world: World, edge: Edge) -> None:
    bucket = await world.bucket()
    (first,), (second,) = [await world.objects(bucket, [{"text": text}]) for text in ("one", "two")]
    answer = await edge.answer(since="0-0", follow="false")
    told = [read(block) for block in answer.text.split("\n\n") if block]
    assert [event["resource_ids"] for _, event in told] == [[], [first], [second], []]
    assert told[-1][1]["event_type"] == "stream.closed"
    assert (await edge.answer(follow="false")).text.count("data:") == 2, "from now on there is nothing"


async def test_who_wants_other_types_is_not_left_behind(world: World, edge: Edge) -> None:
    """What he passed over counts as seen: the silence says how far that is."""
    bucket = await world.bucket()
    await world.objects(bucket, [{"text": "one"}])
    asyncio.get_running_loop().call_later(0.2, setattr, edge, "ending", True)
    silence = (await edge.answer(since="0-0", types="alert")).text.split("\n\n")[1]
    edge.ending = False
    said, _, position = silence.partition("\nid: ")
    assert said == ": nothing happened"
    assert len(await edge.told(since=position)) == 1, "it is open, and no more"
