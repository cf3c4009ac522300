"""Analytics of what came in and where the time went, over the whole application: told as the store itself has it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.access_world import Access, Caller, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = ("tea", "coffee", "milk", "tea")
DEAR = {
    "stage_name": "dear", "stage_id": "attribute_filter",
    "config": {
        "stage_id": "attribute_filter", "parameters": {"field": "metadata.price", "operator": "gte", "value": 2},
    },
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Access]:
    async with opened(tmp_path_factory.mktemp("figures") / "data") as access:
        await _furnish(access)
        yield access


async def _furnish(world: Access) -> None:
    """Four objects, two of one content, one collection, one retriever that filters and one execution of it."""
    me = world.me
    namespace = await me.ask("POST", "namespaces", {"namespace_name": "shop"})
    me.namespace = namespace["namespace_id"]
    schema = {"properties": {"text": {"type": "text"}, "price": {"type": "integer"}}}
    await me.ask("POST", "buckets", {"bucket_name": "goods", "bucket_schema": schema})
    extractor = {
        "feature_extractor_name": "passthrough_extractor", "version": "v1",
        "field_passthrough": [{"source_path": "price"}],
    }  # fmt: skip
    await me.ask(
        "POST", "collections",
        {"collection_name": "shelf", "source": {"type": "bucket", "bucket_ids": ["goods"]},
         "feature_extractor": extractor},
    )  # fmt: skip
    made = [
        (await me.ask("POST", "buckets/goods/objects", {"blobs": [_blob(word)], "price": price}))["object_id"]
        for price, word in enumerate(WORDS)
    ]
    batch = await me.ask("POST", "buckets/goods/batches", {"object_ids": made})
    await me.ask("POST", f"buckets/goods/batches/{batch['batch_id']}/submit", {})
    await world.system.worker.drain()
    await me.ask(
        "POST", "retrievers", {"retriever_name": "find", "collection_identifiers": ["shelf"], "stages": [DEAR]}
    )
    for _ in range(3):
        await me.ask("POST", "retrievers/find/execute", {})


def _blob(word: str) -> dict[str, str]:
    return {"property": "text", "type": "text", "data": word}


async def _figures(me: Caller, path: str, **query: Any) -> Any:
    return await me.ask("GET", f"analytics/{path}", **query)


async def test_what_an_extractor_did_is_counted_source_by_source(world: Access) -> None:
    told = await _figures(world.me, "collections/shelf/extractors")
    (one,) = told["extractors"]
    assert (one["extractor_name"], one["execution_count"], one["failure_count"]) == ("passthrough_extractor", 4, 0)
    assert (one["success_rate"], told["summary"]["documents"]) == (1, 4)
    (over_all,) = await _figures(world.me, "extractors/performance", extractor_name="passthrough_extractor")
    assert (over_all["execution_count"], over_all["documents"]) == (4, 4)
    assert await _figures(world.me, "extractors/performance", extractor_name="text_extractor") == []
    # Its retriever asks no model.
    assert await _figures(world.me, "inference/performance") == []


async def test_a_collection_grows_by_the_documents_that_are_there(world: Access) -> None:
    overview = await _figures(world.me, "collections/shelf/overview")
    assert (overview["total_documents"], overview["documents_last_24h"], overview["success_rate"]) == (4, 4, 1)
    for group_by in ("hour", "day", "week"):
        growth = await _figures(world.me, "collections/shelf/growth", group_by=group_by)
        assert sum(one["documents_added"] for one in growth["metrics"]) == 4
        assert growth["summary"]["documents_added"] == 4
    before = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    assert (await _figures(world.me, "collections/shelf/growth", end_date=before))["metrics"] == []
    latency = await _figures(world.me, "collections/shelf/latency")
    asked = sum(one["document_count"] for one in latency["metrics"])
    reused = (await _figures(world.me, "collections/shelf/extractors"))["summary"]["reused_count"]
    assert asked + reused == 4
    assert await world.me.places("GET", "analytics/collections/shelf/growth", group_by="year") == [
        ["query", "group_by"]
    ]


async def test_a_bucket_tells_what_lies_in_it(world: Access) -> None:
    sizes = sum(map(len, WORDS))
    storage = await _figures(world.me, "buckets/goods/storage")
    assert (storage["metrics"][-1]["object_count"], storage["summary"]["added_bytes"]) == (
        4, storage["metrics"][-1]["total_size_bytes"],
    )  # fmt: skip
    assert storage["summary"]["total_size_bytes"] >= sizes
    usage = await _figures(world.me, "buckets/goods/usage", group_by="hour")
    assert (usage["total_credits"], usage["metrics"][-1]["upload_operations"]) == (0, 0)
    health = await _figures(world.me, "buckets/goods/health")
    assert (health["overall_health"], health["total_errors"], health["error_breakdown"]) == ("healthy", 0, [])
    assert (health["sync_health"], health["stuck_syncs"], usage["metrics"][-1]["sync_operations"]) == ([], [], 0)


async def test_an_upload_is_timed_from_its_announcement_to_its_confirmation(world: Access) -> None:
    upload = {"filename": "a.txt", "content_type": "text/plain", "file_size_bytes": 3}
    made = await world.me.ask("POST", "buckets/goods/uploads", upload)
    told = await _figures(world.me, "buckets/goods/upload-performance")
    assert (told["summary"]["upload_count"], told["summary"]["avg_latency_ms"]) == (1, 0)
    await world.me.http.put(made["presigned_url"], content=b"abc")
    await world.me.ask(
        "POST", f"buckets/goods/uploads/{made['upload_id']}/confirm", {"create_object_on_confirm": False}
    )
    kept = await world.me.ask("GET", f"buckets/goods/uploads/{made['upload_id']}")
    took = datetime.fromisoformat(kept["completed_at"]) - datetime.fromisoformat(kept["created_at"])
    told = await _figures(world.me, "buckets/goods/upload-performance")
    assert told["summary"]["avg_latency_ms"] == pytest.approx(took / timedelta(milliseconds=1), abs=2)
    assert told["summary"]["error_rate"] == 0


async def test_a_failed_source_is_told_with_its_reason(world: Access) -> None:
    schema = {"properties": {"text": {"type": "text"}, "year": {"type": "integer"}}}
    await world.me.ask("POST", "buckets", {"bucket_name": "films", "bucket_schema": schema})
    body = {
        "collection_name": "shots", "source": {"type": "bucket", "bucket_ids": ["films"]},
        "feature_extractor": {
            "feature_extractor_name": "passthrough_extractor", "version": "v1",
            "field_passthrough": [{"source_path": "year", "required": True}],
        },
    }  # fmt: skip
    await world.me.ask("POST", "collections", body)
    made = await world.me.ask("POST", "buckets/films/objects", {"blobs": [_blob("of no year")]})
    batch = await world.me.ask("POST", "buckets/films/batches", {"object_ids": [made["object_id"]]})
    await world.me.ask("POST", f"buckets/films/batches/{batch['batch_id']}/submit", {})
    await world.system.worker.drain()
    failures = await _figures(world.me, "collections/shots/failures")
    (one,) = failures["error_distribution"]
    assert (failures["total_errors"], one["count"], one["percentage"]) == (1, 1, 100)
    assert one["recent_message"]
    health = await _figures(world.me, "buckets/films/health")
    assert (health["overall_health"], health["total_errors"]) == ("unhealthy", 1)
    told = await _figures(world.me, f"performance/batches/{batch['batch_id']}/diagnostics")
    assert (told["has_failures"], told["overall_progress"], told["failed_tier_count"]) == (True, 100, 1)
    assert told["next_actions"]
    assert (await _figures(world.me, "collections/shots/overview"))["success_rate"] == 0


async def test_where_the_time_went_adds_up(world: Access) -> None:
    stages = await _figures(world.me, "performance/engine/stages", hours=2)
    assert sum(one["pct_of_total"] for one in stages["stages"]) == pytest.approx(100)
    dear = next(one for one in stages["stages"] if one["stage_name"] == "dear")
    assert (dear["component"], dear["execution_count"]) == ("find", 3)
    first = (await _figures(world.me, "performance/engine/bottlenecks", limit=1))["bottlenecks"]
    assert [one["stage_name"] for one in first] == [stages["stages"][0]["stage_name"]]
    extractors = (await _figures(world.me, "performance/engine/extractors"))["extractors"]
    assert "shelf" in {one["stage_name"] for one in extractors}
    for group_by in ("hour", "day", "month"):
        told = await _figures(world.me, "performance/engine", group_by=group_by)
        executions = 3 + sum(one["execution_count"] for one in extractors)
        assert told["summary"]["total_executions"] == executions
        assert sum(one["execution_count"] for one in told["metrics"]) == executions
    assert await world.me.places("GET", "analytics/performance/engine", group_by="minute") == [["query", "group_by"]]
    both = {"hours": 1, "start_date": "2026-01-01T00:00:00Z"}
    assert await world.me.places("GET", "analytics/performance/engine", **both) == [["query", "hours"]]
    slow = await _figures(world.me, "performance/engine/slow-operations", threshold_ms=0, limit=2)
    assert [one["component"] for one in slow["operations"]] == ["find", "find"]
    assert slow["operations"][0]["latency_ms"] >= slow["operations"][1]["latency_ms"]
    assert (await _figures(world.me, "performance/engine/slow-operations", threshold_ms=1e9))["operations"] == []


async def test_fields_are_told_by_the_stages_that_filter_by_them(world: Access) -> None:
    told = await _figures(world.me, "namespaces/fields/most-queried")
    assert [(one["field_name"], one["query_count"]) for one in told["fields"]] == [("price", 3)]
    (dear,) = (await _figures(world.me, "retrievers/find/stages"))["stages"]
    assert told["fields"][0]["avg_latency_ms"] == pytest.approx(dear["avg_latency_ms"])
    (price,) = (await _figures(world.me, "namespaces/fields/performance"))["fields"]
    assert (price["usage_count"], price["index_priority_score"]) == (3, 100)
    assert (await _figures(world.me, "namespaces/indexes/compound-patterns"))["patterns"] == []
    both = {**DEAR, "config": {"stage_id": "attribute_filter", "parameters": {"conditions": {
        "AND": [{"field": "price", "operator": "lt", "value": "{{INPUT.most}}"}, {"field": "kind", "operator": "eq",
                                                                                  "value": "tea"}]}}}}  # fmt: skip
    await world.me.ask("POST", "retrievers", {
        "retriever_name": "both", "collection_identifiers": ["shelf"], "stages": [both],
        "input_schema": {"most": {"type": "integer"}},
    })  # fmt: skip
    await world.me.ask("POST", "retrievers/both/execute", {"inputs": {"most": 3}})
    (pattern,) = (await _figures(world.me, "namespaces/indexes/compound-patterns"))["patterns"]
    assert (pattern["field_combination"], pattern["combination_count"]) == (["kind", "price"], 1)
    counts = {
        one["field_name"]: one["query_count"]
        for one in (await _figures(world.me, "namespaces/fields/most-queried"))["fields"]
    }
    assert counts == {"price": 4, "kind": 1}
    assert (await _figures(world.me, "namespaces/queries/slow"))["slow_queries"] == []


async def test_another_namespace_sees_none_of_it(world: Access) -> None:
    other = Caller(world.me.http, world.me.key)
    other.namespace = (await world.me.ask("POST", "namespaces", {"namespace_name": "next-door"}))["namespace_id"]
    for path in ("collections/shelf/overview", "buckets/goods/health", "clusters/none/failures"):
        await other.ask("GET", f"analytics/{path}", status=404)
    assert (await _figures(other, "performance/engine"))["summary"]["total_executions"] == 0
    assert (await _figures(other, "namespaces/fields/most-queried"))["fields"] == []


async def test_a_suggestion_is_applied_by_one_call_and_measured(world: Access) -> None:
    """Fields of a shard that has grown large get an index at the next build: until then one is suggested."""
    await world.me.ask("POST", "collections", {
        "collection_name": "stock", "source": {"type": "bucket", "bucket_ids": ["goods"]},
        "feature_extractor": {"feature_extractor_name": "passthrough_extractor", "version": "v1"},
    })  # fmt: skip
    await _import(world, [{"name": f"thing {n}"} for n in range(600)])
    await _import(world, [{"weight": n} for n in range(100)])
    heavy = {**DEAR, "config": {"stage_id": "attribute_filter", "parameters": {
        "field": "weight", "operator": "gte", "value": 50}}}  # fmt: skip
    await world.me.ask(
        "POST", "retrievers", {"retriever_name": "heavy", "collection_identifiers": ["stock"], "stages": [heavy]}
    )
    before = await world.me.ask("POST", "retrievers/heavy/execute", {})
    suggestions = (await _figures(world.me, "indexes/suggestions", min_count=1))["suggestions"]
    assert [(one["field_name"], one["query_count_24h"], one["is_indexed"]) for one in suggestions] == [
        ("weight", 1, False)
    ]
    (advice,) = (await _figures(world.me, "namespaces/indexes/recommendations", min_usage_count=1))["recommendations"]
    assert (advice["field_name"], advice["query_count"]) == ("weight", 1)
    assert (await _figures(world.me, "namespaces/summary"))["summary"]["suggestions"] == 1
    applied = await world.me.ask("POST", "analytics/indexes/suggestions/apply", {"field_name": "metadata.weight"})
    (one,) = applied["collections"]
    assert (one["collection_name"], one["documents"]) == ("stock", 100)
    assert (one["was_indexed"], one["is_indexed"]) == (False, True)
    assert one["before_ms"] > 0
    assert one["after_ms"] > 0
    assert (await _figures(world.me, "indexes/suggestions", min_count=1))["suggestions"] == []
    usage = await _figures(world.me, "indexes/usage", period="1d")
    assert {each["field_name"]: each["is_indexed"] for each in usage["fields"]}["weight"] is True
    after = await world.me.ask("POST", "retrievers/heavy/execute", {})
    assert [each["document_id"] for each in after["documents"]] == [each["document_id"] for each in before["documents"]]
    (again,) = (await world.me.ask("POST", "analytics/indexes/suggestions/apply", {"field_name": "weight"}))[
        "collections"
    ]
    assert again["was_indexed"] is True


async def test_what_cannot_be_indexed_names_its_field(world: Access) -> None:
    path = "analytics/indexes/suggestions/apply"
    assert await world.me.places("POST", path, {"field_name": "nowhere"}) == [["body", "field_name"]]
    assert await world.me.places("POST", path, {"field_name": "name"}) == [["body", "field_name"]]
    for period in ("0h", "91d", "9999999d"):
        assert await world.me.places("GET", "analytics/indexes/usage", period=period) == [["query", "period"]]


async def _import(world: Access, documents: list[dict[str, Any]]) -> None:
    me = world.me
    answer = await me.http.post(
        "/v1/collections/stock/documents/import",
        content="\n".join(map(json.dumps, documents)),
        headers={"Authorization": f"Bearer {me.key}", "X-Namespace": me.namespace or "",
                 "Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == len(documents)
