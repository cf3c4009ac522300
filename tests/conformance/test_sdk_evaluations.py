"""Data sets, evaluations and interactions, driven by the published client."""

from typing import Any

import mixpeek

from tests.conformance.conftest import SENTENCES, Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, SIEVE
from tests.conformance.wire import Wire
from tests.live import LiveServer

AUTH = ["BearerAuth", "NamespaceHeader"]
QUESTION = "What warns a ship of rocks after dark?"


def test_a_retriever_is_evaluated_by_a_data_set(
    wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus, server: LiveServer
) -> None:
    retrievers: Any = mixpeek.RetrieversApi(generated)
    body = {
        "retriever_name": "judged",
        "collection_identifiers": ["notes"],
        "stages": SIEVE,
        "input_schema": INPUT_SCHEMA,
    }
    retrievers.create_retriever(mixpeek.CreateRetrieverRequest.from_dict(body))
    retriever_id = wire.last()["retriever"]["retriever_id"]
    retrievers.execute_retriever(
        retriever_id,
        execute_retriever_request=mixpeek.ExecuteRetrieverRequest.from_dict({"inputs": {"query": QUESTION}}),
    )
    first = wire.last()["documents"][0]
    assert first["text"] == SENTENCES[3][0]

    api: Any = mixpeek.RetrieverEvaluationsApi(generated)
    query = {"query_id": "q1", "query_input": {"query": QUESTION}, "relevant_documents": [first["document_id"]]}
    # The client reads no body of a 201 or 202, which the contract has.
    api.create_dataset_retrievers_evaluations(
        mixpeek.CreateDatasetRequest.from_dict({"dataset_name": "rocks", "queries": [query]})
    )
    dataset_id = wire.last()["dataset_id"]
    made = api.get_dataset_retrievers_evaluations("rocks")
    assert (made.dataset_id, made.query_count) == (dataset_id, 1)
    assert api.list_datasets_retrievers_evaluations().datasets[0].dataset_id == dataset_id
    api.start_evaluation_retrievers(retriever_id, mixpeek.StartEvaluationRequest.from_dict({"dataset_name": "rocks"}))
    evaluation_id = wire.last()["evaluation_id"]
    found = api.get_evaluation_retrievers(retriever_id, evaluation_id)
    while found.status in ("pending", "in_progress"):
        found = api.get_evaluation_retrievers(retriever_id, evaluation_id)
    assert (found.status, found.query_count, found.evaluated_queries) == ("completed", 1, 1)
    assert found.metrics_by_k["1"] == {name: 1.0 for name in ("precision", "recall", "f1", "map", "ndcg", "mrr")}
    (listed,) = api.list_evaluations_retrievers(retriever_id, dataset_name="rocks").evaluations
    assert listed.evaluation_id == evaluation_id
    _analytics(generated, retriever_id)
    _models(generated, wire)
    retrievers.delete_retriever(retriever_id)


def _analytics(generated: mixpeek.ApiClient, retriever_id: str) -> None:
    """Of the execution by hand and the one of the evaluation."""
    api: Any = mixpeek.AnalyticsRetrieversApi(generated)
    told = api.get_retriever_performance_analytics(retriever_id, group_by="day")
    assert (told.retriever_id, told.summary["query_count"], len(told.metrics)) == (retriever_id, 2, 1)
    assert told.time_range.start < told.time_range.end
    stages = api.get_stage_breakdown_analytics_retrievers(retriever_id, hours=2).stages
    assert [(one.stage_name, one.execution_count) for one in stages] == [
        (one["stage_name"], 2) for one in SIEVE
    ]  # fmt: skip
    slow = api.get_slowest_queries_analytics_retrievers_id_slow(retriever_id, limit=5)
    assert [one["inputs"]["query"] for one in slow] == [QUESTION, QUESTION]
    cached = api.get_cache_performance_analytics_retrievers(retriever_id)
    assert cached.total_cache_hits + cached.total_cache_misses == sum(one["hits"] + one["misses"] for one in cached.hourly_breakdown)  # fmt: skip  # noqa: E501 - one sum
    signals = api.get_retriever_signals_analytics(retriever_id, hours=2)
    assert {one.signal_type for one in signals} <= {"cache_hit", "cache_miss", "filter_reduction", "rerank_scores"}
    usage: Any = mixpeek.AnalyticsUsageApi(generated)
    summary = usage.get_usage_summary_analytics()
    assert summary["total_credits"] == sum(one["credits"] for one in summary["usage"])


def _models(generated: Any, wire: Wire) -> None:
    """The client has no method of its own for these figures, only the contract."""
    summarize = {"stage_name": "told", "config": {"stage_id": "summarize", "parameters": {}}}
    body = {"collection_identifiers": ["notes"], "stages": [*SIEVE, summarize], "input_schema": INPUT_SCHEMA}
    asked = {**body, "inputs": {"query": QUESTION}}
    api: Any = mixpeek.AdhocRetrieversApi(generated)
    api.execute_adhoc_retriever(mixpeek.AdhocExecuteRequest.from_dict(asked))

    def told(**query: Any) -> Any:
        path = "/v1/analytics/inference/performance"
        sent = generated.param_serialize(
            method="GET", resource_path=path, query_params=list(query.items()), auth_settings=AUTH
        )
        assert generated.call_api(*sent).read() is not None
        return wire.last()

    models = {one["model_name"]: one for one in told(hours=1)}
    language = models["openai/small"]
    assert language["stage_count"] >= language["execution_count"] >= 1
    assert language["max_stage_ms"] >= language["p50_stage_ms"] > 0
    assert language["avg_latency_ms"] is None
    assert language["request_count"] >= 1
    assert language["tokens_in"] > 0
    assert (language["version"], language["failure_count"], language["success_rate"]) == (None, 0, 1)
    assert told(model_name="openai/small") == [language]
    assert told(model_name="nobody") == []


def test_interactions_are_told_listed_and_forgotten(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    api: Any = mixpeek.RetrieverInteractionsApi(generated)
    body = {"feature_id": "doc_sdk", "interaction_type": ["view", "click"], "position": 2, "user_id": "sdk"}
    made = api.create_interaction_retrievers(mixpeek.SearchInteraction.from_dict(body))
    assert api.get_interaction_retrievers(made.interaction_id).position == 2
    mine = mixpeek.ListInteractionsRequest.from_dict({"user_id": "sdk"})
    listed = api.list_interactions_retrievers(list_interactions_request=mine)
    assert [one.interaction_id for one in listed.results] == [made.interaction_id]
    api.delete_interaction_retrievers(made.interaction_id)
    listed = api.list_interactions_retrievers(list_interactions_request=mine)
    assert listed.results == []
