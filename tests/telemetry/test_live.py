"""A real server: what it sends, serves and writes to whoever operates it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import tamis
from tests.live import LiveServer
from tests.telemetry.collector import SERVER, Collector, collecting
from tests.telemetry.test_metrics import Samples

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
QUIET = {name: "" for name in os.environ if name.startswith("OTEL_")}
URI = "mixpeek://text_extractor@v1/embedding"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[LiveServer]:
    environment = {
        **QUIET,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "the-sieve",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "TAMIS_LOG_FORMAT": "json",
    }
    with LiveServer(tmp_path_factory.mktemp("observed") / "data", **environment) as live:
        shelve(live)
        yield live


def shelve(server: LiveServer) -> None:
    """A collection with one document, whose vector is given: no model is needed."""
    with server.client() as client:
        schema = {"properties": {"t": {"type": "text"}}}
        bucket = client.post("buckets", {"bucket_name": "shelf", "bucket_schema": schema})
        extractor = {"feature_extractor_name": "text_extractor", "version": "v1", "input_mappings": {"text": "t"}}
        source = {"type": "bucket", "bucket_ids": [bucket["bucket_id"]]}
        made = client.post(
            "collections", {"collection_name": "shelf", "source": source, "feature_extractor": extractor}
        )
        feature = {"feature_extractor_id": "text_extractor_v1", "vectors": {"embedding": vector()}}
        document = {"t": "a book", "features": [feature]}
        client.post(f"collections/{made['collection_id']}/documents", document)


def vector() -> list[float]:
    return [1.0, *[0.0] * 383]


def execute(server: LiveServer, **headers: str) -> httpx.Response:
    search = {"feature_uri": URI, "query": {"input_mode": "vector", "value": vector()}}
    stages = [("feature_search", {"searches": [search]}), ("limit", {"limit": 3})]
    body = {
        "collection_identifiers": ["shelf"],
        "stages": [{"stage_name": name, "config": {"stage_id": name, "parameters": given}} for name, given in stages],
    }
    known = {"authorization": f"Bearer {server.key}", "x-namespace": "default"}
    answer = httpx.post(f"{server.url}/v1/retrievers/execute", json=body, headers=known | headers, timeout=60)
    assert answer.is_success, answer.text
    return answer


def test_spans_reach_the_collector_under_the_callers_span(server: LiveServer, collector: Collector) -> None:
    before = len(collector.spans)
    answer = execute(server, traceparent=f"00-{TRACE}-{PARENT}-01")
    spans = collector.wait_for(lambda spans: len(spans) >= before + 3)[before:]
    (execution,) = [span for span in spans if span.kind == SERVER]
    assert (execution.trace_id, execution.parent_id) == (TRACE, PARENT)
    assert {span.parent_id for span in spans if span is not execution} == {execution.span_id}
    assert {span.attributes["tamis.execution.id"] for span in spans} == {answer.json()["execution_id"]}
    assert execution.resource["service.name"] == "the-sieve"
    assert execution.resource["deployment.environment.name"] == "test"
    assert execution.resource["service.version"]


def test_metrics_are_what_was_run(server: LiveServer) -> None:
    before = Samples(httpx.get(f"{server.url}/metrics").text)
    for _ in range(4):
        execute(server)
    after = Samples(httpx.get(f"{server.url}/metrics").text)

    def grown(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert grown("tamis_executions_total", mode="anonymous", status="completed") == 4
    assert grown("tamis_stage_duration_seconds_count", stage="limit") == 4
    assert grown("tamis_record_lag_seconds_count") == 4
    assert grown("tamis_http_requests_total", status="200") == 5
    assert after("tamis_batch_items_waiting") == 0
    assert after("tamis_part_up", part="vector_store") == 1


def test_log_lines_are_json_and_lead_from_request_to_record(server: LiveServer) -> None:
    answer = execute(server, **{"x-request-id": "find-me"})
    assert answer.headers["x-request-id"] == "find-me"
    told: list[dict[str, Any]] = []
    deadline = time.monotonic() + 10
    # The request's line is written once its answer is out.
    while len(told) < 2 and time.monotonic() < deadline:
        told = [line for line in log_lines(server) if line.get("request_id") == "find-me"]
    assert [line["logger"] for line in told] == ["tamis.execution", "tamis.request"]
    assert told[0]["execution_id"] == answer.json()["execution_id"]
    assert not [line for line in log_lines(server) if line.get("path") in ("/metrics", "/readyz")]


def log_lines(server: LiveServer) -> list[dict[str, Any]]:
    """What comes before the first line of the log is the greeting, for people."""
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]


def test_a_collector_that_is_away_is_no_matter(tmp_path: Path) -> None:
    environment = {**QUIET, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "20"}
    with LiveServer(tmp_path / "data", **environment) as server:
        shelve(server)
        assert {execute(server).json()["status"] for _ in range(5)} == {"completed"}
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("is_on", [False, True])
def test_the_sdk_is_imported_only_where_traces_are_on(tmp_path: Path, is_on: bool, collector: Collector) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from tamis.settings import Settings\n"
        "from tamis.app import build_app; from tamis.wiring.system import open_system\n"
        "async def main():\n"
        "    system = await open_system(Settings(data_dir=Path(sys.argv[1])))\n"
        "    build_app(system)\n"
        "    await system.close()\n"
        "asyncio.run(main())\n"
        "print([name for name in ('opentelemetry.sdk', 'requests', 'google.protobuf') if name in sys.modules])"
    )
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} if is_on else {}
    environment = {**os.environ, **QUIET, **asked}
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert ("opentelemetry.sdk" in done.stdout) == is_on
    assert is_on or done.stdout.strip() == "[]"


def test_the_doctor_says_what_is_on(collector: Collector) -> None:
    def told(**environment: str) -> str:
        given: dict[str, Any] = {**QUIET, "COLUMNS": "160", **environment}
        return " ".join(tamis("doctor", **given).split())

    assert "traces: off (OTEL_EXPORTER_OTLP_ENDPOINT); metrics: on at /metrics, from this machine alone" in told()
    on = told(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, TAMIS_METRICS="false")
    assert f"traces: on, to otlp ({collector.url}); metrics: off (TAMIS_METRICS)" in on
