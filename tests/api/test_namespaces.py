"""Namespaces over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tamis.model.batch import Batch, TaskStatus
from tamis.model.collection import ExtractorConfig, Source
from tamis.services.data.collections import CollectionDraft, CollectionService
from tamis.services.upkeep.clearing import Clearing
from tests.extraction_world import Shelf
from tests.resource_world import Resources, open_resources

EXTRACTORS = [
    {"feature_extractor_name": "letter_extractor", "version": "v1", "feature_extractor_id": "letter_extractor_v1"}
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


def body(name: str, **more: Any) -> dict[str, Any]:
    return {"namespace_name": name, "feature_extractors": EXTRACTORS, **more}


async def test_is_usable_as_soon_as_it_is_made(world: Resources) -> None:
    index = {"field_name": "metadata.brand", "type": "keyword"}
    made = await world.me.post("/namespaces", body("prod", description="live", payload_indexes=[index]))
    assert made["feature_extractors"] == EXTRACTORS
    assert made["payload_indexes"][0]["field_name"] == "metadata.brand"
    assert made["document_count"] == 0
    inside = {**world.me.headers, "X-Namespace": "prod"}
    answer = await world.http.post(
        "/v1/buckets", json={"bucket_name": "b", "bucket_schema": {"properties": {}}}, headers=inside
    )
    assert answer.status_code == 200
    assert await world.me.get("/namespaces/prod") == await world.me.get(f"/namespaces/{made['namespace_id']}")


async def test_extractors_go_by_alias_and_all_are_meant_where_none_is_named(world: Resources) -> None:
    alias = await world.me.post(
        "/namespaces", body("a", feature_extractors=[{"feature_extractor_name": "letter", "version": "v1"}])
    )
    assert alias["feature_extractors"] == EXTRACTORS
    every = await world.me.post("/namespaces", {"namespace_name": "b"})
    assert len(every["feature_extractors"]) == 2


async def test_an_unknown_extractor_is_told_the_nearest(world: Resources) -> None:
    wrong = [{"feature_extractor_name": "leter_extractor", "version": "v1"}]
    answer = await world.me.post("/namespaces", body("x", feature_extractors=wrong), 422)
    assert answer["detail"][0]["loc"] == ["body", "feature_extractors", 0, "feature_extractor_name"]
    assert "letter_extractor@v1" in answer["error"]["message"]


@pytest.mark.parametrize("name", ["", " x", "a/b", "list", "migrations", "ns_" + "0" * 28, "a\nb", "x" * 300, ".."])
async def test_a_bad_name_is_refused(world: Resources, name: str) -> None:
    assert await world.me.places("/namespaces", body(name)) == [["body", "namespace_name"]]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"feature_extractors": []}, ["body", "feature_extractors"]),
        ({"payload_indexes": [{"field_name": "", "type": "text"}]}, ["body", "payload_indexes", 0, "field_name"]),
        ({"payload_indexes": [{"field_name": "a", "type": "x"}]}, ["body", "payload_indexes", 0, "type"]),
        (
            {"payload_indexes": [{"field_name": "a", "type": "text"}, {"field_name": "a", "type": "text"}]},
            ["body", "payload_indexes", 1, "field_name"],
        ),
    ],
)
async def test_a_bad_field_is_named(world: Resources, more: dict[str, Any], place: list[str | int]) -> None:
    assert await world.me.places("/namespaces", body("x", **more)) == [place]


async def test_names_are_unique_within_an_organisation_only(world: Resources) -> None:
    await world.me.post("/namespaces", body("prod"))
    await world.me.post("/namespaces", body("prod"), 409)
    await world.other.post("/namespaces", body("prod"))


async def test_organisations_do_not_see_each_others(world: Resources) -> None:
    made = await world.me.post("/namespaces", body("prod"))
    path = f"/namespaces/{made['namespace_id']}"
    await world.other.get(path, 404)
    await world.other.patch(path, {"description": "x"}, 404)
    await world.other.delete(path, 404)
    assert [row["namespace_name"] for row in (await world.other.post("/namespaces/list"))["results"]] == ["default"]


async def test_lists_page_filter_search_and_sort(world: Resources) -> None:
    for name in ("beta", "alpha", "gamma"):
        await world.me.post("/namespaces", body(name, description=f"the {name} one"))
    listed = await world.me.post("/namespaces/list", {"sort": {"field": "namespace_name"}}, limit=2, offset=1)
    assert [row["namespace_name"] for row in listed["results"]] == ["beta", "default"]
    assert listed["total_count"] == listed["pagination"]["total"] == 4
    assert (listed["pagination"]["page_size"], listed["pagination"]["total_pages"]) == (2, 2)
    assert listed["pagination"]["next_page"].endswith("limit=2&offset=3")
    found = await world.me.post("/namespaces/list", {"search": "GAMMA"})
    assert [row["namespace_name"] for row in found["results"]] == ["gamma"]
    filtered = await world.me.post("/namespaces/list", {"filters": {"namespace_name": "alpha"}})
    assert [row["namespace_name"] for row in filtered["results"]] == ["alpha"]
    assert (await world.me.get("/namespaces"))["total_count"] == 4


async def test_a_cursor_goes_on_where_the_page_ended(world: Resources) -> None:
    for number in range(4):
        await world.me.post("/namespaces", body(f"n{number}"))
    seen: list[str] = []
    asked: dict[str, Any] = {"page_size": 2, "sort": {"field": "namespace_name"}}
    while True:
        page = await world.me.post("/namespaces/list", asked)
        seen += [row["namespace_name"] for row in page["results"]]
        if page["pagination"]["next_cursor"] is None:
            break
        asked = {**asked, "cursor": page["pagination"]["next_cursor"]}
    assert seen == ["default", "n0", "n1", "n2", "n3"]


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"cursor": "!"}, {"page": 0}])
async def test_a_bad_window_names_its_field(world: Resources, asked: dict[str, Any]) -> None:
    assert await world.me.places("/namespaces/list", asked) == [["body", next(iter(asked))]]


async def test_count_only_lists_nothing(world: Resources) -> None:
    counted = await world.me.post("/namespaces/list", {"count_only": True})
    assert (counted["total_count"], counted["results"]) == (1, [])


async def test_changes_what_is_sent(world: Resources) -> None:
    await world.me.post("/namespaces", body("old", description="words"))
    changed = await world.me.put("/namespaces/old", {"namespace_name": "new"})
    assert (changed["namespace_name"], changed["description"]) == ("new", "words")
    patched = await world.me.patch("/namespaces/new", {"description": None, "auto_create_indexes": True})
    assert (patched["description"], patched["auto_create_indexes"]) == (None, True)
    assert await world.me.places("/namespaces/new", {"namespace_name": "list"}, "PATCH") == [["body", "namespace_name"]]
    await world.me.patch("/namespaces/new", {"namespace_name": "default"}, 409)
    await world.me.get("/namespaces/old", 404)


async def test_permissions_hold(world: Resources) -> None:
    await world.reader.post("/namespaces", body("x"), 403)
    await world.reader.delete("/namespaces/default", 403)
    await world.reader.get("/namespaces/default")


async def test_a_namespace_stays_while_a_batch_in_it_runs(world: Resources) -> None:
    made = await world.me.post("/namespaces", body("busy"))
    inside = world.principal.within(made["namespace_id"])
    now = datetime.now(UTC)
    batch = Batch("btch_1", "bkt_1", (), now, now, status=TaskStatus.PROCESSING)
    await world.metadata.write(lambda session: session.batches.insert(inside, batch))
    refused = await world.me.delete("/namespaces/busy", 409)
    assert refused["error"]["details"]["batches"] == ["btch_1"]
    over = replace(batch, status=TaskStatus.CANCELED)
    await world.metadata.write(lambda session: session.batches.replace(inside, over))
    await world.me.delete("/namespaces/busy")


async def test_a_deleted_namespace_takes_everything_with_it(world: Resources) -> None:
    kept = await world.other.post("/buckets", {"bucket_name": "kept", "bucket_schema": {"properties": {}}})
    made = await world.me.post("/namespaces", body("doomed"))
    inside = world.as_key(world.me.headers["Authorization"].removeprefix("Bearer "), "doomed")
    schema = {"properties": {"text": {"type": "text"}, "file": {"type": "image"}}}
    bucket = await inside.post("/buckets", {"bucket_name": "b", "bucket_schema": schema})
    blob = {"property": "file", "type": "image", "data": "data:image/png;base64,aGVsbG8="}
    await inside.post("/buckets/b/objects", {"blobs": [blob]})
    principal = world.principal.within(made["namespace_id"])
    collections = CollectionService(
        world.metadata, world.indexer, Shelf(), Clearing(world.metadata, world.indexer, world.blobs)
    )
    draft = CollectionDraft("notes", Source("bucket", (bucket["bucket_id"],)), ExtractorConfig("letter", "v1"))
    collection_id = (await collections.create(principal, draft)).collection.collection_id
    assert len(await world.files()) == 1

    await world.me.delete("/namespaces/doomed")
    await world.me.get("/namespaces/doomed", 404)
    await inside.get("/buckets/b", 404)
    assert await world.files() == []
    left = await world.metadata.read(lambda session: session.collections.get(principal, collection_id))
    assert left is None
    assert (await world.index.info(principal, collection_id)).points == 0
    assert (await world.other.get("/buckets/kept"))["bucket_id"] == kept["bucket_id"]


async def test_a_policy_of_records_is_set_shown_and_taken_back(world: Resources) -> None:
    made = await world.me.post("/namespaces", body("kept", record_policy={"max_count": 5, "exclude": ["documents"]}))
    assert made["record_policy"] == {
        "exclude": ["documents"], "max_age_days": None, "max_age_s": None, "max_count": 5,
    }  # fmt: skip
    url = "/v1/namespaces/kept"
    for method, policy, expected in (
        ("PATCH", {"max_age_days": 2, "exclude": ["documents", "inputs"]}, (["inputs", "documents"], 2, 172_800, None)),
        ("PUT", {"max_age_s": 60, "max_count": 0}, ([], 60 / 86_400, 60, 0)),
        ("PATCH", None, ([], None, None, None)),
    ):
        answer = await world.http.request(method, url, json={"record_policy": policy}, headers=world.me.headers)
        shown = answer.json()["record_policy"]
        assert tuple(shown[name] for name in ("exclude", "max_age_days", "max_age_s", "max_count")) == expected
        assert (await world.me.get("/namespaces/kept"))["record_policy"] == shown


@pytest.mark.parametrize(
    "policy",
    [
        {"max_age_s": 0},
        {"max_age_s": 5e-324},
        {"max_age_days": 1e-9},
        {"max_count": -1},
        {"exclude": ["scores"]},
        {"max_age_s": 1, "max_age_days": 1},
        {"keep": 1},
    ],
)
async def test_a_policy_that_cannot_be_is_refused_by_field(world: Resources, policy: dict[str, Any]) -> None:
    await world.me.post("/namespaces", body("kept"))
    answer = await world.http.patch("/v1/namespaces/kept", json={"record_policy": policy}, headers=world.me.headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", "record_policy"]
