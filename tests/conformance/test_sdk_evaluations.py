"""Data sets, evaluations and interactions, driven by the published client."""

from typing import Any

import mixpeek

from tests.conformance.conftest import SENTENCES, Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, SIEVE
from tests.conformance.wire import Wire
from tests.live import LiveServer

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
    retrievers.delete_retriever(retriever_id)


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
