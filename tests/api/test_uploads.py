"""Uploads over HTTP: announced, sent to a signed link, confirmed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.errors import ForbiddenError
from tamis.model.bucket import Upload
from tamis.model.principal import Permission, Principal
from tamis.services.data.upload_links import PATH, UploadLinks
from tests.resource_world import MAX_UPLOAD_BYTES, SECRET, Resources, open_resources

SCHEMA = {
    "properties": {
        "image": {"type": "image"},
        "title": {"type": "string"},
        "notes": {"type": "text"},
        "price": {"type": "number"},
    }
}
UPLOADS = "/buckets/pics/uploads"
PIXELS = b"pixels"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        await resources.me.post("/buckets", {"bucket_name": "pics", "bucket_schema": SCHEMA})
        yield resources


def body(**more: Any) -> dict[str, Any]:
    return {"filename": "cat.png", "content_type": "image/png", "blob_property": "image", **more}


async def send(
    world: Resources, url: str, data: bytes | Iterator[bytes] = PIXELS, content_type: str | None = "image/png"
) -> httpx.Response:
    """Without a key: the link is the permission."""
    return await world.http.put(url, content=data, headers={"Content-Type": content_type} if content_type else {})


async def sent(world: Resources, data: bytes = PIXELS, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = await world.me.post(UPLOADS, body(**more))
    assert (await send(world, made["presigned_url"], data)).status_code == 200
    return made


async def test_a_file_becomes_an_object(world: Resources) -> None:
    made = await world.me.post(UPLOADS, body(object_metadata={"title": "Cat"}, metadata={"from": "test"}))
    assert (made["status"], made["blob_type"], made["is_duplicate"]) == ("PENDING", "image", False)
    assert made["presigned_url"].startswith("http://tamis.test/v1/uploads/")
    answer = await send(world, made["presigned_url"])
    etag = hashlib.md5(PIXELS, usedforsecurity=False).hexdigest()
    assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{etag}"')
    path = f"{UPLOADS}/{made['upload_id']}"
    confirmed = await world.me.post(f"{path}/confirm", {"etag": f'"{etag}"', "file_size_bytes": 6})
    assert (confirmed["status"], confirmed["file_hash"]) == ("COMPLETED", hashlib.sha256(PIXELS).hexdigest())
    found = await world.me.get(f"/buckets/pics/objects/{confirmed['object_id']}")
    assert (found["title"], found["blobs"][0]["details"]["filename"]) == ("Cat", "cat.png")
    key = found["blobs"][0]["properties"]["url"].removeprefix("blob://")
    assert await world.blobs.get(world.principal, key) == PIXELS
    after = await world.me.get(path)
    assert (after["object_id"], after["presigned_url"]) == (confirmed["object_id"], None)
    assert await world.me.post(f"{path}/confirm") == confirmed
    assert (await world.me.get("/buckets/pics"))["object_count"] == 1


async def test_an_upload_can_be_named_by_an_object(world: Resources) -> None:
    made = await sent(world, create_object_on_confirm=False)
    blob = {"property": "image", "type": "image", "upload_id": made["upload_id"]}
    objects = "/buckets/pics/objects"
    assert await world.me.places(objects, {"blobs": [blob]}) == [["body", "blobs", 0, "upload_id"]]
    confirmed = await world.me.post(f"{UPLOADS}/{made['upload_id']}/confirm")
    assert confirmed["object_id"] is None
    found = await world.me.post(objects, {"blobs": [blob]})
    assert found["blobs"][0]["details"]["size_bytes"] == 6
    await world.me.post(objects, {"blobs": [{**blob, "upload_id": "upl_none"}]}, 404)
    await world.me.delete(f"{UPLOADS}/{made['upload_id']}", 204)
    assert len(await world.files()) == 1, "an object stands on it"


async def test_bytes_that_are_here_already_need_not_be_sent(world: Resources) -> None:
    first = await sent(world)
    confirmed = await world.me.post(f"{UPLOADS}/{first['upload_id']}/confirm")
    again = await world.me.post(UPLOADS, body(file_hash=hashlib.sha256(PIXELS).hexdigest()))
    assert (again["upload_id"], again["is_duplicate"]) == (first["upload_id"], True)
    assert (again["presigned_url"], again["object_id"]) == (None, confirmed["object_id"])
    other = await world.me.post(UPLOADS, body(file_hash=hashlib.sha256(PIXELS).hexdigest(), skip_duplicates=False))
    assert other["upload_id"] != first["upload_id"]


async def test_bytes_that_turn_out_to_be_here_are_kept_once(world: Resources) -> None:
    first, second = await sent(world), await sent(world)
    one = await world.me.post(f"{UPLOADS}/{first['upload_id']}/confirm")
    two = await world.me.post(f"{UPLOADS}/{second['upload_id']}/confirm")
    assert two["object_id"] == one["object_id"]
    assert len(await world.files()) == 1
    found = await world.me.get(f"{UPLOADS}/{second['upload_id']}")
    assert (found["is_duplicate"], found["duplicate_of_upload_id"]) == (True, first["upload_id"])
    await world.me.delete(f"{UPLOADS}/{first['upload_id']}", 204)
    assert len(await world.files()) == 1


async def test_the_file_has_to_be_the_one_announced(world: Resources) -> None:
    sized = await world.me.post(UPLOADS, body(file_size_bytes=5))
    assert (await send(world, sized["presigned_url"])).status_code == 413
    assert (await send(world, sized["presigned_url"], b"four")).status_code == 400
    hashed = await world.me.post(UPLOADS, body(file_hash="0" * 64))
    assert (await send(world, hashed["presigned_url"])).status_code == 400
    typed = await world.me.post(UPLOADS, body())
    assert (await send(world, typed["presigned_url"], PIXELS, "text/html")).status_code == 400
    assert await world.files() == []
    assert (await send(world, typed["presigned_url"], PIXELS, None)).status_code == 200


async def test_a_file_that_grows_too_large_leaves_nothing(world: Resources) -> None:
    made = await world.me.post(UPLOADS, body())
    answer = await send(world, made["presigned_url"], b"x" * (MAX_UPLOAD_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "PayloadTooLargeError")
    assert await world.files() == []


async def test_sending_again_has_to_be_the_same_file(world: Resources) -> None:
    made = await sent(world)
    assert (await send(world, made["presigned_url"])).status_code == 200
    assert (await send(world, made["presigned_url"], b"others")).status_code == 400
    confirmed = await world.me.post(f"{UPLOADS}/{made['upload_id']}/confirm")
    assert confirmed["file_hash"] == hashlib.sha256(PIXELS).hexdigest()
    assert (await send(world, made["presigned_url"])).status_code == 409


async def test_a_sending_that_ends_late_leaves_the_confirmed_file_alone(world: Resources) -> None:
    made = await world.me.post(UPLOADS, body())
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"oth"
        begun.set()
        await go_on.wait()
        yield b"ers"

    late = asyncio.ensure_future(world.http.put(made["presigned_url"], content=slowly()))
    await begun.wait()
    assert (await send(world, made["presigned_url"])).status_code == 200
    confirmed = await world.me.post(f"{UPLOADS}/{made['upload_id']}/confirm")
    go_on.set()
    assert (await late).status_code == 409
    found = await world.me.get(f"/buckets/pics/objects/{confirmed['object_id']}")
    key = found["blobs"][0]["properties"]["url"].removeprefix("blob://")
    assert await world.blobs.get(world.principal, key) == PIXELS
    assert len(await world.files()) == 1


async def test_what_was_not_sent_is_not_confirmed(world: Resources) -> None:
    made = await world.me.post(UPLOADS, body())
    await world.me.post(f"{UPLOADS}/{made['upload_id']}/confirm", status=409)
    await send(world, made["presigned_url"])
    path = f"{UPLOADS}/{made['upload_id']}/confirm"
    assert await world.me.places(path, {"etag": "0" * 32}) == [["body", "etag"]]
    assert await world.me.places(path, {"file_size_bytes": 7}) == [["body", "file_size_bytes"]]
    assert (await world.me.get(f"{UPLOADS}/{made['upload_id']}"))["status"] == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"filename": ""}, "filename"),
        ({"filename": "../x.png"}, "filename"),
        ({"filename": "a\\b"}, "filename"),
        ({"content_type": "picture"}, "content_type"),
        ({"file_hash": "abc"}, "file_hash"),
        ({"file_size_bytes": 0}, "file_size_bytes"),
        ({"file_size_bytes": MAX_UPLOAD_BYTES + 1}, "file_size_bytes"),
        ({"presigned_url_expiration": 59}, "presigned_url_expiration"),
        ({"blob_property": "a-b"}, "blob_property"),
        ({"blob_property": "picture"}, "blob_property"),
        ({"blob_type": "poem"}, "blob_type"),
        ({"content_type": "audio/mp3"}, "blob_type"),
    ],
)
async def test_a_bad_field_is_named(world: Resources, more: dict[str, Any], place: str) -> None:
    assert await world.me.places(UPLOADS, body(**more)) == [["body", place]]


async def test_the_object_to_be_is_checked_before_the_file_is_sent(world: Resources) -> None:
    wrong = body(object_metadata={"price": "much"})
    assert await world.me.places(UPLOADS, wrong) == [["body", "object_metadata", "price"]]
    await world.me.post(UPLOADS, {**wrong, "create_object_on_confirm": False})


async def test_the_property_is_the_schemas_only_one_for_files(world: Resources) -> None:
    await world.me.post("/buckets", {"bucket_name": "one", "bucket_schema": {"properties": {"doc": {"type": "pdf"}}}})
    asked = {"filename": "a b.bin", "content_type": "application/octet-stream"}
    made = await world.me.post("/buckets/one/uploads", asked)
    assert (made["blob_property"], made["blob_type"]) == ("doc", "pdf")
    assert await world.me.places(UPLOADS, {**asked, "content_type": "image/png"}) == [["body", "blob_property"]]


async def test_batches_share_metadata_and_are_all_or_nothing(world: Resources) -> None:
    asked = {
        "uploads": [body(metadata={"a": 1}), body(filename="dog.png")],
        "shared_metadata": {"a": 0, "b": 2},
        "shared_object_metadata": {"title": "T"},
    }
    made = await world.me.post(f"{UPLOADS}/batch", asked)
    assert made["total"] == 2
    assert [row["metadata"] for row in made["uploads"]] == [{"a": 1, "b": 2}, {"a": 0, "b": 2}]
    assert made["uploads"][1]["object_metadata"] == {"title": "T"}
    bad = {"uploads": [body(), body(filename="/")]}
    assert await world.me.places(f"{UPLOADS}/batch", bad) == [["body", "uploads", 1, "filename"]]
    assert (await world.me.post(f"{UPLOADS}/list"))["pagination"]["total"] == 2


async def test_confirming_many_tells_how_each_went(world: Resources) -> None:
    good = await sent(world)
    waiting = await world.me.post(UPLOADS, body())
    path = f"{UPLOADS}/confirm/batch"
    asked = [{"upload_id": good["upload_id"]}, {"upload_id": waiting["upload_id"]}]
    answer = await world.me.post(path, {"confirmations": asked})
    assert (answer["status"], answer["confirmations_count"]) == ("COMPLETED_WITH_ERRORS", 2)
    first, second = answer["task"]["outputs"]
    assert first["object_id"].startswith("obj_")
    assert "not arrived" in second["error"]
    stored = await world.metadata.read(lambda session: session.tasks.get(world.principal, answer["task_id"]))
    assert stored is not None
    assert await world.me.places(path, {"confirmations": [{}]}) == [["body", "confirmations", 0, "upload_id"]]
    wrong = {"upload_id": good["upload_id"], "file_size_bytes": "6"}
    assert await world.me.places(path, {"confirmations": [wrong]}) == [["body", "confirmations", 0, "file_size_bytes"]]


async def test_async_leaves_a_task(world: Resources) -> None:
    made = await sent(world)
    path = f"{UPLOADS}/{made['upload_id']}/confirm"
    confirmed = await world.me.send("POST", path, {}, 200, **{"async": True})
    task = await world.metadata.read(lambda session: session.tasks.get(world.principal, confirmed["task_id"]))
    assert task is not None
    assert (task.status, task.type) == ("COMPLETED", "api_buckets_uploads_confirm")


async def test_lists_filter_and_give_links_where_asked(world: Resources) -> None:
    await sent(world)
    await world.me.post(UPLOADS, body(filename="dog.png"))
    plain = await world.me.post(f"{UPLOADS}/list", {"filters": {"status": "PENDING"}})
    assert [(row["filename"], row["presigned_url"]) for row in plain["results"]] == [("dog.png", None)]
    linked = await world.me.post(f"{UPLOADS}/list", {"return_presigned_urls": True, "search": "DOG"})
    assert (await send(world, linked["results"][0]["presigned_url"])).status_code == 200
    assert linked["stats"]["uploads_by_status"] == {"PENDING": 1}
    assert linked["pagination"]["page_size"] == 20


async def test_deleting_forgets_the_file_unless_it_is_to_be_kept(world: Resources) -> None:
    gone, kept = await sent(world, b"1"), await sent(world, b"2")
    await world.me.delete(f"{UPLOADS}/{gone['upload_id']}", 204)
    await world.me.delete(f"{UPLOADS}/{kept['upload_id']}", 204, delete_s3_object=False)
    assert len(await world.files()) == 1
    await world.me.get(f"{UPLOADS}/{gone['upload_id']}", 404)
    assert (await send(world, gone["presigned_url"])).status_code == 404


async def test_a_reader_gets_no_link_and_a_stranger_nothing(world: Resources) -> None:
    made = await world.me.post(UPLOADS, body())
    path = f"{UPLOADS}/{made['upload_id']}"
    assert (await world.reader.get(path))["presigned_url"] is None
    await world.reader.post(UPLOADS, body(), 403)
    await world.other.post("/buckets", {"bucket_name": "pics", "bucket_schema": SCHEMA})
    await world.other.get(path, 404)
    await world.other.post(f"{path}/confirm", status=404)
    await world.other.delete(path, 404)


async def test_a_forged_or_cut_link_opens_nothing(world: Resources) -> None:
    made = await world.me.post(UPLOADS, body())
    url = made["presigned_url"]
    forged = UploadLinks(b"another secret of thirty-two byte").url(
        world.principal, _upload(made["upload_id"]), "http://t"
    )
    for wrong in (
        url[:-2] + ("AA" if url[-2:] != "AA" else "BB"),
        url[:-5],
        forged,
        "http://t/v1/uploads/x",
        "http://t/v1/uploads/-",
    ):
        answer = await send(world, wrong)
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "ForbiddenError"), wrong
    assert await world.files() == []


def test_a_link_expires() -> None:
    links = UploadLinks(SECRET, "https://search.example/")
    me = Principal("org_1", "ns_1", frozenset({Permission.WRITE}))
    url = links.url(me, _upload("upl_1", -1), "http://elsewhere")
    assert url.startswith("https://search.example/v1/uploads/")
    with pytest.raises(ForbiddenError, match="expired"):
        links.open(url.partition(PATH)[2])
    grant = links.open(links.url(me, _upload("upl_1", 60), "http://x").partition(PATH)[2])
    assert (grant.upload_id, grant.principal) == ("upl_1", Principal("org_1", "ns_1"))


def _upload(upload_id: str, seconds: int = 60) -> Upload:
    now = datetime.now(UTC)
    return Upload(upload_id, "bkt_1", "f", "text/plain", "k", now, now + timedelta(seconds=seconds), 60)
