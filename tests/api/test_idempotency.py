"""Requests that name themselves by `Idempotency-Key`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.engine.ports.metadata import Session
from tamis.services.upkeep.first_start import ADMIN_EMAIL
from tests.resource_world import Caller, Resources, open_resources

SCHEMA = {"properties": {"title": {"type": "string"}}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


async def ask(caller: Caller, path: str, body: Any, key: str | None = "once", **headers: str) -> httpx.Response:
    named = {} if key is None else {"Idempotency-Key": key}
    return await caller.http.post(f"/v1{path}", json=body, headers={**caller.headers, **named, **headers})


def bucket(name: str = "books") -> dict[str, Any]:
    return {"bucket_name": name, "bucket_schema": SCHEMA}


async def count(world: Resources) -> int:
    return len((await world.me.post("/buckets/list"))["results"])


async def test_what_comes_twice_is_made_once_and_answered_twice(world: Resources) -> None:
    first, again = [await ask(world.me, "/buckets", bucket()) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert await count(world) == 1


async def test_an_object_without_a_name_of_its_own_is_not_doubled(world: Resources) -> None:
    await world.me.post("/buckets", bucket())
    blob = {"property": "title", "type": "text", "data": "one"}
    made = [await ask(world.me, "/buckets/books/objects", {"blobs": [blob]}) for _ in range(3)]
    assert len({answer.content for answer in made}) == 1
    many = [await ask(world.me, "/buckets/books/objects/batch", {"objects": [{}, {}]}, "two") for _ in range(2)]
    assert many[0].content == many[1].content
    assert (await world.me.get("/buckets/books"))["object_count"] == 3


async def test_another_request_may_not_borrow_the_key(world: Resources) -> None:
    await ask(world.me, "/buckets", bucket())
    for path, body in (("/buckets", bucket("films")), ("/buckets/books/objects", bucket())):
        answer = await ask(world.me, path, body)
        assert answer.status_code == 422
        assert answer.json()["error"]["type"] == "KeyReusedError"
    assert await count(world) == 1


async def test_namespaces_are_part_of_what_is_asked(world: Resources) -> None:
    made = await world.me.post("/namespaces", {"namespace_name": "second"})
    await ask(world.me, "/buckets", bucket())
    elsewhere = Caller(world.http, {**world.me.headers, "X-Namespace": made["namespace_id"]})
    assert (await ask(elsewhere, "/buckets", bucket())).json()["error"]["type"] == "KeyReusedError"


async def test_each_api_key_has_keys_of_its_own(world: Resources) -> None:
    mine, theirs = await ask(world.me, "/buckets", bucket()), await ask(world.other, "/buckets", bucket())
    assert mine.json()["bucket_id"] != theirs.json()["bucket_id"]
    second = await world.me.post(f"/organizations/users/{ADMIN_EMAIL}/api-keys", {"name": "second"})
    caller = world.as_key(second["key"], "default")
    assert (await ask(caller, "/buckets", bucket())).status_code == 409


async def test_of_many_at_once_one_is_made(world: Resources) -> None:
    answers = await asyncio.gather(*(ask(world.me, "/buckets", bucket()) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["error"]["type"] == "InProgressError"
            assert answer.headers["Retry-After"] == "1"
    assert await count(world) == 1


async def test_what_was_refused_may_be_tried_again(world: Resources) -> None:
    assert (await ask(world.me, "/buckets", {"bucket_name": ""})).status_code == 422
    assert (await ask(world.me, "/buckets", bucket())).status_code == 200
    assert (await ask(world.reader, "/buckets", bucket("films"))).status_code == 403
    assert (await ask(world.me, "/buckets", bucket(), "another")).status_code == 409
    await world.me.delete("/buckets/books")
    assert (await ask(world.me, "/buckets", bucket(), "another")).status_code == 200


async def test_a_secret_in_an_answer_is_kept_sealed_and_given_again(world: Resources) -> None:
    path = f"/organizations/users/{ADMIN_EMAIL}/api-keys"
    first, again = [await ask(world.me, path, {"name": "sealed"}) for _ in range(2)]
    assert first.json()["key"] == again.json()["key"]
    await world.metadata.close()
    kept = b"".join(path.read_bytes() for path in world.blob_root.parent.glob("tamis.sqlite3*"))
    assert first.json()["name"].encode() in kept
    assert first.json()["key"].encode() not in kept
    assert b"once" not in kept


async def test_an_answer_that_was_lost_is_read_anew(world: Resources) -> None:
    """As a kill between the two transactions leaves it."""
    first = await ask(world.me, "/buckets", bucket())

    def lose(session: Session) -> None:
        link: Any = session
        link.link.driver.execute("UPDATE answers SET status = NULL, body = NULL")

    await world.metadata.write(lose)
    await world.me.patch("/buckets/books", {"description": "changed since"})
    again = await ask(world.me, "/buckets", bucket())
    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == {**first.json(), "description": "changed since", "updated_at": again.json()["updated_at"]}
    await world.me.delete("/buckets/books")
    gone = await ask(world.me, "/buckets", bucket())
    assert (gone.status_code, gone.json()["error"]["type"]) == (409, "AnswerLostError")
    assert gone.json()["error"]["details"]["created_id"] == first.json()["bucket_id"]


async def test_files_that_come_with_it_do_not_stand_for_what_is_made(world: Resources) -> None:
    """A file is held in a transaction of its own before the object is made: the key is not spent on that."""
    schema = {"properties": {"file": {"type": "image"}}}
    await world.me.post("/buckets", {"bucket_name": "pictures", "bucket_schema": schema})
    blob = {"property": "file", "type": "image", "data": "data:image/png;base64,aGVsbG8="}
    first = await ask(world.me, "/buckets/pictures/objects", {"blobs": [blob]})

    def lose(session: Session) -> None:
        link: Any = session
        link.link.driver.execute("UPDATE answers SET status = NULL, body = NULL")

    await world.metadata.write(lose)
    again = await ask(world.me, "/buckets/pictures/objects", {"blobs": [blob]})
    assert again.status_code == 200, again.text
    assert again.json()["object_id"] == first.json()["object_id"]
    assert (await world.me.get("/buckets/pictures"))["object_count"] == 1


@pytest.mark.parametrize("key", ["", " ", "with space", "ä", "x" * 256])
async def test_a_key_that_is_none_is_refused(world: Resources, key: str) -> None:
    named = [(b"idempotency-key", key.encode("latin-1"))]
    headers = [(name.encode(), value.encode()) for name, value in world.me.headers.items()]
    answer = await world.http.post("/v1/buckets", json=bucket(), headers=[*headers, *named])
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {"header": "Idempotency-Key"}
    assert await count(world) == 0


async def test_a_stranger_is_told_nothing(world: Resources) -> None:
    await ask(world.me, "/buckets", bucket())
    nobody = Caller(world.http, {"Authorization": "Bearer sk_unknown"})
    assert (await ask(nobody, "/buckets", bucket())).status_code == 401
