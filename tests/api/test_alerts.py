"""Alerts over a real system: new documents are asked about once, whoever asks and however often, and it is told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tamis.app import build_app
from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.jobs.alerting import AlertWalker
from tamis.jobs.walking import WalkWorker
from tamis.model.principal import Principal
from tamis.services.data.alert_applications import WATCH
from tamis.services.data.applications import follow_batch
from tamis.services.runs.executions import ExecutionService
from tamis.services.upkeep.indexing import Indexer
from tamis.settings import Settings
from tamis.wiring.clock import SystemClock
from tamis.wiring.system import System, open_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk_watchman_0123456789abcdef0123456789abcd"
BY_KIND = [{"input_key": "kind", "source": {"source_type": "document_field", "path": "kind"}}]
PASSED = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}

WANTED = {"field": "title", "operator": "eq", "value": "{{INPUT.kind}}"}
FIND = {"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": WANTED}}
BREAK = {"template": "no JSON", "fail_on_error": True}
FAIL = {"stage_name": "fail", "config": {"stage_id": "json_transform", "parameters": BREAK}}


@dataclass
class Watch:
    system: System
    http: httpx.AsyncClient
    webhook_id: str = ""
    namespace: str = "default"

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "X-Namespace": self.namespace}
        answer = await self.http.request(method, f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def walked(self) -> None:
        worker: WalkWorker = self.system.services[WalkWorker]
        await worker.drain()

    async def alert(self, name: str, status: int = 200, **more: Any) -> Any:
        told = {"channels": [{"channel_type": "webhook", "channel_id": "bell"}]}
        body = {"name": name, "retriever_id": "wanted", "notification_config": told, **more}
        return await self.ask("POST", "alerts", body, status)

    async def collection(self, name: str, *alerts: dict[str, Any], status: int = 200) -> Any:
        return await self.ask("POST", "collections", {
            "collection_name": name, "source": {"type": "bucket", "bucket_ids": ["in"]}, "enabled": True,
            "feature_extractor": {**PASSED, "field_passthrough": ["kind"]}, "alert_applications": list(alerts),
        }, status)  # fmt: skip

    async def bring(self, *kinds: str) -> str:
        """Objects of these kinds, and what is made of them; the batch."""
        made = [await self.ask("POST", "buckets/in/objects", {"metadata": {"kind": kind}, "blobs": []})
                for kind in kinds]  # fmt: skip
        batch = await self.ask("POST", "buckets/in/batches", {"object_ids": [one["object_id"] for one in made]})
        await self.ask("POST", f"buckets/in/batches/{batch['batch_id']}/submit", {})
        await self.system.worker.drain()
        await self.walked()
        return str(batch["batch_id"])

    async def told(self, alert_id: str, event_type: str = "alert.triggered") -> list[dict[str, Any]]:
        """What the webhook was, or will be, told of the alert; oldest first."""
        log = await self.ask("GET", f"organizations/webhooks/{self.webhook_id}/deliveries?limit=1000")
        mine = [one for one in log["results"] if (one["resource_id"], one["event_type"]) == (alert_id, event_type)]
        return [one["data"] for one in reversed(mine)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watch(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    data_dir: Path = tmp_path_factory.mktemp("alerts") / "data"
    system = await open_system(
        Settings(data_dir=data_dir, root_key=KEY, allowed_hosts="tamis.test", prices={"attribute_filter": 1})
    )
    try:
        app = build_app(system)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tamis.test") as http:
            watch = Watch(system, http)
            await watch.ask("POST", "buckets", {
                "bucket_name": "in", "bucket_schema": {"properties": {"kind": {"type": "string"}}}
            })  # fmt: skip
            await watch.ask("POST", "collections", {
                "collection_name": "search-list", "source": {"type": "bucket", "bucket_ids": ["in"]},
                "enabled": False, "feature_extractor": {**PASSED, "field_passthrough": ["title"]},
            })  # fmt: skip
            await watch.ask("POST", "collections/search-list/documents", {"title": "stolen"})
            for name, stages in (("wanted", [FIND]), ("failing", [FIND, FAIL])):
                await watch.ask("POST", "retrievers", {
                    "retriever_name": name, "collection_identifiers": ["search-list"], "stages": stages,
                    "input_schema": {"kind": {"type": "string", "required": True}},
                })  # fmt: skip
            made = await watch.ask("POST", "organizations/webhooks/", {
                "webhook_name": "bell", "event_types": ["alert.execution.completed", "alert.execution.failed"],
                "channels": [{"channel": "webhook", "configs": {"url": "https://example.com"}}],
            }, 201)  # fmt: skip
            watch.webhook_id = made["webhook_id"]
            yield watch
    finally:
        await system.close()


async def test_an_alert_lives(watch: Watch) -> None:
    made = await watch.alert("life", description="of goods", metadata={"by": "us"}, max_credits=2)
    assert made["notification_config"]["channels"][0]["channel_id"] == watch.webhook_id
    assert (made["enabled"], made["max_credits"], made["metadata"]) == (True, 2, {"by": "us"})
    assert await watch.ask("GET", "alerts/life") == made
    await watch.alert("life", 409)
    patched = await watch.ask("PATCH", "alerts/life", {"enabled": False, "description": None, "max_credits": None})
    assert (patched["enabled"], patched["description"], patched["max_credits"]) == (False, None, None)
    assert patched["metadata"] == {"by": "us"}
    listed = await watch.ask("POST", "alerts/list", {"search": "life"})
    assert [one["alert_id"] for one in listed["results"]] == [made["alert_id"]]
    assert listed["stats"] == {
        "alerts_by_channel_type": {"webhook": 1}, "disabled_alerts": 1, "enabled_alerts": 0, "total_alerts": 1,
    }  # fmt: skip
    await watch.ask("DELETE", "alerts/life")
    for path in ("alerts/life", "alerts/life/executions"):
        await watch.ask("GET", path, status=404)


TOLD = {"channels": [{"channel_type": "webhook", "channel_id": "bell"}]}


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"name": "list"}, 422, ["body", "name"]),
        ({"retriever_id": "none"}, 422, ["body", "retriever_id"]),
        ({"max_credits": 0}, 422, ["body", "max_credits"]),
        ({"notification_config": {"channels": []}}, 422, ["body", "notification_config", "channels"]),
        ({"notification_config": {"channels": [{"channel_type": "webhook"}]}}, 422,
         ["body", "notification_config", "channels", 0, "channel_id"]),
        ({"notification_config": {"channels": [{"channel_type": "webhook", "channel_id": "none"}]}}, 422,
         ["body", "notification_config", "channels", 0, "channel_id"]),
        ({"notification_config": {"channels": [{"channel_type": "webhook", "config": {"url": "https://a.b"}}]}}, 422,
         ["body", "notification_config", "channels", 0, "config"]),
        ({"notification_config": {"channels": [{"channel_type": "email"}]}}, 501, None),
        ({"notification_config": {**TOLD, "template_id": "t"}}, 501, None),
    ],
)  # fmt: skip
async def test_what_is_none_is_refused_by_its_place(watch: Watch, body: Any, status: int, place: Any) -> None:
    answer = await watch.ask("POST", "alerts", {
        "name": "bad", "retriever_id": "wanted", "notification_config": TOLD, **body
    }, status)  # fmt: skip
    assert (answer.get("detail") or [{"loc": None}])[0]["loc"] == place


async def test_a_collection_names_alerts_that_are_there_and_inputs_from_somewhere(watch: Watch) -> None:
    await watch.alert("named")
    fine = {"alert_id": "named", "input_mappings": BY_KIND}

    def mapped(**source: Any) -> dict[str, Any]:
        return {**fine, "input_mappings": [{"input_key": "kind", "source": source}]}

    for applications, place in (
        ([{**fine, "alert_id": "none"}], [0, "alert_id"]),
        ([fine, fine], [1, "alert_id"]),
        ([{**fine, "execution_mode": "scheduled"}], [0, "execution_mode"]),
        ([{**fine, "input_mappings": BY_KIND * 2}], [0, "input_mappings", 1, "input_key"]),
        ([mapped(source_type="document_field")], [0, "input_mappings", 0, "source", "path"]),
        ([mapped(source_type="constant")], [0, "input_mappings", 0, "source", "value"]),
        ([mapped(source_type="elsewhere")], [0, "input_mappings", 0, "source", "source_type"]),
        ([{**fine, "more": 1}], [0, "more"]),
    ):
        refused = await watch.collection("nope", *applications, status=422)
        assert refused["detail"][0]["loc"] == ["body", "alert_applications", *place]
    await watch.ask("DELETE", "alerts/named")


async def test_new_documents_are_asked_about_once_and_what_is_found_is_told(watch: Watch) -> None:
    alert_id = (await watch.alert("thefts"))["alert_id"]
    made = await watch.collection("goods", {"alert_id": "thefts", "input_mappings": BY_KIND})
    assert made["alert_applications"][0]["execution_mode"] == "on_ingest"
    batch_id = await watch.bring("stolen", "bought", "stolen")
    listed = await watch.ask("GET", f"alerts/{alert_id}/executions?limit=10")
    assert (listed["total_count"], sum(one["triggered"] for one in listed["results"])) == (3, 2)
    hit = next(one for one in listed["results"] if one["triggered"])
    assert (hit["cause"], hit["match_count"], len(hit["matches"])) == (batch_id, 1, 1)
    record = await watch.ask("GET", f"retrievers/wanted/executions/{hit['execution_id']}")
    assert record["execution_id"] == hit["execution_id"]
    told = await watch.told(alert_id)
    sources = [one["source_documents"][0] for one in told]
    assert len(set(sources)) == len(sources) == 2
    assert told[0]["matches"][0].keys() == {"document_id", "collection_id", "asset_id", "score"}
    (ended,) = await watch.told(alert_id, "alert.execution.completed")
    assert (ended["batch_id"], ended["triggered_documents"], ended["error"]) == (batch_id, 2, None)

    metadata: Metadata = watch.system.backends.metadata
    ((principal, _),) = [
        one for one in await metadata.read(lambda session: session.every_namespace()) if one[1].name == "default"
    ]
    await _ends_again(metadata, principal, batch_id)
    await _walked_by_two(watch)
    assert len(await watch.told(alert_id)) == 2, "of one batch and document it is told once"
    assert len(await watch.told(alert_id, "alert.execution.completed")) == 2
    await watch.bring("stolen")
    assert len(await watch.told(alert_id)) == 3
    conflict = await watch.ask("DELETE", "alerts/thefts", status=409)
    assert "goods" in conflict["error"]["message"]
    await watch.ask("PATCH", "collections/goods", {"alert_applications": [], "enabled": False})
    await watch.ask("DELETE", "alerts/thefts")


async def _ends_again(metadata: Metadata, principal: Principal, batch_id: str) -> None:
    """As it does where sources that failed are tried again."""

    def end(session: Session) -> None:
        batch = session.batches.get(principal, batch_id)
        assert batch is not None
        follow_batch(session, principal, batch, SystemClock().now())

    await metadata.write(end)


async def _walked_by_two(watch: Watch) -> None:
    """Two workers that know nothing of each other, and the server's own."""
    backends = watch.system.backends
    executions: ExecutionService = watch.system.services[ExecutionService]
    indexer = Indexer(backends.metadata, backends.index)
    walkers = {WATCH: AlertWalker(backends.metadata, executions, SystemClock())}
    workers = [WalkWorker(backends.metadata, indexer, SystemClock(), walkers, LocalLocks()) for _ in range(2)]
    for worker in workers:
        worker.start()
    await asyncio.gather(watch.walked(), *(worker.drain() for worker in workers))
    for worker in workers:
        await worker.close()
    await indexer.close()


async def test_on_demand_and_only_what_matches(watch: Watch) -> None:
    alert_id = (await watch.alert("asked", notification_config={**TOLD, "include_scores": False}))["alert_id"]
    await watch.collection("stock", {"alert_id": "asked", "execution_mode": "on_demand", "input_mappings": BY_KIND})
    await watch.bring("stolen", "bought")
    assert await watch.told(alert_id) == [], "on demand, as a batch ends nothing is asked"
    only = {"field": "kind", "operator": "eq", "value": "stolen"}
    task = await watch.ask("POST", "alerts/asked/execute", {"collection_id": "stock", "filters": only})
    await watch.walked()
    done = await watch.ask("GET", f"tasks/{task['task_id']}")
    assert (done["status"], done["additional_data"]["triggered_documents"]) == ("COMPLETED", 1)
    (told,) = await watch.told(alert_id)
    assert "score" not in told["matches"][0]
    body = {"collection_id": "stock"}
    missing = [{"input_key": "kind", "source": {"source_type": "document_field", "path": "features.none"}}]
    task = await watch.ask("POST", "alerts/asked/execute", {**body, "input_mappings": missing})
    await watch.walked()
    assert (await watch.ask("GET", f"tasks/{task['task_id']}"))["additional_data"]["failed_documents"] == 2
    newest = (await watch.ask("GET", "alerts/executions"))["results"][0]
    assert newest["error"] == "the document has no 'features.none', which 'kind' is taken from"
    await watch.ask("POST", "alerts/asked/execute", {"collection_id": "search-list"}, 422)
    await watch.ask("POST", "alerts/asked/execute", {"collection_id": "none"}, 404)
    await watch.ask("PATCH", "collections/stock", {"alert_applications": [], "enabled": False})


@pytest.mark.parametrize("retriever", ["wanted", "failing"])
async def test_what_may_be_spent_is_spent_and_no_more(watch: Watch, retriever: str) -> None:
    """Each execution is one credit, also where its second stage fails."""
    alert_id = (await watch.alert(f"{retriever}-dear", retriever_id=retriever, max_credits=3))["alert_id"]
    application = {"alert_id": alert_id, "execution_mode": "on_demand", "input_mappings": BY_KIND}
    collection = f"{retriever}-stock"
    await watch.collection(collection, application)
    await watch.bring(*["stolen"] * 5)

    async def executed() -> tuple[list[float], dict[str, Any]]:
        task = await watch.ask("POST", f"alerts/{alert_id}/execute", {"collection_id": collection})
        await watch.walked()
        found = (await watch.ask("GET", f"alerts/{alert_id}/executions?limit=100"))["results"]
        told = await watch.ask("GET", f"tasks/{task['task_id']}")
        return [one["credits_used"] for one in found if one["cause"] == task["task_id"]], told["additional_data"]

    spent, told = await executed()
    assert spent == [1, 1, 1]
    assert (told["over_budget_documents"], told["spent_millicredits"]) == (2, 3000)
    assert told["failed_documents"] == (3 if retriever == "failing" else 0)
    await watch.ask("PATCH", f"alerts/{alert_id}", {"max_credits": 3.5})
    assert (await executed())[0] == [1] * 4, "the last may cost more than is left"
    await watch.ask("PATCH", f"alerts/{alert_id}", {"max_credits": None})
    assert (await executed())[0] == [1] * 5
    await watch.ask("PATCH", f"collections/{collection}", {"alert_applications": [], "enabled": False})


async def test_another_namespace_sees_and_touches_none_of_it(watch: Watch) -> None:
    await watch.alert("mine")
    await watch.ask("POST", "namespaces", {"namespace_name": "theirs", "feature_extractors": [PASSED]})
    theirs = Watch(watch.system, watch.http, watch.webhook_id, "theirs")
    for method, path, body in (
        ("GET", "alerts/mine", None),
        ("PATCH", "alerts/mine", {"description": "x"}),
        ("DELETE", "alerts/mine", None),
        ("GET", "alerts/mine/executions", None),
        ("POST", "alerts/mine/execute", {"collection_id": "search-list"}),
    ):
        await theirs.ask(method, path, body, 404)
    assert (await theirs.ask("POST", "alerts/list", {}))["total_count"] == 0
    assert (await theirs.ask("GET", "alerts/executions"))["total_count"] == 0
    await theirs.alert("mine", 422)
