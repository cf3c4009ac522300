"""Streams read as the contract's documentation reads them, through the published client.

It has no method of its own for streams; its calls without preloaded content hand the response over as it comes.
"""

import json
from collections.abc import Iterator
from typing import Any

import mixpeek
import pytest
from jsonschema import Draft202012Validator

from tamis.api.schemas.stream import ExecutionComplete, StreamEvent
from tests.conformance.conftest import SENTENCES, Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, SIEVE
from tests.conformance.test_sdk_retrievers import QUESTION, adhoc_request
from tests.conformance.wire import Wire


def events_of(response: Any) -> Iterator[dict[str, Any]]:
    """Line by line, in the documentation's own way."""
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
    for line in response.data.splitlines():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def check(events: list[dict[str, Any]]) -> None:
    for event in events:
        Draft202012Validator(StreamEvent.model_json_schema()).validate(event)
    Draft202012Validator(ExecutionComplete.model_json_schema()).validate(events[-1])


def test_an_anonymous_execution_is_streamed(generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    api: Any = mixpeek.AdhocRetrieversApi(generated)
    response = api.execute_adhoc_retriever_without_preload_content(adhoc_request(stream=True))
    events = list(events_of(response))
    check(events)
    assert response.headers["X-Execution-Mode"] == "anonymous"
    assert response.headers["Cache-Control"] == "no-cache"
    told = [f"{event['event_type']}: {event.get('stage_name')}" for event in events]
    assert told[0] == f"stage_start: {SIEVE[0]['stage_name']}"
    assert told[-1] == "execution_complete: None"
    assert len(told) == 2 * len(SIEVE) + 1
    assert events[-1]["documents"][0]["text"] == SENTENCES[3][0]
    # What came last is what the client's own model of an answer reads.
    answer = mixpeek.ExecuteRetrieverResponse.from_dict(events[-1])
    assert answer is not None
    record = api.get_adhoc_execution_retrievers(events[-1]["execution_id"])
    assert (record.status, record.total_returned) == ("completed", len(events[-1]["documents"]))


def test_a_saved_retriever_is_streamed(generated: mixpeek.ApiClient, client: Any) -> None:
    client.retrievers.create(name="streamed", stages=SIEVE, input_schema=INPUT_SCHEMA, collection_ids=["notes"])
    api: Any = mixpeek.RetrieversApi(generated)
    request = mixpeek.ExecuteRetrieverRequest(inputs={"query": QUESTION}, stream=True)
    events = list(events_of(api.execute_retriever_without_preload_content("streamed", request)))
    check(events)
    whole = api.execute_retriever("streamed", mixpeek.ExecuteRetrieverRequest(inputs={"query": QUESTION}))
    assert [one["document_id"] for one in events[-1]["documents"]] == [one["document_id"] for one in whole.documents]


def test_what_is_wrong_is_the_client_s_own_exception(wire: Wire, generated: mixpeek.ApiClient) -> None:
    api: Any = mixpeek.AdhocRetrieversApi(generated)
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        api.execute_adhoc_retriever(adhoc_request(stream=True, collection_identifiers=["nowhere"]))
