"""Retrievers and their executions, driven by the published client."""

import json
from typing import Any

import mixpeek
import pytest
from jsonschema import Draft202012Validator
from langchain_mixpeek import MixpeekRetriever, MixpeekTool
from mixpeek import Mixpeek
from mixpeek._client.client import MixpeekAPIError

from tamis.api.schemas.execution import ExecutionAnswer
from tests.conformance.conftest import DENSE, SENTENCES, Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, SIEVE, search
from tests.conformance.wire import Wire
from tests.live import LiveServer

QUESTION = "What warns a ship of rocks after dark?"
LIGHTHOUSE = SENTENCES[3][0]


def check_execution(answer: Any) -> None:
    Draft202012Validator(ExecutionAnswer.model_json_schema()).validate(answer)


def adhoc_request(**changes: Any) -> Any:
    body = {"stages": SIEVE, "inputs": {"query": QUESTION}, "input_schema": INPUT_SCHEMA, **changes}
    return mixpeek.AdhocExecuteRequest.from_dict(body)


def test_an_anonymous_execution_and_its_record(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    api: Any = mixpeek.AdhocRetrieversApi(generated)
    api.execute_adhoc_retriever(adhoc_request(collection_identifiers=["notes"]))
    answer = wire.last()
    check_execution(answer)
    assert [document["topic"] for document in answer["documents"]] == ["sea", "sea"]
    assert answer["documents"][0]["text"] == LIGHTHOUSE
    assert answer["results"] == answer["documents"]
    assert answer["execution_metadata"]["retriever_persisted"] is False
    record = api.get_adhoc_execution_retrievers(answer["execution_id"])
    assert (record.execution_mode, record.status, record.total_stages) == ("anonymous", "completed", 3)
    assert (record.total_returned, record.collection_ids) == (2, [corpus.collection_id])
    assert json.loads(record.inputs) == {"query": QUESTION}


def test_anonymous_executions_are_listed_newest_first_and_counted(wire: Wire, generated: mixpeek.ApiClient) -> None:
    api: Any = mixpeek.AdhocRetrieversApi(generated)
    ids = []
    for _ in range(3):
        api.execute_adhoc_retriever(adhoc_request())
        ids.append(wire.last()["execution_id"])
    page = api.list_adhoc_executions_retrievers(limit=2, list_adhoc_executions_request={"status": "completed"})
    assert [entry.execution_id for entry in page.results] == [ids[2], ids[1]]
    assert wire.last()["executions"] == wire.last()["results"]
    total = api.list_adhoc_executions_retrievers(list_adhoc_executions_request={"count_only": True}).total
    assert total == page.total >= 3


def test_a_saved_retriever_from_creation_to_deletion(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    api: Any = mixpeek.RetrieversApi(generated)
    created = api.create_retriever(
        mixpeek.CreateRetrieverRequest.from_dict(
            {"retriever_name": "sieve", "collection_identifiers": ["notes"], "stages": SIEVE,
             "input_schema": INPUT_SCHEMA, "tags": ["sea"]}
        )
    )  # fmt: skip
    assert created.collection_ids == [corpus.collection_id]
    assert api.get_retriever("sieve").retriever_id == created.retriever_id
    assert wire.last()["feature_dependencies"][0]["output"] == "embedding"
    answer = api.execute_retriever("sieve", mixpeek.ExecuteRetrieverRequest(inputs={"query": QUESTION}))
    check_execution(wire.last())
    assert (answer.retriever_id, len(answer.documents)) == (created.retriever_id, 2)
    detail = api.get_execution_retrievers("sieve", answer.execution_id)
    assert detail.documents == answer.documents
    listed = api.list_executions_retrievers("sieve")
    assert wire.last()["executions"][0]["execution_id"] == answer.execution_id
    assert listed is not None
    patched = api.patch_retriever("sieve", mixpeek.PatchRetrieverRequest(retriever_name="net", tags=["fish"]))
    assert (patched.retriever.retriever_name, patched.retriever.version) == ("net", 1)
    # The later client reads a clone from a 200 alone; the contract answers 201.
    api.clone_retriever("net", mixpeek.CloneRetrieverRequest(retriever_name="copy"))
    assert wire.last()["source_retriever_id"] == created.retriever_id
    assert [one.retriever_name for one in api.list_retrievers(list_retrievers_request={"search": "copy"}).results] == [
        "copy"
    ]
    for name in ("net", "copy"):
        api.delete_retriever(name)
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        api.get_retriever("net")


def test_a_saved_run_is_not_found_among_the_anonymous(wire: Wire, client: Any, generated: mixpeek.ApiClient) -> None:
    client.retrievers.create(name="own-path", stages=SIEVE, input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    answer = client.retrievers.execute("own-path", inputs={"query": QUESTION}, limit=1)
    assert len(answer.results) == 1
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        mixpeek.AdhocRetrieversApi(generated).get_adhoc_execution_retrievers(answer.execution_id)


def test_newer_stages_make_a_new_version(wire: Wire, client: Any) -> None:
    client.retrievers.create(name="growing", stages=SIEVE, input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    changed = client.retrievers.update("growing", stages=SIEVE[:1])
    assert (changed.retriever.version, len(changed.retriever.stages)) == (2, 1)


def test_stages_are_written_as_later_clients_write_them(wire: Wire, client: Any) -> None:
    stages = [
        {"stage_name": "search", "stage_id": "feature_search", "parameters": search()["config"]["parameters"]},
        {"stage_name": "few", "config": {"stage_id": "limit", "parameters": {"limit": 1}}},
    ]
    client.retrievers.create(name="later", stages=stages, input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    answer = client.retrievers.run("later", inputs={"query": QUESTION})
    assert [document.text for document in answer.documents] == [LIGHTHOUSE]


def test_the_search_shortcut(wire: Wire, client: Any) -> None:
    answer = client.search(QUESTION, collection="notes", limit=3)
    check_execution(answer)
    assert answer.results[0].text == LIGHTHOUSE
    assert len(answer.results) == 3


def test_the_vector_search_shortcut(wire: Wire, client: Any) -> None:
    texts = [{"feature_uri": DENSE, "query": {"input_mode": "text", "value": QUESTION}, "top_k": 2}]
    answer = client.search(queries=texts, namespace_id="conformance", filters={"topic": "kitchen"})
    assert [document.topic for document in answer.results] == ["kitchen", "kitchen"]


def test_many_queries_in_one_call(wire: Wire, client: Any) -> None:
    client.retrievers.create(name="many", stages=SIEVE[:1], input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    answer = client.retrievers.execute_batch("many", queries=[{"query": QUESTION}, {"query": "sharp knife"}])
    first = [result.results[0].text for result in answer.results]
    assert first == [LIGHTHOUSE, SENTENCES[4][0]]


@pytest.mark.parametrize("method", ["offset", "cursor", "scroll", "keyset"])
def test_pages_show_every_document_once(wire: Wire, client: Any, method: str) -> None:
    name = f"paged-{method}"
    client.retrievers.create(name=name, stages=SIEVE[:1], input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    pagination: dict[str, Any] = {"method": method, "page_size" if method == "offset" else "limit": 4}
    first = client.retrievers.execute(name, inputs={"query": QUESTION}, pagination=pagination)
    onward = {
        "offset": {"page_number": first.pagination.get("next_page")},
        "cursor": {"cursor": first.pagination.get("next_cursor")},
        "scroll": {"scroll_id": first.pagination.get("scroll_id")},
        "keyset": {"after": first.pagination.get("after")},
    }[method]
    second = client.retrievers.execute(name, inputs={"query": QUESTION}, pagination={**pagination, **onward})
    shown = [document.text for document in [*first.documents, *second.documents]]
    assert sorted(shown) == sorted(text for text, _, _ in SENTENCES)
    assert (first.pagination.has_next, second.pagination.has_next) == (True, False)
    assert first.execution_id != second.execution_id


def test_what_is_wrong_is_refused_in_the_envelope(wire: Wire, client: Any) -> None:
    def refused(**request: Any) -> MixpeekAPIError:
        with pytest.raises(MixpeekAPIError) as caught:
            client._request("POST", "/retrievers/execute", body={"inputs": {"query": QUESTION}, **request})
        return caught.value

    assert refused(stages=[]).status == 422
    assert refused(stages=[{"stage_name": "x", "config": {"stage_id": "no_such_stage"}}]).status == 422
    assert refused(stages=SIEVE, collection_identifiers=["nowhere"]).status == 404
    assert refused(stages=SIEVE, inputs={}, input_schema=INPUT_SCHEMA).status == 422
    assert refused(stages=SIEVE, stream="at once").status == 422


def test_the_catalogue_of_stages(wire: Wire, generated: mixpeek.ApiClient) -> None:
    api: Any = mixpeek.RetrieverStagesApi(generated)
    found = {stage.stage_id: stage for stage in api.list_stages_retrievers()}
    assert {"feature_search", "attribute_filter", "limit", "group_by"} <= found.keys()
    assert all(stage.parameter_schema["type"] == "object" for stage in found.values())


def test_langchain_needs_the_base_url_alone(
    wire: Wire, client: Any, server: LiveServer, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.retrievers.create(name="chained", stages=SIEVE[:1], input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    monkeypatch.setattr(Mixpeek, "DEFAULT_BASE_URL", f"{server.url}/v1")
    retriever = MixpeekRetriever(api_key=server.key, retriever_id="chained", namespace=corpus.namespace, top_k=2)
    documents = retriever.invoke(QUESTION)
    assert [len(documents), documents[0].page_content, documents[0].metadata["topic"]] == [2, LIGHTHOUSE, "sea"]
    tool = MixpeekTool(api_key=server.key, retriever_id="chained", namespace=corpus.namespace, top_k=1)
    assert json.loads(tool.invoke(QUESTION))[0]["content"] == LIGHTHOUSE
