"""Objects over HTTP: schema, unique keys, files, batches."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.resource_world import Resources, open_resources

SCHEMA = {
    "properties": {
        "text": {"type": "text"},
        "image": {"type": "image"},
        "title": {"type": "string", "required": True},
        "price": {"type": "number", "default": 1.5},
        "stock": {"type": "integer"},
        "sold": {"type": "boolean"},
        "kind": {"type": "string", "enum": ["book", "film"]},
        "day": {"type": "date"},
        "seen": {"type": "datetime"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "maker": {"type": "object", "properties": {"name": {"type": "string", "required": True}}},
        "vector": {"type": "dense_vector"},
        "bytes": {"type": "int8_vector"},
        "sparse": {"type": "sparse_vector"},
    }
}
PNG = base64.b64encode(b"pixels").decode()
OBJECTS = "/buckets/things/objects"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        await resources.me.post("/buckets", {"bucket_name": "things", "bucket_schema": SCHEMA})
        yield resources


def text(data: Any, property: str = "text", kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"property": property, "type": kind, "data": data, **more}


async def test_an_object_comes_back_as_it_was_sent(world: Resources) -> None:
    sent = {"title": "A", "stock": 3, "blobs": [text("words", metadata={"language": "en"})], "key_prefix": "/x"}
    made = await world.me.post(OBJECTS, {**sent, "metadata": {"colour": "red"}})
    assert (made["title"], made["stock"], made["colour"], made["price"]) == ("A", 3, "red", 1.5)
    assert made["metadata"] == {"title": "A", "stock": 3, "colour": "red", "price": 1.5, "language": "en"}
    assert (made["status"], made["key_prefix"]) == ("DRAFT", "/x")
    blob = made["blobs"][0]
    assert blob["properties"] == {"data": "words", "language": "en"}
    assert (blob["details"]["size_bytes"], blob["details"]["mime_type"]) == (5, "text/plain")
    assert await world.reader.get(f"{OBJECTS}/{made['object_id']}") == made
    assert await world.files() == []


@pytest.mark.parametrize("data", [PNG, f"data:image/png;base64,{PNG}"])
async def test_bytes_go_into_the_blob_store(world: Resources, data: str) -> None:
    made = await world.me.post(OBJECTS, {"title": "A", "blobs": [text(data, "image", "image")]})
    url = made["blobs"][0]["properties"]["url"]
    assert url.startswith("blob://")
    assert await world.blobs.get(world.principal, url.removeprefix("blob://")) == b"pixels"
    assert made["blobs"][0]["details"]["hash"].startswith("sha256:")


async def test_long_text_is_a_file_and_short_text_is_not(world: Resources) -> None:
    long = "ä" * 40_000
    made = await world.me.post(OBJECTS, {"title": "A", "blobs": [text(long), text("short", "title", "string")]})
    urls = [blob["properties"].get("url") for blob in made["blobs"]]
    assert urls[1] is None
    assert (await world.blobs.get(world.principal, str(urls[0]).removeprefix("blob://"))).decode() == long


@pytest.mark.parametrize("url", ["https://a.example/pic.png?x=1", "s3://bucket/pic.png"])
async def test_a_url_is_kept_and_not_fetched(world: Resources, url: str) -> None:
    made = await world.me.post(OBJECTS, {"title": "A", "blobs": [text(url, "image", "image")]})
    blob = made["blobs"][0]
    assert (blob["properties"]["url"], blob["details"]["filename"]) == (url, "pic.png")
    assert blob["details"]["mime_type"] == "image/png"
    assert await world.files() == []


async def test_a_blob_cannot_name_another_tenants_file(world: Resources) -> None:
    stolen = text("blob://bkt/objects/obj/blob", "image", "image")
    assert await world.me.places(OBJECTS, {"title": "A", "blobs": [stolen]}) == [["body", "blobs", 0, "data"]]


async def test_a_checksum_is_held_against_the_bytes(world: Resources) -> None:
    wrong = text("words", checksum="sha256:" + "0" * 64)
    assert await world.me.places(OBJECTS, {"title": "A", "blobs": [wrong]}) == [["body", "blobs", 0, "checksum"]]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"title": None}, ["body", "blobs"]),
        ({"title": 3}, ["body", "title"]),
        ({"price": "3"}, ["body", "price"]),
        ({"price": True}, ["body", "price"]),
        ({"stock": 1.5}, ["body", "stock"]),
        ({"sold": 1}, ["body", "sold"]),
        ({"kind": "game"}, ["body", "kind"]),
        ({"day": "01.02.2026"}, ["body", "day"]),
        ({"seen": "yesterday"}, ["body", "seen"]),
        ({"tags": ["a", 2]}, ["body", "tags", 1]),
        ({"maker": {}}, ["body", "maker", "name"]),
        ({"vector": [1, "x"]}, ["body", "vector"]),
        ({"bytes": [200]}, ["body", "bytes"]),
        ({"sparse": {"indices": [1], "values": []}}, ["body", "sparse"]),
        ({"object_id": "x"}, ["body", "object_id"]),
        ({"metadata": {"status": "x"}}, ["body", "metadata", "status"]),
        ({"anything": 2**70}, ["body"]),
        ({"blobs": [text(None)]}, ["body", "blobs", 0, "data"]),
        ({"blobs": [text("x", upload_id="upl_x")]}, ["body", "blobs", 0, "data"]),
        ({"blobs": [text("x", "txet")]}, ["body", "blobs", 0, "property"]),
        ({"blobs": [text("x", "image", "text")]}, ["body", "blobs", 0, "type"]),
        ({"blobs": [text("x", "text", "poem")]}, ["body", "blobs", 0, "type"]),
        ({"blobs": [text(5, "text", "text")]}, ["body", "blobs", 0, "data"]),
        ({"blobs": [text("not base 64!", "image", "image")]}, ["body", "blobs", 0, "data"]),
    ],
)
async def test_a_bad_field_is_named(world: Resources, fields: dict[str, Any], place: list[str | int]) -> None:
    assert await world.me.places(OBJECTS, {"title": "A", **fields}) == [place]
    assert (await world.me.post(f"{OBJECTS}/list"))["pagination"]["total"] == 0


async def test_every_fault_is_told_at_once(world: Resources) -> None:
    places = await world.me.places(OBJECTS, {"price": "x", "stock": "y"})
    assert places == [["body", "blobs"], ["body", "price"], ["body", "stock"]]


async def test_a_batch_is_all_or_nothing(world: Resources) -> None:
    good = [{"title": str(number), "blobs": [text(PNG, "image", "image")]} for number in range(3)]
    made = await world.me.post(f"{OBJECTS}/batch", {"objects": good})
    assert [row["title"] for row in made] == ["0", "1", "2"]
    assert len(await world.files()) == 1, "the same picture three times"
    bad = [*good, {"title": 4}]
    assert await world.me.places(f"{OBJECTS}/batch", {"objects": bad}) == [["body", "objects", 3, "title"]]
    assert (await world.me.post(f"{OBJECTS}/list"))["pagination"]["total"] == 3
    assert len(await world.files()) == 1, "the same picture three times"
    assert await world.me.places(f"{OBJECTS}/batch", {"objects": good * 34}) == [["body", "objects"]]


async def test_a_batch_that_collides_leaves_no_file(world: Resources) -> None:
    await _keyed(world, "insert")
    objects = [{"sku": "1", "blobs": [text(PNG, "pic", "image")]}] * 2
    await world.me.post("/buckets/keyed/objects/batch", {"objects": objects}, 409)
    assert await world.files() == []
    assert (await world.me.get("/buckets/keyed"))["object_count"] == 0


async def _keyed(world: Resources, policy: str | None) -> None:
    schema = {"properties": {"sku": {"type": "string"}, "n": {"type": "integer"}, "pic": {"type": "image"}}}
    key: dict[str, Any] = {"fields": ["sku"], "default_policy": policy}
    await world.me.post("/buckets", {"bucket_name": "keyed", "bucket_schema": schema, "unique_key": key})


async def test_a_unique_key_follows_the_policy(world: Resources) -> None:
    await _keyed(world, None)
    path = "/buckets/keyed/objects"
    await world.me.post(path, {"sku": "1"}, 400)
    first = await world.me.post(path, {"sku": "1", "n": 1}, policy="insert")
    conflict = await world.me.post(path, {"sku": "1", "n": 2}, 409, policy="insert")
    assert conflict["error"]["details"]["object_id"] == first["object_id"]
    await world.me.post(path, {"sku": "2"}, 404, policy="update")
    updated = await world.me.post(path, {"sku": "1", "n": 3}, policy="update")
    assert (updated["object_id"], updated["n"]) == (first["object_id"], 3)
    assert updated["created_at"] == first["created_at"]
    second = await world.me.post(path, {"sku": "2", "n": 1}, policy="upsert")
    assert second["object_id"] != first["object_id"]
    assert (await world.me.post(path, {"sku": "2", "n": 5}, policy="upsert"))["object_id"] == second["object_id"]
    assert (await world.me.post(f"{path}/list"))["pagination"]["total"] == 2
    await world.me.post(path, {"sku": "2"}, 422, policy="replace")
    assert await world.me.places(f"{path}?policy=insert", {"n": 1}) == [["body", "sku"]]


async def test_an_upsert_deletes_the_file_that_it_replaces(world: Resources) -> None:
    await _keyed(world, "upsert")
    path = "/buckets/keyed/objects"
    made = await world.me.post(path, {"sku": "1", "blobs": [text(PNG, "pic", "image")]})
    before = await world.files()
    await world.me.post(path, {"sku": "1", "blobs": [text(base64.b64encode(b"new").decode(), "pic", "image")]})
    after = await world.files()
    assert len(before) == len(after) == 1
    assert before != after
    await world.me.delete(f"{path}/{made['object_id']}", 204)
    assert await world.files() == []


async def test_a_policy_needs_a_key(world: Resources) -> None:
    await world.me.post(OBJECTS, {"title": "A"}, 400, policy="upsert")


async def test_duplicates_are_skipped_where_asked(world: Resources) -> None:
    sent = {"title": "A", "blobs": [text(PNG, "image", "image")]}
    first = await world.me.post(OBJECTS, sent)
    again = await world.me.post(OBJECTS, {**sent, "skip_duplicates": True})
    assert again["object_id"] == first["object_id"]
    assert len(await world.files()) == 1
    assert (await world.me.post(OBJECTS, sent))["object_id"] != first["object_id"]
    assert (await world.me.post(OBJECTS, {**sent, "title": "B"}))["content_hash"] != first["content_hash"]


async def test_an_idempotency_key_gives_the_same_object(world: Resources) -> None:
    sent = {"title": "A", "idempotency_key": "once", "blobs": [text(PNG, "image", "image")]}
    first = await world.me.post(OBJECTS, sent)
    again = await world.me.post(OBJECTS, sent)
    assert again == first
    assert len(await world.files()) == 1


async def test_lists_filter_sort_search_and_page(world: Resources) -> None:
    for name, price in (("pear", 3), ("apple", 1), ("plum", 2)):
        await world.me.post(OBJECTS, {"title": name, "price": price, "blobs": [text(f"a {name}")]})

    async def titles(body: dict[str, Any], **query: Any) -> list[str]:
        return [row["title"] for row in (await world.me.post(f"{OBJECTS}/list", body, **query))["results"]]

    assert await titles({}) == ["plum", "apple", "pear"]
    assert await titles({"sort": {"field": "price", "direction": "desc"}}) == ["pear", "plum", "apple"]
    assert await titles({"sorts": [{"field": "metadata.title", "direction": "asc"}]}, limit=2) == ["apple", "pear"]
    below = {"AND": [{"field": "metadata.price", "operator": "lt", "value": 3}]}
    assert sorted(await titles({"filters": below})) == ["apple", "plum"]
    assert await titles({"search": "A PEAR"}) == ["pear"]
    page = await world.me.post(f"{OBJECTS}/list", {"page_size": 2})
    assert page["stats"]["total_objects"] == 2
    assert page["stats"]["objects_by_status"] == {"DRAFT": 2}
    assert page["pagination"]["total"] == 3
    assert await titles({"page_size": 2, "cursor": page["pagination"]["next_cursor"]}) == ["pear"]
    counted = await world.me.post(f"{OBJECTS}/list", {"count_only": True})
    assert (counted["pagination"]["total"], counted["results"]) == (3, [])


async def test_put_replaces_and_patch_lays_over(world: Resources) -> None:
    made = await world.me.post(OBJECTS, {"title": "A", "stock": 1, "blobs": [text(PNG, "image", "image")]})
    path = f"{OBJECTS}/{made['object_id']}"
    patched = await world.me.patch(path, {"stock": None, "colour": "red", "metadata": {"sold": True}})
    assert patched["metadata"] == {"title": "A", "price": 1.5, "colour": "red", "sold": True}
    put = await world.me.put(path, {"metadata": {"title": "B"}, "blobs": [text("words")]})
    assert put["metadata"] == {"title": "B", "price": 1.5}
    assert [blob["property"] for blob in put["blobs"]] == ["text"]
    assert await world.files() == []
    assert put["content_hash"] != made["content_hash"]
    assert await world.me.places(path, {"title": None}, "PATCH") == [["body", "blobs"]]
    assert await world.me.places(path, {"blobs": []}, "PATCH") == [["body", "blobs"]]
    assert (await world.me.get(path))["title"] == "B"


async def test_changes_at_the_same_time_all_stay(world: Resources) -> None:
    made = await world.me.post(OBJECTS, {"blobs": [text("one")], "metadata": {"title": "t"}})
    path = f"{OBJECTS}/{made['object_id']}"
    blob = {"property": "image", "type": "image", "data": PNG}
    changes = [world.me.patch(path, {"metadata": {f"field_{number}": number}}) for number in range(8)]
    await asyncio.gather(*changes, world.me.put(path, {"blobs": [blob]}))
    after = await world.me.get(path)
    assert [after[f"field_{number}"] for number in range(8)] == list(range(8))
    assert [each["property"] for each in after["blobs"]] == ["image"]
    assert len(await world.files()) == 1


async def test_objects_are_their_buckets_and_tenants(world: Resources) -> None:
    await world.me.post("/buckets", {"bucket_name": "else", "bucket_schema": {"properties": {}}})
    await world.other.post("/buckets", {"bucket_name": "things", "bucket_schema": SCHEMA})
    made = await world.me.post(OBJECTS, {"title": "A"})
    for caller, path in ((world.me, "/buckets/else/objects"), (world.other, OBJECTS)):
        await caller.get(f"{path}/{made['object_id']}", 404)
        await caller.patch(f"{path}/{made['object_id']}", {"title": "X"}, 404)
        await caller.delete(f"{path}/{made['object_id']}", 404)
    await world.reader.post(OBJECTS, {"title": "A"}, 403)
    await world.reader.delete(f"{OBJECTS}/{made['object_id']}", 403)


async def test_aggregates_by_group(world: Resources) -> None:
    for kind, price in (("book", 2), ("book", 4), ("film", 9)):
        await world.me.post(OBJECTS, {"title": "t", "kind": kind, "price": price})
    asked = {
        "group_by": [{"field": "metadata.kind", "alias": "kind"}],
        "aggregations": [{"function": "avg", "field": "price", "alias": "mean"}, {"function": "count", "alias": "n"}],
        "sort_by": "n",
    }
    found = await world.me.post(f"{OBJECTS}/aggregate", asked)
    assert found["results"] == [
        {"group": {"kind": "book"}, "metrics": {"mean": 3.0, "n": 2}},
        {"group": {"kind": "film"}, "metrics": {"mean": 9.0, "n": 1}},
    ]
    some = await world.me.post(f"{OBJECTS}/aggregate", {**asked, "filters": {"kind": "film"}})
    assert some["total_groups"] == 1
    assert await world.me.places(f"{OBJECTS}/aggregate", {**asked, "aggregations": []}) == [["body", "aggregations"]]
