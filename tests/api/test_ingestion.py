"""Collections, documents, batches, tasks and lineage over HTTP, on real storage."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tamis.api import batches, collections, documents, lineage, tasks
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.engine.ports.metadata import Session
from tamis.model.bucket import Bucket
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key
from tests.extraction_world import BAD, World, letters, open_world

EXTRACTOR = {"feature_extractor_name": "letter_extractor", "version": "v1"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def bucket(world: World) -> Bucket:
    return await world.bucket()


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    for place, principal in enumerate((world.principal, world.stranger)):
        owner = replace(principal, namespace_id="")
        await world.metadata.write(partial(_insert_key, owner, f"sk_{place}"))
    app = FastAPI()
    add_error_handlers(app)
    for module in (batches, documents, lineage, collections, tasks):
        app.include_router(module.router)
    made = (
        world.collections,
        world.documents,
        world.lineage,
        world.batches,
        world.triggers,
        world.tasks,
        Gate(world.metadata),
    )
    app.state.services = {type(each): each for each in made}
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": "Bearer sk_0"}
    async with httpx.AsyncClient(transport=transport, base_url="http://tamis/v1", headers=headers) as client:
        yield client


def _insert_key(owner: Principal, secret: str, session: Session) -> None:
    key_id, permissions = f"key_{secret[3:] * 20}", (Permission.ADMIN,)
    user_id = f"usr_{owner.organization_id[-1] * 20}"  # whom the world has made
    key = ApiKey(key_id, owner.organization_id, user_id, secret, hash_key(secret), "sk", permissions, NOW)
    session.keys.insert(owner, key)


async def call(
    http: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200, **more: Any
) -> Any:
    answer = await http.request(method, path, json=body, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def definition(**changes: Any) -> dict[str, Any]:
    return {
        "collection_name": "docs",
        "source": {"type": "bucket", "bucket_id": "things"},
        "feature_extractor": EXTRACTOR,
        **changes,
    }


async def test_from_objects_to_documents(http: httpx.AsyncClient, world: World, bucket: Bucket) -> None:
    ids = await world.objects(bucket, [{"text": "abc", "price": 3}, {"text": BAD, "price": 4}])
    passed = {**EXTRACTOR, "field_passthrough": [{"source_path": "price", "target_path": "cost"}]}
    made = await call(http, "POST", "/collections", definition(feature_extractor=passed))
    assert made["feature_extractor"]["feature_extractor_id"] == "letter_extractor_v1"
    assert made["source"]["bucket_ids"] == [bucket.bucket_id]
    assert made["output_schema"]["properties"]["cost"]["type"] == "integer"
    assert made["vector_indexes"][0]["name"] == "letter_extractor_v1_letters"
    assert {"field_name": "cost", "type": "integer", "is_protected": False} in made["payload_indexes"]
    batch = await call(http, "POST", "/buckets/things/batches", {"object_ids": ids})
    assert batch["status"] == "DRAFT"
    path = f"/buckets/{bucket.bucket_id}/batches/{batch['batch_id']}"
    task = await call(http, "POST", f"{path}/submit", {"include_processing_history": True})
    assert task["task_type"] == "api_buckets_batches_process"
    await world.worker.drain()
    batch = await call(http, "GET", path)
    assert (batch["status"], batch["error_summary"]) == ("COMPLETED_WITH_ERRORS", {"validation": 1})
    assert batch["tier_tasks"][0]["errors"][0]["message"] == "this text is refused"
    assert batch["dag_tiers"] == [[made["collection_id"]]]
    failed = await call(http, "GET", f"{path}/failed-documents")
    assert [each["document_id"] for each in failed["failed_documents"]] == [ids[1]]
    for window in ("tier_num=-1", f"tier_num={10**20}", f"offset={10**20}"):
        await call(http, "GET", f"{path}/failed-documents?{window}", status=422)
    found = await call(http, "GET", f"/tasks/{task['task_id']}")
    assert found["status"] == "COMPLETED_WITH_ERRORS"
    listed = await call(http, "POST", "/collections/docs/documents/list", {"filters": {"cost": 3}})
    (document,) = listed["results"]
    assert document["text"] == document["metadata"]["text"] == "abc"
    assert document["cost"] == 3
    assert document["root_object_id"] == ids[0]
    assert listed["stats"]["avg_blobs_per_document"] == len(document["source_blobs"])
    assert document["vector"] is None
    await call(http, "POST", "/buckets/things/batches/list", {"offset": 2**63}, status=422)
    listed = await call(http, "POST", "/buckets/things/batches/list")
    assert listed["total_count"] == len(listed["batches"]) == 1
    retried = await call(http, "POST", f"{path}/retry", {"retry_mode": "all"})
    assert retried["retried_count"] == 1
    await world.worker.drain()
    await call(http, "POST", f"{path}/cancel", status=409)
    await call(http, "DELETE", path)
    await call(http, "GET", path, status=404)


async def test_a_collections_quantization_is_chosen_once(http: httpx.AsyncClient, bucket: Bucket) -> None:
    made = await call(http, "POST", "/collections", definition(quantization="binary"))
    assert made["quantization"] == "binary"
    assert (await call(http, "GET", "/collections/docs"))["quantization"] == "binary"
    plain = await call(http, "POST", "/collections", definition(collection_name="plain"))
    assert plain["quantization"] == "int8"
    refused = await call(http, "POST", "/collections", definition(collection_name="odd", quantization="int4"), 422)
    assert refused["detail"][0]["loc"] == ["body", "quantization"]
    assert "'none', 'int8' or 'binary'" in refused["detail"][0]["msg"]
    refused = await call(http, "PATCH", "/collections/docs", {"quantization": "none"}, 422)
    assert refused["detail"][0]["loc"] == ["body", "quantization"]


async def test_lineage_is_told_over_http(http: httpx.AsyncClient, world: World, bucket: Bucket) -> None:
    (object_id,) = await world.objects(bucket, [{"text": "abc"}])
    await call(http, "POST", "/collections", definition())
    above = {"type": "collection", "collection_id": "docs"}
    await call(http, "POST", "/collections", definition(collection_name="below", source=above))
    triggered = await call(http, "POST", "/collections/docs/trigger")
    assert (triggered["object_count"], triggered["total_tiers"]) == (1, 2)
    await world.worker.drain()
    derived = await call(http, "GET", f"/objects/{object_id}/documents", params={"collection_ids": "below"})
    assert derived["total"] == 1
    leaf = derived["documents"][0]["document_id"]
    told = await call(http, "GET", f"/collections/below/documents/{leaf}/lineage")
    assert told["root_object"]["object_id"] == object_id
    assert [step["feature_extractor_id"] for step in told["lineage_chain"]] == ["letter_extractor_v1"] * 2
    tree = await call(http, "GET", f"/objects/{object_id}/decomposition-tree", params={"include_document_ids": "true"})
    assert tree["tree"][0]["children"][0]["document_ids"] == [leaf]
    details = await call(http, "GET", "/collections/below")
    assert details["source"]["inherited_bucket_ids"] == [bucket.bucket_id]
    assert details["source_lineage"][0]["feature_extractor"]["feature_extractor_name"] == "letter_extractor"
    assert details["document_count"] == 1


async def test_extractors_and_features_are_described(http: httpx.AsyncClient, bucket: Bucket) -> None:
    every = await call(http, "GET", "/collections/features/extractors")
    assert [each["feature_extractor_id"] for each in every] == ["letter_extractor_v1", "copy_extractor_v1"]
    for spelling in ("letter_extractor@v1", "letter_extractor_v1", "letter"):
        one = await call(http, "GET", f"/collections/features/extractors/{spelling}")
        assert one["parameter_schema"]["properties"]["separator"]["default"] is None
        assert one["default_parameters"] == {"separator": None}
    await call(http, "GET", "/collections/features/extractors/none", status=404)
    await call(http, "POST", "/collections", definition(source={"type": "bucket", "bucket_ids": [bucket.bucket_id]}))
    (feature,) = (await call(http, "GET", "/collections/docs/features"))["features"]
    assert feature["feature_address"] == "mixpeek://letter_extractor@v1/letters"
    assert feature["primary"] is True
    assert feature["vector_index"]["dimensions"] == 26


async def test_a_document_tells_the_batches_that_made_it(http: httpx.AsyncClient, world: World, bucket: Bucket) -> None:
    ids = await world.objects(bucket, [{"text": "abc"}])
    docs = await call(http, "POST", "/collections", definition())
    above = {"type": "collection", "collection_id": "docs"}
    await call(http, "POST", "/collections", definition(collection_name="below", source=above))
    batches: list[str] = []
    for body in (None, {"include_processing_history": False}, {"include_processing_history": True}):
        batch = await call(http, "POST", "/buckets/things/batches", {"object_ids": ids})
        await call(http, "POST", f"/buckets/things/batches/{batch['batch_id']}/submit", body)
        await world.worker.drain()
        batches.append(batch["batch_id"])
    (document,) = (await call(http, "POST", "/collections/docs/documents/list"))["results"]
    history = document["internal_metadata"]["processing_history"]
    assert [step["batch_id"] for step in history] == [batches[0], batches[2]]
    made = {"tier": 0, "collection_id": docs["collection_id"], "source_id": ids[0]}
    expected = {**made, "batch_id": batches[0], "feature_extractor_id": "letter_extractor_v1"}
    assert {name: value for name, value in history[0].items() if name != "processed_at"} == expected
    assert history[0]["processed_at"] < history[1]["processed_at"] <= document["updated_at"]
    path = f"/collections/docs/documents/{document['document_id']}"
    assert await call(http, "GET", path) == document
    assert "internal_metadata" not in document["metadata"]
    searched = await call(http, "POST", "/collections/docs/documents/list", {"search": batches[0]})
    assert searched["results"] == []
    written = await call(http, "PUT", path, document)
    assert written["internal_metadata"] == document["internal_metadata"]
    assert "internal_metadata" not in written["metadata"]
    (leaf,) = (await call(http, "POST", "/collections/below/documents/list"))["results"]
    steps = [(step["tier"], step["source_id"]) for step in leaf["internal_metadata"]["processing_history"]]
    assert steps == [(1, document["document_id"])] * 2
    own = await call(http, "POST", "/collections/docs/documents", {"internal_metadata": {"a": 1}})
    assert "internal_metadata" not in own


@pytest.mark.usefixtures("bucket")
async def test_documents_are_written_read_and_counted(http: httpx.AsyncClient) -> None:
    await call(http, "POST", "/collections", definition())
    path = "/collections/docs/documents"
    features = [{"feature_extractor_id": "letter_extractor_v1", "vectors": {"letters": letters("abc").tolist()}}]
    body = {"collection_id": "docs", "metadata": {"kind": "a", "size": 1}, "features": features}
    first = (await call(http, "POST", path, body))["document_id"]
    for size in (2, 3):
        await call(http, "POST", path, {"collection_id": "docs", "kind": "b", "size": size})
    shown = await call(http, "GET", f"{path}/{first}", params={"return_vectors": "true"})
    assert len(shown["vector"]) == len(shown["vectors"]["letters"]) == 26
    assert (await call(http, "PATCH", f"{path}/{first}", {"colour": "red"}))["metadata"]["kind"] == "a"
    assert "kind" not in (await call(http, "PUT", f"{path}/{first}", {"size": 7}))["metadata"]
    assert (await call(http, "PATCH", f"{path}/bulk", {"filters": {"kind": "b"}, "update_data": {"x": 1}}))[
        "updated_count"
    ] == 2
    updates = [{"document_id": first, "update_data": {"y": 2}}, {"document_id": "doc_none", "update_data": {}}]
    answer = await call(http, "POST", f"{path}/batch", {"updates": updates})
    assert (answer["updated_count"], answer["failed_count"]) == (1, 1)
    listing = {"sort": {"field": "size", "direction": "desc"}, "page_size": 2}
    page = await call(http, "POST", f"{path}/list", listing)
    assert [each["size"] for each in page["results"]] == [7, 3]
    stats = {"avg_blobs_per_document": 0.0, "documents_with_vectors": 1, "total_documents": 2}
    assert page["stats"] == {**stats, "avg_documents_per_group": None, "total_groups": None}
    rest = await call(http, "POST", f"{path}/list", {**listing, "cursor": page["pagination"]["next_cursor"]})
    assert [each["size"] for each in rest["results"]] == [2]
    groups = await call(http, "POST", f"{path}/list", {"group_by": "kind"})
    assert [(each["group_key"], each["count"]) for each in groups["groups"]] == [("b", 2), (None, 1)]
    grouped = {**stats, "total_documents": 3, "avg_documents_per_group": 1.5, "total_groups": 2}
    assert groups["stats"] == grouped
    wanted = {"group_by": [{"field": "kind"}], "aggregations": [{"alias": "n", "function": "count"}], "sort_by": "n"}
    figures = await call(http, "POST", f"{path}/aggregate", wanted)
    assert figures["results"][0] == {"group": {"kind": "b"}, "metrics": {"n": 2}}
    gone = await call(http, "DELETE", f"{path}/batch", {"document_ids": [first, "doc_none"]})
    assert (gone["deleted_count"], gone["failed_count"]) == (1, 1)
    await call(http, "DELETE", f"{path}/{first}", status=404)
    await call(http, "DELETE", f"{path}/batch", {}, status=422)
    assert (await call(http, "POST", f"{path}/list", {"count_only": True}))["pagination"]["total"] == 2


@pytest.mark.usefixtures("bucket")
async def test_bad_definitions_name_the_place(http: httpx.AsyncClient) -> None:
    cases: list[tuple[dict[str, Any], list[Any]]] = [
        (definition(source={"type": "bucket", "bucket_ids": ["none"]}), ["body", "source", "bucket_ids", 0]),
        (definition(source={"type": "taxonomy"}), ["body", "source", "type"]),
        (definition(collection_name="features"), ["body", "collection_name"]),
        (
            definition(feature_extractor={**EXTRACTOR, "input_mappings": {"text": 5}}),
            ["body", "feature_extractor", "input_mappings", "text"],
        ),
        (
            definition(feature_extractor={**EXTRACTOR, "field_passthrough": ["title", ""]}),
            ["body", "feature_extractor", "field_passthrough", 1],
        ),
        (definition(metadata={"a": 2**80}), ["body", "metadata"]),
        (
            definition(source={"type": "bucket", "bucket_id": "things", "source_filters": {"filters": {"AND": [3]}}}),
            ["body", "source", "source_filters", "filters", "AND", 0],
        ),
    ]
    for body, loc in cases:
        answer = await call(http, "POST", "/collections", body, status=422)
        assert answer["detail"][0]["loc"] == loc, body
    await call(http, "POST", "/collections", definition())
    await call(http, "POST", "/collections", definition(), status=409)
    answer = await call(http, "PATCH", "/collections/docs", {"source": {"type": "bucket"}}, status=422)
    assert answer["detail"][0]["loc"] == ["body", "source"]
    renamed = await call(http, "PATCH", "/collections/docs", {"collection_name": "papers", "enabled": False})
    assert renamed["enabled"] is False
    page = await call(http, "POST", "/collections/list", {"search": "pap"})
    assert [each["collection_name"] for each in page["results"]] == ["papers"]
    await call(http, "DELETE", "/collections/papers")
    await call(http, "GET", "/collections/papers", status=404)


@pytest.mark.usefixtures("bucket")
async def test_another_organisation_sees_nothing(http: httpx.AsyncClient) -> None:
    made = await call(http, "POST", "/collections", definition())
    other = {"Authorization": "Bearer sk_1"}
    for method, path in (
        ("GET", f"/collections/{made['collection_id']}"),
        ("GET", "/collections/docs/features"),
        ("POST", "/collections/docs/documents/list"),
        ("DELETE", f"/collections/{made['collection_id']}"),
        ("POST", "/buckets/things/batches/list"),
    ):
        await call(http, method, path, status=404, headers=other)
    assert (await call(http, "POST", "/tasks/list", headers=other))["results"] == []
    await call(http, "GET", "/collections/docs", status=401, headers={"Authorization": "Bearer wrong"})


async def test_literal_mappings_come_back_as_they_were_sent(
    http: httpx.AsyncClient, world: World, bucket: Bucket
) -> None:
    mappings = [{"input_key": "text", "override": "always this", "source_type": "literal"}]
    made = await call(
        http, "POST", "/collections", definition(feature_extractor={**EXTRACTOR, "input_mappings": mappings})
    )
    assert made["feature_extractor"]["input_mappings"][0]["override"] == "always this"
    await world.process(bucket, await world.objects(bucket, [{"title": "x"}]))
    listed = await call(http, "POST", "/collections/docs/documents/list")
    assert listed["results"][0]["text"] == "always this"
