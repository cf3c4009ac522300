"""Spans of executions, as a collector gets them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace

from tamis.api.correlation import Correlation
from tamis.executions.codec import decode
from tamis.model.execution import StoredExecution
from tamis.telemetry.exporting import open_tracing, tracing_plan
from tamis.telemetry.watching import Telemetry
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import HEADERS, Wait, World, opened, search, stage
from tests.telemetry.collector import ERROR, INTERNAL, SERVER, Collector, Span, collecting

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SECRET = "running shoes"  # what is searched for: no span may hold it


class Traced:
    """The world behind the outermost layer, its spans on the way to a collector."""

    def __init__(self, world: World, telemetry: Telemetry, collector: Collector) -> None:
        self.world = world
        self.telemetry = telemetry
        self._collector = collector
        transport = httpx.ASGITransport(Correlation(world.app, telemetry), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://tamis", headers=HEADERS)

    async def execute(self, *stages: dict[str, Any], headers: dict[str, str] | None = None, **more: Any) -> Any:
        body = {"stages": list(stages), "collection_identifiers": ["products"], **more}
        return (await self.client.post("/v1/retrievers/execute", json=body, headers=headers or {})).json()

    async def spans(self) -> list[Span]:
        """All that were made; none can be made after this."""
        await self.telemetry.close()
        return sorted(self._collector.spans, key=lambda span: span.start_ns)


@pytest.fixture
async def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Traced]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        telemetry = Telemetry(spans=open_tracing())
        async with opened(tmp_path, telemetry) as world:
            found = Traced(world, telemetry, collector)
            async with found.client:
                yield found


async def test_an_execution_and_its_stages_hang_together(traced: Traced) -> None:
    answer = await traced.execute(search(SECRET), stage("limit", limit=2))
    execution, *stages = await traced.spans()
    collection_id = execution.attributes["tamis.collection.ids"][0]
    assert execution.name == f"retrieval {collection_id}"
    assert (execution.kind, execution.parent_id, execution.status) == (SERVER, "", 0)
    expected = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.provider.name": "tamis",
        "gen_ai.data_source.id": collection_id,
        "tamis.execution.mode": "anonymous",
        "tamis.execution.status": "completed",
        "tamis.namespace.id": "ns_1",
        "tamis.stages.total": 2,
        "tamis.stages.completed": 2,
    }
    assert expected.items() <= execution.attributes.items()
    assert [span.name for span in stages] == ["stage feature_search", "stage limit"]
    assert [span.attributes["tamis.stage.index"] for span in stages] == [0, 1]
    assert {span.attributes["tamis.execution.id"] for span in (execution, *stages)} == {answer["execution_id"]}
    assert {(span.trace_id, span.parent_id, span.kind) for span in stages} == {
        (execution.trace_id, execution.span_id, INTERNAL)
    }
    found = stages[1].attributes
    assert (found["tamis.documents.in"] >= 2, found["tamis.documents.out"]) == (True, 2)
    for span in stages:
        assert execution.start_ns <= span.start_ns <= span.end_ns <= execution.end_ns


async def test_no_span_holds_content(traced: Traced) -> None:
    answer = await traced.execute(search("{{INPUT.query}}"), inputs={"query": SECRET})
    assert answer["documents"]
    broken = await traced.execute(search(), stage("break"))
    assert broken["error"]["type"] == "StageError"
    spans = await traced.spans()
    told = repr(spans)
    assert SECRET not in told
    assert "division by zero" not in told
    assert not any(document["document_id"] in told for document in answer["documents"])


async def test_the_callers_span_is_the_parent_and_stands_in_the_record(traced: Traced) -> None:
    answer = await traced.execute(search(), headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1"})
    execution = (await traced.spans())[0]
    assert (execution.trace_id, execution.parent_id) == (TRACE, PARENT)
    assert decode(await stored(traced.world, answer["execution_id"])).traceparent == TRACEPARENT


async def stored(world: World, execution_id: str) -> StoredExecution:
    return await world.records.find(PRINCIPAL, execution_id)


@pytest.mark.parametrize(
    "malformed",
    [
        "", "00", f"00-{TRACE}-{PARENT}", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-more",
        f"01-{TRACE}-{PARENT}-01-{'x' * 10_000}",
    ],
)  # fmt: skip
async def test_a_malformed_parent_is_none(traced: Traced, malformed: str) -> None:
    answer = await traced.execute(search(), headers={"traceparent": malformed})
    execution = (await traced.spans())[0]
    assert (execution.parent_id, execution.trace_id != TRACE) == ("", True)
    assert decode(await stored(traced.world, answer["execution_id"])).traceparent is None


async def test_a_caller_that_is_not_sampled_is_not_traced(traced: Traced) -> None:
    assert (await traced.execute(search(), headers={"traceparent": f"00-{TRACE}-{PARENT}-00"}))["documents"]
    assert await traced.spans() == []


async def test_a_failure_is_told_by_its_kind(traced: Traced) -> None:
    await traced.execute(search(), stage("break"), stage("limit", limit=1))
    execution, found, broken = await traced.spans()
    assert (found.status, broken.status, execution.status) == (0, ERROR, ERROR)
    assert broken.attributes["tamis.stage.outcome"] == "failed"
    assert broken.attributes["error.type"] == execution.attributes["error.type"] == "ZeroDivisionError"
    assert execution.attributes["tamis.execution.status"] == "failed"


async def test_what_was_skipped_or_cut_is_told(traced: Traced) -> None:
    optional = stage("break")
    optional["config"]["on_error"] = "skip"
    await traced.execute(search(), optional)
    await traced.execute(search(), stage("limit", limit=1), budget_limits={"max_credits": 0})
    spans = await traced.spans()
    outcomes = [span.attributes.get("tamis.stage.outcome") for span in spans if "stage" in span.name]
    assert outcomes[:2] == ["completed", "skipped"]
    assert outcomes[-1] == "cut"
    assert spans[-1].attributes["tamis.budget.limit"] == "max_credits"
    assert {span.attributes["tamis.execution.status"] for span in spans if span.kind == SERVER} == {"degraded"}


async def test_a_page_of_a_ranking_is_told_as_what_it_is(traced: Traced) -> None:
    first = await traced.execute(search(), pagination={"method": "cursor", "limit": 1})
    cursor = first["pagination"]["next_cursor"]
    second = await traced.execute(search(), pagination={"method": "cursor", "limit": 1, "cursor": cursor})
    own = [span for span in await traced.spans() if span.attributes["tamis.execution.id"] == second["execution_id"]]
    execution, found = own
    assert execution.attributes["tamis.cache.hit_rate"] == 1.0
    assert (found.parent_id, found.attributes["tamis.stage.outcome"]) == (execution.span_id, "cached")
    assert found.attributes["tamis.cache.hit"] is True


async def test_a_cancelled_execution_ends_its_spans(traced: Traced) -> None:
    running = asyncio.create_task(traced.execute(search(), stage("wait")))
    await Wait.reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    execution, _, waiting = await traced.spans()
    assert execution.attributes["tamis.execution.status"] == waiting.attributes["tamis.stage.outcome"] == "cancelled"
    assert (execution.status, waiting.status) == (0, 0)
    assert not trace.get_current_span().get_span_context().is_valid


async def test_executions_at_once_keep_their_spans_apart(traced: Traced) -> None:
    answers = await asyncio.gather(*(traced.execute(search(), stage("limit", limit=n + 1)) for n in range(8)))
    spans = await traced.spans()
    assert len(spans) == 24
    for answer in answers:
        own = [span for span in spans if span.attributes["tamis.execution.id"] == answer["execution_id"]]
        (execution,) = [span for span in own if span.kind == SERVER]
        assert sorted(span.parent_id for span in own) == ["", execution.span_id, execution.span_id]
        assert {span.trace_id for span in own} == {execution.trace_id}


def test_nothing_asked_for_is_off() -> None:
    assert not tracing_plan({}).is_on
    assert not tracing_plan({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}).is_on
    assert not tracing_plan({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "True"}).is_on
    assert not tracing_plan({"OTEL_SERVICE_NAME": "search"}).is_on


def test_what_is_asked_for_is_named_without_its_secrets() -> None:
    plan = tracing_plan({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://user:hush@collector:4318/v1/traces?key=hush"})
    assert (plan.exporters, plan.target) == (("otlp_proto_http",), "otlp (https://collector:4318)")
    assert tracing_plan({"OTEL_TRACES_EXPORTER": "console"}).is_on


@pytest.mark.parametrize(
    "environment", [{"OTEL_TRACES_EXPORTER": "carrier-pigeon"},
                    {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "semaphore"}],
)  # fmt: skip
def test_what_cannot_be_had_is_a_warning(environment: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert open_tracing(environment) is None
    assert "no such exporter of traces" in caplog.text
