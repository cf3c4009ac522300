"""ETag, If-Match and If-None-Match."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.api.versions import NOUNS
from tamis.services.access.versions import READERS
from tamis.services.upkeep.first_start import ADMIN_EMAIL
from tests.resource_world import Resources, open_resources

SCHEMA = {"properties": {"title": {"type": "string"}}}
BUCKET = "/buckets/books"
OBJECT = {"blobs": [{"property": "title", "type": "text", "data": "one"}]}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        await resources.me.post("/buckets", {"bucket_name": "books", "bucket_schema": SCHEMA})
        yield resources


async def send(world: Resources, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.http.request(method, f"/v1{path}", json=body, headers={**world.me.headers, **named})


async def tag(world: Resources, path: str) -> str:
    return (await send(world, "GET", path)).headers["ETag"]


async def test_a_tag_stays_until_the_resource_changes(world: Resources) -> None:
    before = await tag(world, BUCKET)
    await world.me.post(f"{BUCKET}/objects", OBJECT)
    assert await tag(world, BUCKET) == before
    patched = await send(world, "PATCH", BUCKET, {"description": "d"})
    assert patched.headers["ETag"] == await tag(world, BUCKET) != before


async def test_who_read_an_older_state_is_told_and_changes_nothing(world: Resources) -> None:
    before = await tag(world, BUCKET)
    now = (await send(world, "PATCH", BUCKET, {"description": "first"}, If_Match=before)).headers["ETag"]
    for method, body in (("PATCH", {"description": "second"}), ("PUT", {"description": "second"}), ("DELETE", None)):
        refused = await send(world, method, BUCKET, body, If_Match=before)
        assert refused.status_code == 412, refused.text
        assert refused.json()["error"]["type"] == "PreconditionFailedError"
        assert refused.headers["ETag"] == refused.json()["error"]["details"]["current_etag"] == now
    assert (await world.me.get(BUCKET))["description"] == "first"
    assert (await send(world, "DELETE", BUCKET, If_Match=f'"other", {now}')).status_code == 200


async def test_of_many_who_read_the_same_one_changes(world: Resources) -> None:
    before = await tag(world, BUCKET)
    answers = await asyncio.gather(
        *(send(world, "PATCH", BUCKET, {"description": f"{number}"}, If_Match=before) for number in range(8))
    )
    won = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} == {200, 412}
    assert (await world.me.get(BUCKET))["description"] == f"{won[0]}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": "*"}, 200),
        ({"If_Match": '"wrong"'}, 412),
        ({"If_Match": ""}, 412),
        ({"If_None_Match": "*"}, 412),
        ({"If_None_Match": '"wrong"'}, 200),
    ],
)
async def test_the_other_forms(world: Resources, headers: dict[str, str], status: int) -> None:
    assert (await send(world, "PUT", BUCKET, {"description": "d"}, **headers)).status_code == status


async def test_what_is_not_there_is_not_found_whatever_is_expected(world: Resources) -> None:
    assert (await send(world, "PATCH", "/buckets/none", {}, If_Match='"x"')).status_code == 404
    assert (await send(world, "PATCH", BUCKET, {"bucket_name": 5}, If_Match='"x"')).status_code == 422


async def test_a_stranger_learns_no_tag(world: Resources) -> None:
    found = await world.me.get(BUCKET)
    for method in ("GET", "DELETE"):
        answer = await world.http.request(
            method, f"/v1/buckets/{found['bucket_id']}", headers={**world.other.headers, "If-Match": '"x"'}
        )
        assert answer.status_code == 404
        assert "ETag" not in answer.headers
    denied = await world.http.patch(f"/v1{BUCKET}", json={}, headers={**world.reader.headers, "If-Match": '"x"'})
    assert denied.status_code == 403


async def test_every_noun_of_this_world_has_a_tag(world: Resources) -> None:
    made = await world.me.post(f"{BUCKET}/objects", OBJECT)
    upload = {"filename": "a.txt", "content_type": "text/plain", "blob_property": "title"}
    announced = await world.me.post(f"{BUCKET}/uploads", upload)
    paths = [
        "/organizations",
        "/namespaces/default",
        f"{BUCKET}/objects/{made['object_id']}",
        f"{BUCKET}/uploads/{announced['upload_id']}",
    ]
    tags = [await tag(world, path) for path in paths]
    assert len(set(tags)) == len(paths)
    changed = await send(world, "PATCH", paths[0], {"metadata": {"a": 1}}, If_Match=tags[0])
    assert changed.headers["ETag"] not in ("", tags[0])
    assert (await send(world, "PATCH", paths[1], {"description": "d"}, If_Match=tags[1])).status_code == 200
    assert (await send(world, "PATCH", paths[2], {"metadata": {"title": "t"}}, If_Match='"x"')).status_code == 412
    assert (await send(world, "DELETE", paths[2], If_Match=tags[2])).status_code == 204
    key = f"/organizations/users/{ADMIN_EMAIL}/api-keys/reader"
    assert (await send(world, "PATCH", key, {"description": "d"}, If_Match='"x"')).status_code == 412


def test_every_noun_has_a_reader() -> None:
    assert set(NOUNS.values()) == set(READERS)
