"""Analytics, driven by the published client's own classes: each operation answers, with figures of what was done."""

import time
from collections.abc import Iterator
from typing import Any

import mixpeek
import pytest

from tests.conformance.conftest import SENTENCES, Corpus
from tests.conformance.pipelines import INPUT_SCHEMA
from tests.conformance.wire import Wire
from tests.live import LiveServer

EXTRACTOR = "text_extractor"
TOPIC = {"field": "topic", "operator": "eq", "value": "sea"}


class Figures:
    """Answers as they came: the later client demands fields that the contract has not."""

    def __init__(self, generated: mixpeek.ApiClient, wire: Wire) -> None:
        self._generated = generated
        self._wire = wire

    def of(self, area: str, name: str, *arguments: Any, **named: Any) -> Any:
        """area, name: of the client's class and of its method."""
        api = getattr(mixpeek, f"Analytics{area}Api")(self._generated)
        call = getattr(api, f"{name}_without_preload_content")
        assert call(*arguments, **named).status == 200
        return self._wire.last()


@pytest.fixture
def figures(generated: mixpeek.ApiClient, wire: Wire) -> Figures:
    return Figures(generated, wire)


@pytest.fixture(scope="module")
def retriever(server: LiveServer, corpus: Corpus) -> Iterator[str]:
    """One that filters by the topic, executed three times, which gives each search something to count."""
    stages = [{"stage_name": "sea", "config": {"stage_id": "attribute_filter", "parameters": TOPIC}}]
    with server.client(corpus.namespace) as client:
        body = {"retriever_name": "counted", "collection_identifiers": ["notes"], "stages": stages}
        made = client.post("retrievers", {**body, "input_schema": INPUT_SCHEMA})["retriever"]
        for _ in range(3):
            client.post(f"retrievers/{made['retriever_id']}/execute", {"inputs": {"query": "boats"}})
        yield made["retriever_id"]
        client.delete(f"retrievers/{made['retriever_id']}")


def test_of_buckets(figures: Figures, corpus: Corpus) -> None:
    bucket = corpus.bucket_id
    assert figures.of("Buckets", "get_bucket_health_analytics", bucket, hours=24)["overall_health"] == "healthy"
    stored = figures.of("Buckets", "get_bucket_storage_analytics", bucket, group_by="day")
    assert stored["summary"]["object_count"] >= len(SENTENCES)
    assert stored["metrics"][-1]["total_size_bytes"] == stored["summary"]["total_size_bytes"] > 0
    used = figures.of("Buckets", "get_bucket_usage_analytics", bucket, group_by="day")
    assert used["metrics"][0]["storage_gb_hours"] > 0
    uploads = figures.of("Buckets", "get_upload_performance_analytics_buckets", bucket, hours=24)
    assert (uploads["bucket_id"], uploads["summary"]["error_rate"]) == (bucket, 0)


def test_of_collections(figures: Figures, corpus: Corpus) -> None:
    collection = corpus.collection_id
    overview = figures.of("Collections", "get_collection_overview_analytics", collection)
    assert (overview["collection_name"], overview["success_rate"]) == ("notes", 1)
    assert overview["total_documents"] >= len(SENTENCES)
    growth = figures.of("Collections", "get_document_growth_analytics", collection, group_by="day")
    assert growth["summary"]["documents_added"] >= len(SENTENCES)
    extracted = figures.of("Collections", "get_extractor_performance_analytics", collection, hours=24)["extractors"]
    assert [(one["extractor_name"], one["success_rate"]) for one in extracted] == [(EXTRACTOR, 1)]
    assert figures.of("Collections", "get_failure_analysis_analytics", collection, hours=24)["total_errors"] == 0
    waited = figures.of("Collections", "get_latency_metrics_analytics", collection, hours=24)["metrics"]
    assert sum(one["document_count"] for one in waited) >= len(SENTENCES)


def test_of_clusters(figures: Figures, corpus: Corpus, server: LiveServer) -> None:
    with server.client(corpus.namespace) as client:
        cluster = client.post("clusters", {
            "collection_ids": [corpus.collection_id], "cluster_name": "measured", "cluster_type": "attribute",
            "attribute_config": {"attributes": ["topic"]},
        })["cluster_id"]  # fmt: skip
        task = client.post(f"clusters/{cluster}/execute")
        for _ in range(3000):
            if client.get(f"tasks/{task['task_id']}")["status"] in ("COMPLETED", "FAILED"):
                break
            time.sleep(0.01)
        (ran,) = figures.of("Clusters", "get_execution_history_analytics_clusters", cluster, hours=24)["executions"]
        assert (ran["status"], ran["num_clusters"], ran["algorithm"]) == ("completed", 2, "attribute")
        failures = figures.of("Clusters", "get_failure_analysis_analytics_clusters", cluster, hours=24)
        assert (failures["failures"], failures["total_failures"]) == ([], 0)
        client.delete(f"clusters/{cluster}")


def test_of_the_engine(figures: Figures, corpus: Corpus) -> None:
    (alone,) = figures.of("Extractors", "get_extractor_performance_analytics", extractor_name=EXTRACTOR, hours=24)
    assert alone["execution_count"] == alone["success_count"] >= len(SENTENCES)
    diagnosed = figures.of("Performance", "get_batch_diagnostics_analytics_performance_batches", corpus.batch_id)
    assert (diagnosed["status"], diagnosed["collections"][0]["document_count"]) == ("COMPLETED", len(SENTENCES))
    engine = figures.of("Performance", "get_engine_performance_analytics", hours=24, group_by="hour")
    assert engine["summary"]["total_executions"] == sum(one["execution_count"] for one in engine["metrics"])
    worst = figures.of("Performance", "analyze_bottlenecks_analytics_performance_engine", hours=24, limit=50)
    assert f"{EXTRACTOR}_v1" in {one["stage_name"] for one in worst["bottlenecks"]}
    each = figures.of("Performance", "get_extractor_breakdown_analytics_performance_engine", hours=24)["extractors"]
    assert [one["extractor_name"] for one in each if one["stage_name"] == "notes"] == [f"{EXTRACTOR}_v1"]
    slow = figures.of("Performance", "get_slowest_operations_analytics_performance_engine_slow", hours=24, limit=5)
    assert len(slow["operations"]) <= 5
    parts = figures.of("Performance", "get_engine_stage_breakdown_analytics_performance", hours=24)
    assert sum(one["total_time_ms"] for one in parts["stages"]) == pytest.approx(parts["total_time_ms"])


def test_of_a_namespace_and_its_fields(figures: Figures, retriever: str) -> None:
    """What three executions of the retriever filtered by."""

    def by_topic(area: str, name: str, list_of: str = "fields", **asked: Any) -> Any:
        return next(one for one in figures.of(area, name, **asked)[list_of] if one["field_name"] == "topic")

    summary = by_topic("Namespaces", "get_namespace_summary_analytics", "most_queried_fields", days=1)
    asked = by_topic("Namespaces", "get_most_queried_fields_analytics_namespaces", days=1, limit=50)
    assert asked["query_count"] == summary["query_count"] >= 3
    took = by_topic("Namespaces", "get_field_performance_analytics_namespaces", days=1, limit=50)
    assert took["usage_count"] == asked["query_count"]
    used = by_topic("Indexes", "get_field_usage_analytics_indexes", min_count=1)
    assert (used["query_count"], used["is_indexed"]) == (asked["query_count"], True)
    name = "get_compound_index_patterns_analytics_namespaces_indexes"
    patterns = figures.of("Namespaces", name, days=1)
    assert patterns["total_patterns"] == len(patterns["patterns"])
    name = "get_index_recommendations_analytics_namespaces_indexes"
    found = figures.of("Namespaces", name, days=1, min_usage_count=1)
    assert found["summary"]["suggested"] == len(found["recommendations"])
    name = "get_slow_queries_analytics_namespaces"
    assert figures.of("Namespaces", name, days=1, latency_threshold_ms=100, limit=5)["latency_threshold_ms"] == 100
    suggested = figures.of("Indexes", "get_index_suggestions_analytics_indexes", hours=24, min_count=1)
    assert "topic" not in {one.get("field_name") for one in suggested["suggestions"]}, "its index is there"


def test_of_a_retriever(figures: Figures, retriever: str) -> None:
    told = figures.of("Retrievers", "analyze_for_tuning_analytics_retrievers", retriever, days=1)
    assert (told["retriever_id"], told["current_performance"]["interactions"]) == (retriever, 0)
