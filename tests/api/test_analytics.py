"""Analytics over the API: what real executions add up to, told as the records themselves tell it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx
import pytest

from tamis.model.execution import ExecutionHeader
from tests.caching_world import caching
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import HEADERS, World, search, stage

PATH = "/v1/analytics/retrievers"
QUESTIONS = ("running shoes", "bread knife", "rain coat", "running shoes", "running shoes")
DEAR = {"field": "price", "operator": "gte", "value": 60}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with caching(tmp_path) as cached:
        yield cached.world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        stages = [search("{{INPUT.q}}"), stage("attribute_filter", **DEAR), stage("mmr", top_k=3)]
        body = {
            "retriever_name": "shop", "stages": stages, "input_schema": {"q": {"type": "text"}},
            "cache_config": {"enabled": True},
        }  # fmt: skip
        await ask(client, "POST", "/v1/retrievers", body)
        yield client


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def header(world: World, execution_id: str) -> ExecutionHeader:
    stored = await world.shop.metadata.read(lambda session: session.executions.get(PRINCIPAL, execution_id))
    assert stored is not None
    return stored.header


async def run(
    world: World, client: httpx.AsyncClient, questions: tuple[str, ...] = QUESTIONS
) -> list[tuple[ExecutionHeader, Any]]:
    """Executions that ask these: what is stored of each, and its answer."""
    found = []
    for question in questions:
        answer = await ask(client, "POST", "/v1/retrievers/shop/execute", {"inputs": {"q": question}})
        found.append((await header(world, answer["execution_id"]), answer))
    return found


def near(value: float, exact: float) -> bool:
    return abs(value - exact) <= exact * 0.0222 + 0.001


async def test_performance_is_what_the_records_say(world: World, client: httpx.AsyncClient) -> None:
    records = [record for record, _ in await run(world, client)]
    took = sorted(one.duration_ms for one in records)
    told = await ask(client, "GET", f"{PATH}/shop/performance")
    assert told["summary"]["query_count"] == sum(one["query_count"] for one in told["metrics"]) == len(QUESTIONS)
    assert told["summary"]["avg_latency_ms"] == pytest.approx(fmean(took))
    assert near(told["summary"]["p50_latency_ms"], took[2])
    assert near(told["summary"]["p99_latency_ms"], took[-1])
    assert told["summary"]["avg_results"] == pytest.approx(fmean(one.total_returned for one in records))
    assert (told["summary"]["failed_count"], told["summary"]["error_rate"], told["is_complete"]) == (0, 0, True)
    start = datetime.fromisoformat(told["time_range"]["start"])
    assert (start.minute, start.second) == (0, 0)
    first = min(one.started_at for one in records)
    for group_by in ("hour", "day", "week"):
        grouped = await ask(client, "GET", f"{PATH}/shop/performance?group_by={group_by}")
        at = datetime.fromisoformat(grouped["metrics"][0]["time_bucket"])
        assert at <= first < at + timedelta(days=7)
        assert sum(one["query_count"] for one in grouped["metrics"]) == len(QUESTIONS)
    assert at.weekday() == 0
    before = (first - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    earlier = await ask(client, "GET", f"{PATH}/shop/performance?end_date={before}")
    assert (earlier["metrics"], earlier["summary"]["query_count"]) == ([], 0)


async def test_stages_and_slow_queries_say_where_the_time_goes(world: World, client: httpx.AsyncClient) -> None:
    records = await run(world, client)
    told = await ask(client, "GET", f"{PATH}/shop/stages")
    assert [(one["stage_name"], one["stage_type"]) for one in told["stages"]] == [
        ("search", "filter"), ("attribute_filter", "filter"), ("mmr", "sort"),
    ]  # fmt: skip
    answers = [answer["stage_statistics"]["stages"] for _, answer in records]
    for one in told["stages"]:
        runs = [answer[one["stage_name"]] for answer in answers]
        assert one["execution_count"] == len(runs)
        assert one["avg_documents_out"] == fmean(each["output_count"] for each in runs)
        assert one["avg_documents_in"] == fmean(each["input_count"] for each in runs)
        assert one["avg_latency_ms"] == pytest.approx(fmean(each["duration_ms"] for each in runs), abs=0.001)
    slow = await ask(client, "GET", f"{PATH}/shop/slow-queries?limit=2")
    by_time = sorted((record for record, _ in records), key=lambda one: -one.duration_ms)
    assert [one["execution_id"] for one in slow] == [one.execution_id for one in by_time[:2]]
    assert slow[0]["latency_ms"] == by_time[0].duration_ms
    assert slow[0]["inputs"]["q"] in QUESTIONS
    assert [one["stage_name"] for one in slow[0]["stages"]] == ["search", "attribute_filter", "mmr"]


async def test_what_caches_answered_is_told_apart(world: World, client: httpx.AsyncClient) -> None:
    records = await run(world, client)
    told = await ask(client, "GET", f"{PATH}/shop/cache-performance")
    hits = [record.duration_ms for record, _ in records if record.cache_hit_rate == 1]
    misses = [record.duration_ms for record, _ in records if record.cache_hit_rate != 1]
    assert (len(hits), len(misses)) == (2, 3)
    assert (told["total_cache_hits"], told["total_cache_misses"], told["cache_hit_rate"]) == (2, 3, 0.4)
    assert told["avg_cache_hit_latency_ms"] == pytest.approx(fmean(hits))
    assert told["avg_cache_miss_latency_ms"] == pytest.approx(fmean(misses))
    assert sum(one["hits"] for one in told["hourly_breakdown"]) == 2
    found = await ask(client, "GET", f"{PATH}/shop/signals")
    kinds = [one["signal_type"] for one in found]
    assert [kinds.count(kind) for kind in ("cache_hit", "cache_miss", "filter_reduction", "rerank_scores")] == [
        2, 3, 5, 5,
    ]  # fmt: skip
    times = [one["timestamp"] for one in found]
    assert times == sorted(times, reverse=True)
    (one,) = await ask(client, "GET", f"{PATH}/shop/signals?signal_type=filter_reduction&limit=1")
    data = one["signal_data"]
    assert one["metadata"] == {"stage_name": "attribute_filter"}
    assert data["reduction"] == 1 - data["documents_out"] / data["documents_in"] > 0
    (scored,) = await ask(client, "GET", f"{PATH}/shop/signals?signal_type=rerank_scores&limit=1")
    shown = [hit["score"] for hit in records[-1][1]["documents"]]
    assert scored["signal_data"]["max"] == pytest.approx(max(shown))
    assert scored["signal_data"]["mean"] == pytest.approx(fmean(shown))


async def test_a_deleted_record_is_gone_from_every_figure(world: World, client: httpx.AsyncClient) -> None:
    for record, _ in await run(world, client, QUESTIONS[:2]):
        await ask(client, "DELETE", f"/v1/retrievers/shop/executions/{record.execution_id}")
    told = await ask(client, "GET", f"{PATH}/shop/performance")
    assert (told["metrics"], told["summary"]["query_count"]) == ([], 0)
    assert (await ask(client, "GET", f"{PATH}/shop/stages"))["stages"] == []
    for path in ("slow-queries", "signals"):
        assert await ask(client, "GET", f"{PATH}/shop/{path}") == []


async def test_what_is_wrong_is_named(client: httpx.AsyncClient) -> None:
    for path in ("performance", "stages", "slow-queries", "cache-performance", "signals"):
        await ask(client, "GET", f"{PATH}/nothing/{path}", status=404)
        answer = await client.get(f"{PATH}/shop/{path}", headers={**HEADERS, "X-Namespace": "ns_other"})
        assert answer.status_code == 404
    wrong = {
        "performance?group_by=minute": "group_by",
        "performance?start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z": "start_date",
        "performance?start_date=1971-01-01T00:00:00Z": "start_date",
        "performance?end_date=9999-12-31T00:00:00Z": "end_date",
        "stages?hours=721": "hours",
        "slow-queries?limit=101": "limit",
        "signals?signal_type=stare": "signal_type",
    }
    for path, name in wrong.items():
        told = await ask(client, "GET", f"{PATH}/shop/{path}", status=422)
        assert told["detail"][0]["loc"] == ["query", name]


async def test_the_summary_of_use_is_the_organisations(world: World, client: httpx.AsyncClient) -> None:
    records = await run(world, client)
    spent = sum(record.credits_used for record, _ in records)
    told = await ask(client, "GET", "/v1/analytics/usage/summary")
    assert told["total_credits"] == pytest.approx(spent)
    assert told["total_cost"] == pytest.approx(spent * 0.001, abs=1e-6)
    assert [one["operation_type"] for one in told["usage"]] == ["saved"]
    today = datetime.now(UTC).date()
    assert (told["start_date"], told["end_date"]) == (str(today - timedelta(days=29)), str(today))
    late = await ask(client, "GET", "/v1/analytics/usage/summary?start_date=2100-01-01T00:00:00Z", status=422)
    assert late["detail"][0]["loc"] == ["query", "start_date"]
