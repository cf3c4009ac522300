"""Buckets over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tamis.model.batch import Batch, TaskStatus
from tests.resource_world import Resources, open_resources

SCHEMA = {"properties": {"title": {"type": "string", "required": True}, "price": {"type": "number", "default": 1.5}}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


def body(name: str, **more: Any) -> dict[str, Any]:
    return {"bucket_name": name, "bucket_schema": SCHEMA, **more}


async def test_comes_back_as_it_was_made(world: Resources) -> None:
    key = {"fields": ["title"], "default_policy": "upsert"}
    made = await world.me.post("/buckets", body("books", description="d", metadata={"a": [1]}, unique_key=key))
    assert made["bucket_schema"]["properties"]["price"]["default"] == 1.5
    assert (made["unique_key"], made["metadata"], made["status"]) == (key, {"a": [1]}, "ACTIVE")
    assert (made["object_count"], made["total_size_bytes"], made["last_upload_at"]) == (0, 0, None)
    assert set(made["storage_stats"].values()) == {0}
    assert await world.reader.get("/buckets/books") == await world.me.get(f"/buckets/{made['bucket_id']}")


async def test_counts_what_is_in_it(world: Resources) -> None:
    await world.me.post("/buckets", body("books"))
    blob = {"property": "title", "type": "text", "data": "four"}
    made = await world.me.post("/buckets/books/objects", {"blobs": [blob]})
    found = await world.me.get("/buckets/books")
    assert (found["object_count"], found["total_size_bytes"]) == (1, 4)
    assert found["last_upload_at"] == made["created_at"]
    await world.me.post("/buckets/books/objects", {"blobs": [{**blob, "data": "seven.."}]})
    sizes = {"avg_size_bytes": 5, "max_size_bytes": 7, "min_size_bytes": 4, "total_size_bytes": 11}
    assert (await world.me.get("/buckets/books"))["storage_stats"] == sizes
    assert found["batch_stats"] == {"active": 0, "completed": 0, "failed": 0, "total": 0}
    listed = await world.me.post("/buckets/list")
    assert listed["stats"]["total_objects"] == 2


@pytest.mark.parametrize("name", ["", "list", "a/b", "bkt_" + "0" * 28, " x"])
async def test_a_bad_name_is_refused(world: Resources, name: str) -> None:
    assert await world.me.places("/buckets", body(name)) == [["body", "bucket_name"]]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"bucket_schema": {}}, ["body", "bucket_schema", "properties"]),
        ({"bucket_schema": {"properties": {"a": {"type": "x"}}}}, ["body", "bucket_schema", "properties", "a", "type"]),
        (
            {"bucket_schema": {"properties": {"a": {"type": "number", "default": "x"}}}},
            ["body", "bucket_schema", "properties", "a", "default"],
        ),
        ({"bucket_schema": {"properties": {"": {"type": "text"}}}}, ["body", "bucket_schema", "properties", ""]),
        ({"unique_key": {"fields": []}}, ["body", "unique_key", "fields"]),
        ({"unique_key": {"fields": ["titel"]}}, ["body", "unique_key", "fields", 0]),
        ({"unique_key": {"fields": ["title"], "default_policy": "x"}}, ["body", "unique_key", "default_policy"]),
        ({"metadata": {"n": 2**70}}, ["body", "metadata"]),
    ],
)
async def test_a_bad_field_is_named(world: Resources, more: dict[str, Any], place: list[str | int]) -> None:
    assert await world.me.places("/buckets", body("x", **more)) == [place]


async def test_a_key_is_made_of_scalars(world: Resources) -> None:
    wrong = {"bucket_schema": {"properties": {"file": {"type": "image"}}}, "unique_key": {"fields": ["file"]}}
    assert await world.me.places("/buckets", body("x", **wrong)) == [["body", "unique_key", "fields", 0]]


async def test_names_are_unique_within_a_namespace(world: Resources) -> None:
    await world.me.post("/buckets", body("books"))
    await world.me.post("/buckets", body("books"), 409)
    await world.other.post("/buckets", body("books"))


async def test_tenants_do_not_see_each_others(world: Resources) -> None:
    made = await world.me.post("/buckets", body("mine"))
    for identifier in ("mine", made["bucket_id"]):
        await world.other.get(f"/buckets/{identifier}", 404)
        await world.other.delete(f"/buckets/{identifier}", 404)
        await world.other.post(f"/buckets/{identifier}/objects", {}, 404)
        await world.other.post(f"/buckets/{identifier}/uploads/list", {}, 404)
    assert (await world.other.post("/buckets/list"))["total_count"] == 0


async def test_lists_filter_by_metadata_and_counts(world: Resources) -> None:
    await world.me.post("/buckets", body("a", metadata={"team": "red"}))
    await world.me.post("/buckets", body("b", metadata={"team": "blue"}))
    red = await world.me.post("/buckets/list", {"filters": {"metadata.team": "RED"}})
    assert [row["bucket_name"] for row in red["results"]] == ["a"]
    assert (await world.me.post("/buckets/list", {"filters": {"team": "RED"}, "case_sensitive": True}))["results"] == []
    empty = {"field": "object_count", "operator": "gt", "value": 0}
    assert (await world.me.post("/buckets/list", {"filters": empty}))["total_count"] == 0


async def test_the_body_wins_over_the_query(world: Resources) -> None:
    for name in "abc":
        await world.me.post("/buckets", body(name))
    page = await world.me.post("/buckets/list", {"limit": 2}, limit=1)
    assert page["pagination"]["page_size"] == 2
    assert len((await world.me.post("/buckets/list", {}, limit=1))["results"]) == 1


async def test_a_filter_that_is_none_is_refused(world: Resources) -> None:
    wrong = {"filters": {"field": "bucket_name", "operator": "like", "value": "x"}}
    assert await world.me.places("/buckets/list", wrong) == [["body", "filters", "operator"]]


async def test_changes_what_is_sent(world: Resources) -> None:
    await world.me.post("/buckets", body("old", description="d", metadata={"a": 1}))
    changed = await world.me.put("/buckets/old", {"bucket_name": "new"})
    assert (changed["bucket_name"], changed["description"], changed["metadata"]) == ("new", "d", {"a": 1})
    patched = await world.me.patch("/buckets/new", {"metadata": {"b": 2}, "description": None})
    assert (patched["metadata"], patched["description"]) == ({"b": 2}, None)
    for wrong in (None, "list"):
        assert await world.me.places("/buckets/new", {"bucket_name": wrong}, "PATCH") == [["body", "bucket_name"]]
    await world.reader.patch("/buckets/new", {}, 403)


async def test_a_deleted_bucket_takes_its_files_along(world: Resources) -> None:
    await world.me.post("/buckets", {"bucket_name": "pics", "bucket_schema": {"properties": {}}})
    blob = {"property": "pic", "type": "image", "data": "data:image/png;base64,aGVsbG8="}
    await world.me.post("/buckets/pics/objects", {"blobs": [blob]})
    await world.me.post("/buckets/pics/uploads", {"filename": "a.png", "content_type": "image/png"})
    assert len(await world.files()) == 1
    await world.reader.delete("/buckets/pics", 403)
    await world.me.delete("/buckets/pics")
    await world.me.get("/buckets/pics", 404)
    assert await world.files() == []


async def test_a_bucket_stays_while_a_batch_of_it_runs(world: Resources) -> None:
    made = await world.me.post("/buckets", body("busy"))
    now = datetime.now(UTC)
    batch = Batch("btch_1", made["bucket_id"], (), now, now, status=TaskStatus.PROCESSING)
    await world.metadata.write(lambda session: session.batches.insert(world.principal, batch))
    assert (await world.me.get("/buckets/busy"))["batch_stats"]["active"] == 1
    refused = await world.me.delete("/buckets/busy", 409)
    assert refused["error"]["details"]["batches"] == ["btch_1"]
    over = replace(batch, status=TaskStatus.CANCELED)
    await world.metadata.write(lambda session: session.batches.replace(world.principal, over))
    await world.me.delete("/buckets/busy")
    assert await world.metadata.read(lambda session: session.batches.get(world.principal, "btch_1")) is None


async def test_a_namespace_has_to_be_named_where_there_are_several(world: Resources) -> None:
    await world.me.post("/namespaces", {"namespace_name": "second"})
    key = world.me.headers["Authorization"].removeprefix("Bearer ")
    answer = await world.as_key(key).post("/buckets/list", status=400)
    assert "X-Namespace" in answer["error"]["message"]
    await world.as_key(key, "nowhere").post("/buckets/list", status=404)
    await world.as_key("sk_" + "0" * 40).post("/buckets/list", status=401)
