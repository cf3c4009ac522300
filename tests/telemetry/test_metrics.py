"""Metrics as a scraper reads them: each count is what was run."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from tamis.api import metrics as route
from tamis.api.correlation import Correlation
from tamis.api.errors import add_error_handlers
from tamis.engine.ports.cache import CacheUsage, Layer
from tamis.engine.ports.telemetry import Vitals
from tamis.telemetry.metrics import Metrics
from tamis.telemetry.page import MetricsPage
from tamis.telemetry.watching import Telemetry
from tests.retrieval_world import HEADERS, REGISTRY, World, opened, search, stage

VITALS = Vitals(2, 3, 40, {"metadata": True, "vector_store": False}, CacheUsage(7, 700, 9000, 2))


class Samples:
    """A page of metrics, parsed."""

    def __init__(self, text: str) -> None:
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in prometheus(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._values[name, frozenset(labels.items())]

    @property
    def labels(self) -> set[str]:
        return {value for _, labels in self._values for _, value in labels}


class Scraped:
    def __init__(self, world: World, telemetry: Telemetry) -> None:
        self.world = world
        self.telemetry = telemetry
        self.app = world.app
        self.app.include_router(route.router)
        self.asked = 0
        self.open()
        transport = httpx.ASGITransport(Correlation(self.app, telemetry), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://tamis", headers=HEADERS)

    def open(self, token: str | None = None, host: str = "127.0.0.1", on: bool = True) -> None:
        page = MetricsPage(self.telemetry.metrics if on else None, self.vitals, token, host)
        self.app.state.services = {**self.app.state.services, MetricsPage: page}

    async def vitals(self) -> Vitals:
        self.asked += 1
        return VITALS

    async def execute(self, *stages: dict[str, Any], path: str = "execute") -> Any:
        body = {"stages": list(stages)} if path == "execute" else {}
        return (await self.client.post(f"/v1/retrievers/{path}", json=body)).json()

    async def samples(self) -> Samples:
        answer = await self.client.get("/metrics")
        assert answer.status_code == 200, answer.text
        return Samples(answer.text)


@pytest.fixture
async def scraped(tmp_path: Path) -> AsyncIterator[Scraped]:
    telemetry = Telemetry(Metrics([*REGISTRY]))
    async with opened(tmp_path, telemetry) as world:
        found = Scraped(world, telemetry)
        async with found.client:
            yield found


async def test_counts_are_what_was_run(scraped: Scraped) -> None:
    for _ in range(3):
        await scraped.execute(search(), stage("limit", limit=1))
    await scraped.execute(search(), stage("break"))
    optional = stage("break")
    optional["config"]["on_error"] = "skip"
    await scraped.execute(search(), optional)
    found = await scraped.samples()
    assert found("tamis_executions_total", mode="anonymous", status="completed") == 3
    assert found("tamis_executions_total", mode="anonymous", status="failed") == 1
    assert found("tamis_executions_total", mode="anonymous", status="degraded") == 1
    assert found("tamis_executions_total", mode="saved", status="completed") == 0
    assert found("tamis_stages_total", stage="feature_search", outcome="completed") == 5
    assert found("tamis_stages_total", stage="break", outcome="failed") == 1
    assert found("tamis_stages_total", stage="break", outcome="skipped") == 1
    assert found("tamis_stage_duration_seconds_count", stage="feature_search") == 5
    assert found("tamis_stage_duration_seconds_count", stage="limit") == 3
    assert found("tamis_execution_duration_seconds_count", mode="anonymous") == 5
    assert found("tamis_record_lag_seconds_count") == 5
    assert (
        0
        < found("tamis_record_lag_seconds_sum")
        < found("tamis_execution_duration_seconds_sum", mode="anonymous") * 100
    )


async def test_credits_and_modes(scraped: Scraped) -> None:
    made = {"retriever_name": "shoes", "collection_identifiers": ["products"], "stages": [search()]}
    assert (await scraped.client.post("/v1/retrievers", json=made)).is_success
    spent = [(await scraped.execute(path="shoes/execute"))["budget"]["credits_used"] for _ in range(2)]
    found = await scraped.samples()
    assert found("tamis_executions_total", mode="saved", status="completed") == 2
    assert found("tamis_credits_used_total") == pytest.approx(sum(spent))
    assert sum(spent) > 0


async def test_buckets_go_below_a_millisecond(scraped: Scraped) -> None:
    await scraped.execute(search(), stage("limit", limit=1))
    found = await scraped.samples()
    bounds = [found("tamis_stage_duration_seconds_bucket", stage="limit", le=le) for le in ("0.0001", "0.0005", "+Inf")]
    assert bounds == sorted(bounds)
    assert bounds[-1] == 1


async def test_no_label_says_who_or_what(scraped: Scraped) -> None:
    answer = await scraped.execute(search("running shoes"), stage("limit", limit=1))
    labels = (await scraped.samples()).labels
    strange = {"ns_1", "org_1", "shop", "products", "running shoes", "search", answer["execution_id"]}
    assert not strange & labels


async def test_a_page_of_a_ranking_is_an_execution_whose_stages_did_not_run(scraped: Scraped) -> None:
    body = {"stages": [search()], "pagination": {"method": "cursor", "limit": 1}}
    first = (await scraped.client.post("/v1/retrievers/execute", json=body)).json()
    body["pagination"] = {"method": "cursor", "limit": 1, "cursor": first["pagination"]["next_cursor"]}
    assert (await scraped.client.post("/v1/retrievers/execute", json=body)).is_success
    found = await scraped.samples()
    assert found("tamis_executions_total", mode="anonymous", status="completed") == 2
    assert found("tamis_stage_duration_seconds_count", stage="feature_search") == 1


async def test_the_servers_state_is_told_and_not_asked_for_at_every_scrape(scraped: Scraped) -> None:
    for _ in range(3):
        found = await scraped.samples()
    assert scraped.asked == 1
    assert found("tamis_executions_running") == VITALS.executions_running
    assert found("tamis_batches_unfinished") == VITALS.batches_unfinished
    assert found("tamis_batch_items_waiting") == VITALS.items_waiting
    assert (found("tamis_part_up", part="metadata"), found("tamis_part_up", part="vector_store")) == (1, 0)
    assert (found("tamis_cache_bytes", of="used"), found("tamis_cache_bytes", of="capacity")) == (700, 9000)
    assert found("tamis_cache_evictions") == 2
    assert found("process_resident_memory_bytes") > 0


async def test_look_ups_are_told_by_layer(scraped: Scraped) -> None:
    for layer, hit in ((Layer.ANSWER, True), (Layer.ANSWER, False), (Layer.STAGE, True), (Layer.ANSWER, True)):
        scraped.telemetry.looked_up(layer, hit)
    found = await scraped.samples()
    assert found("tamis_cache_lookups_total", layer="answer", result="hit") == 2
    assert found("tamis_cache_lookups_total", layer="answer", result="miss") == 1
    assert found("tamis_cache_lookups_total", layer="stage", result="hit") == 1
    assert found("tamis_cache_lookups_total", layer="inference", result="hit") == 0


async def test_answers_are_counted_by_status(scraped: Scraped) -> None:
    await scraped.client.get("/nowhere")
    await scraped.client.post("/v1/retrievers/execute", json={"stages": 1})
    found = await scraped.samples()
    assert found("tamis_http_requests_total", status="404") == 1
    assert found("tamis_http_requests_total", status="422") == 1


async def test_openmetrics_for_who_asks_for_it(scraped: Scraped) -> None:
    answer = await scraped.client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = openmetrics(answer.text)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    assert "tamis_executions" in {family.name for family in families}


@pytest.mark.parametrize(
    ("token", "host", "sent", "status"),
    [
        (None, "127.0.0.1", None, 200),
        (None, "127.8.8.8", None, 200),
        (None, "::1", None, 200),
        (None, "localhost", None, 200),
        (None, "0.0.0.0", None, 401),
        (None, "::", None, 401),
        (None, "10.0.0.7", "anything", 401),
        (None, "search.example.com", None, 401),
        ("hush", "127.0.0.1", None, 401),
        ("hush", "0.0.0.0", "hus", 401),
        ("hush", "0.0.0.0", "hush ", 200),
        ("hush", "0.0.0.0", "hush", 200),
    ],
)
async def test_who_may_read_them(scraped: Scraped, token: str | None, host: str, sent: str | None, status: int) -> None:
    scraped.open(token, host)
    del scraped.client.headers["authorization"]
    headers = {"authorization": f"Bearer {sent}"} if sent else {}
    answer = await scraped.client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("tamis_executions_total" in answer.text) == (status == 200)


async def test_off_is_not_there(scraped: Scraped) -> None:
    scraped.open(on=False)
    assert (await scraped.client.get("/metrics")).status_code == 404
    assert (await scraped.execute(search()))["documents"]


async def test_a_fault_in_telling_is_not_the_executions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Metrics):
        def recorded(self, header: object, lag_ms: float, events: object) -> None:
            raise RuntimeError("no room")

    async with opened(tmp_path, Telemetry(Broken([]))) as world, world.client() as client:
        answer = await client.post("/v1/retrievers/execute", json={"stages": [search()]})
    assert answer.json()["status"] == "completed"
    assert "could not be told of" in caplog.text


def test_the_page_is_no_part_of_the_contract() -> None:
    api = FastAPI()
    add_error_handlers(api)
    api.include_router(route.router)
    assert api.openapi()["paths"] == {}
