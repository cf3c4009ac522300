"""Streamed executions: what they tell, and that they are the same executions."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tamis.api.schemas.stream import ExecutionComplete, StreamEvent
from tamis.api.streams import framed
from tamis.client.events import event_data
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.model.document import DocumentWrite
from tests.engine.stages.shop import PRINCIPAL, document
from tests.retrieval_world import World, opened, search, stage

LIMIT = stage("limit", limit=3)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def streamed(client: httpx.AsyncClient, *stages: dict[str, Any], path: str = "execute", **more: Any) -> Any:
    """Every event of a run."""
    body = {"inputs": {}, **({"stages": list(stages)} if stages else {}), **more, "stream": True}
    response = await client.post(f"/v1/retrievers/{path}", json=body)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    events = [json.loads(data) for data in event_data([response.content])]
    for event in events:
        Draft202012Validator(StreamEvent.model_json_schema()).validate(event)
    return events


async def record_of(world: World, execution_id: str) -> Record:
    return decode(await world.records.find(PRINCIPAL, execution_id))


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(event["event_type"], event["stage_name"]) for event in events]


def seen(record: Record) -> Any:
    """What a record says, but for ids and times."""
    stages = [
        (one.stage_name, one.outcome, one.received, one.returned, one.processed, one.credits_used, one.metadata)
        for one in record.stages
    ]
    header = record.header
    counts = (header.status, header.mode, header.total_processed, header.total_returned, header.stages_completed)
    return counts, header.inputs_hash, record.definition, record.seed, record.revisions, record.warnings, stages


def answered(answer: dict[str, Any]) -> Any:
    """What an answer says, but for ids and times."""
    pages = {key: value for key, value in answer["pagination"].items() if key not in ("next_cursor", "scroll_id")}
    return answer["status"], answer["documents"], pages, answer["warnings"], answer["execution_metadata"]


async def test_stages_are_told_in_order_and_the_answer_comes_last(client: httpx.AsyncClient) -> None:
    events = await streamed(client, search(), LIMIT)
    assert kinds(events) == [
        ("stage_start", "search"), ("stage_complete", "search"),
        ("stage_start", "limit"), ("stage_complete", "limit"),
        ("execution_complete", None),
    ]  # fmt: skip
    assert {(event["execution_id"], event["total_stages"]) for event in events} == {(events[0]["execution_id"], 2)}
    assert [event["stage_index"] for event in events] == [0, 0, 1, 1, None]
    assert [len(events[n]["documents"]) for n in (1, 3, 4)] == [6, 3, 3]
    assert (events[3]["statistics"]["input_count"], events[3]["statistics"]["output_count"]) == (6, 3)
    elapsed = [event["budget_used"]["time_elapsed_ms"] for event in events]
    assert elapsed[:-1] == sorted(elapsed[:-1])
    Draft202012Validator(ExecutionComplete.model_json_schema()).validate(events[-1])


async def test_the_headers_keep_proxies_from_collecting(client: httpx.AsyncClient) -> None:
    body = {"stages": [search()], "inputs": {}, "stream": True}
    headers = (await client.post("/v1/retrievers/execute", json=body)).headers
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert headers["x-execution-mode"] == "anonymous"
    assert "content-length" not in headers
    whole = await client.post("/v1/retrievers/execute", json={**body, "stream": False})
    assert whole.headers["x-execution-mode"] == "anonymous"


async def test_a_saved_retriever_streams_too(world: World, client: httpx.AsyncClient) -> None:
    await client.post("/v1/retrievers", json={"retriever_name": "shoes", "stages": [search(), LIMIT]})
    events = await streamed(client, path="shoes/execute")
    whole = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {}})).json()
    assert answered(events[-1]) == answered(whole)
    assert events[-1]["retriever_id"] == whole["retriever_id"]
    detail = (await client.get(f"/v1/retrievers/shoes/executions/{events[-1]['execution_id']}")).json()
    assert detail["documents"] == events[-1]["documents"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("execute", {"stages": []}, 422),
        ("execute", {"stages": [stage("nonsense")]}, 422),
        ("execute", {"stages": [search()], "collection_ids": ["nowhere"]}, 404),
        ("execute", {"stages": [search()], "input_schema": {"q": {"type": "string", "required": True}}}, 422),
        ("execute", {"stages": [search()], "pagination": {"method": "cursor", "cursor": "bm8gc3VjaDo1"}}, 400),
        ("nobody/execute", {}, 404),
    ],
)
async def test_what_is_wrong_before_the_run_is_answered_as_ever(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int
) -> None:
    whole = await client.post(f"/v1/retrievers/{path}", json={"inputs": {}, **body})
    response = await client.post(f"/v1/retrievers/{path}", json={"inputs": {}, **body, "stream": True})
    assert (response.status_code, response.json()) == (status, whole.json())
    assert (await client.post("/v1/retrievers/executions/list")).json()["total"] == 0


async def test_a_stage_that_fails_ends_the_run(client: httpx.AsyncClient) -> None:
    events = await streamed(client, search(), stage("break"), LIMIT)
    assert kinds(events)[2:] == [("stage_start", "break"), ("stage_error", "break"), ("execution_error", None)]
    assert "division by zero" in events[3]["error"]
    assert events[3]["error_details"]["outcome"] == "failed"
    whole = await client.post(
        "/v1/retrievers/execute", json={"stages": [search(), stage("break"), LIMIT], "inputs": {}}
    )
    last = events[-1]
    assert (last["error"], last["status"]) == (whole.json()["error"]["message"], "failed")
    assert (last["error_details"]["status"], last["error_details"]["type"]) == (500, "StageError")
    assert last["error_details"]["details"]["execution_id"] == last["execution_id"]
    record = (await client.get(f"/v1/retrievers/executions/{last['execution_id']}")).json()
    assert record["status"] == "failed"


async def test_a_stage_that_is_skipped_lets_the_run_go_on(client: httpx.AsyncClient) -> None:
    broken = {**stage("break"), "on_error": "skip"}
    events = await streamed(client, search(), broken, LIMIT)
    assert events[3]["error_details"]["outcome"] == "skipped"
    assert (events[-1]["event_type"], events[-1]["status"]) == ("execution_complete", "degraded")
    assert len(events[-1]["documents"]) == 3


async def test_a_stage_that_the_budget_cuts_is_told_with_its_limit(client: httpx.AsyncClient) -> None:
    events = await streamed(client, search(), stage("wait"), LIMIT, budget_limits={"max_time_ms": 300})
    assert kinds(events)[-2:] == [("stage_error", "wait"), ("execution_complete", None)]
    assert events[-2]["error_details"] == {
        "type": "BudgetLimit", "status": None, "outcome": "cut", "details": {"limit": "max_time_ms"},
    }  # fmt: skip
    assert (events[-1]["status"], len(events[-1]["documents"])) == ("degraded", 6)


@pytest.mark.parametrize("method", ["offset", "cursor", "scroll", "keyset"])
async def test_pages_are_the_same_pages(world: World, client: httpx.AsyncClient, method: str) -> None:
    first = {"method": method, "page_size" if method == "offset" else "limit": 2}

    def onward(pagination: dict[str, Any]) -> dict[str, Any]:
        return {
            "offset": {"page_number": pagination.get("next_page")},
            "cursor": {"cursor": pagination.get("next_cursor")},
            "scroll": {"scroll_id": pagination.get("scroll_id")},
            "keyset": {"after": pagination.get("after")},
        }[method]

    body = {"stages": [search(), LIMIT], "inputs": {}}
    whole = (await client.post("/v1/retrievers/execute", json={**body, "pagination": first})).json()
    rest = {**first, **onward(whole["pagination"])}
    whole_rest = (await client.post("/v1/retrievers/execute", json={**body, "pagination": rest})).json()
    events = await streamed(client, search(), LIMIT, pagination=first)
    turned = await streamed(client, search(), LIMIT, pagination={**first, **onward(events[-1]["pagination"])})
    assert events[-1]["documents"] == whole["documents"]
    assert turned[-1]["documents"] == whole_rest["documents"]
    assert [kind for kind, _ in kinds(turned)] == ["stage_start", "stage_complete"] * 2 + ["execution_complete"]
    assert all(event["statistics"]["cache_hit"] for event in turned if event["event_type"] == "stage_complete")
    ours = await record_of(world, turned[-1]["execution_id"])
    theirs = await record_of(world, whole_rest["execution_id"])
    assert [one.returned for one in ours.stages] == [one.returned for one in theirs.stages]


async def test_the_answer_repeats_its_documents_only_where_that_is_asked_for(client: httpx.AsyncClient) -> None:
    with_results = (await streamed(client, search(), include_legacy_results=True))[-1]
    assert with_results["results"] == with_results["documents"]
    assert "results" not in (await streamed(client, search(), include_legacy_results=False))[-1]
    vectors = (await streamed(client, search(), return_vectors=True))[-1]["documents"]
    assert vectors[0]["vectors"]["embedding"] == [1.0, 0.0, 0.0]


async def test_an_event_is_one_line_for_every_reader(world: World, client: httpx.AsyncClient) -> None:
    """Text may hold what some readers take for the end of a line."""
    text = "one\u2028two\u2029three\x85four\r\nfive\x0bsix\x1cseven\u0000"
    odd = document("p7", "col_a", fields={"text": text, "number": 10**30})
    await world.shop.metadata.write(lambda session: session.documents.put(PRINCIPAL, "col_a", [DocumentWrite(odd, {})]))
    only = stage("attribute_filter", field="number", operator="exists", value=True)
    body = {"stages": [only], "inputs": {}, "stream": True}
    response = await client.post("/v1/retrievers/execute", json=body)
    lines = [line for line in response.content.decode().splitlines() if line]
    assert all(line.startswith("data: {") and line.endswith("}") for line in lines)
    shown = json.loads(lines[-1][6:])["documents"]
    assert [(one["text"], one["number"]) for one in shown] == [(text, 10**30)]


@given(value=st.recursive(st.none() | st.text() | st.integers() | st.booleans(), st.lists, max_leaves=20))
def test_what_is_framed_is_read_back(value: Any) -> None:
    (data,) = event_data(framed({"value": value, "many": ["x" * 1000] * 200}))
    assert json.loads(data) == {"value": value, "many": ["x" * 1000] * 200}


def test_no_piece_is_larger_than_its_bound() -> None:
    pieces = list(framed({"text": "é" * 300_000}))
    assert max(len(piece) for piece in pieces) <= 64 * 1024 + 2
    assert len(pieces) > 9


_LATER = st.lists(
    st.sampled_from(
        [
            stage("limit", limit=2),
            stage("sort_attribute", sort_field="price", order="desc"),
            stage("attribute_filter", field="price", operator="gte", value=10),
            stage("deduplicate", fields=["brand"]),
            stage("sample", count=3),
            stage("score_normalize", method="min_max"),
            stage("aggregate", aggregations=[{"function": "count", "alias": "n"}]),
            {**stage("break"), "on_error": "skip"},
            stage("break"),
        ]
    ),
    max_size=4,
    unique_by=lambda one: one["stage_name"],
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(later=_LATER, query=st.sampled_from(["running shoes", "knife", "novel"]), size=st.integers(1, 4))
def test_streaming_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, later: list[dict[str, Any]], query: str, size: int
) -> None:
    """The same ids and scores, the same answer, the same record, whatever the pipeline."""
    # An offset page's record holds no cursor, in which the execution's own id would stand.
    body: dict[str, Any] = {"inputs": {"query": query}, "pagination": {"method": "offset", "page_size": size}}
    stages = [search("{{INPUT.query}}"), *later]

    async def compare() -> None:
        async with opened(tmp_path_factory.mktemp("same")) as world, world.client() as client:
            whole = await client.post("/v1/retrievers/execute", json={**body, "stages": stages})
            last = (await streamed(client, *stages, **body))[-1]
            if whole.is_success:
                assert answered(last) == answered(whole.json())
                execution_id = whole.json()["execution_id"]
            else:
                assert last["error"] == whole.json()["error"]["message"]
                execution_id = whole.json()["error"]["details"]["execution_id"]
            assert seen(await record_of(world, last["execution_id"])) == seen(await record_of(world, execution_id))

    asyncio.run(compare())
