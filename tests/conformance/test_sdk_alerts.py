"""Alerts of the later contract, driven by the published client."""

import json
import time
from collections.abc import Iterator
from typing import Any

import mixpeek
import pytest

from tests.conformance.conftest import Corpus
from tests.conformance.wire import Contract, Wire
from tests.live import LiveServer
from tests.shared_data import shared

MADE = {
    "name": "knives", "description": "of the kitchen", "retriever_id": "by-topic", "metadata": {"by": "us"},
    "notification_config": {"channels": [{"channel_type": "webhook", "channel_id": "bell"}], "include_scores": False},
}  # fmt: skip
BY_TOPIC = {"field": "topic", "operator": "eq", "value": "{{INPUT.topic}}"}
APPLIED = {
    "alert_id": "knives", "execution_mode": "on_demand",
    "input_mappings": [{"input_key": "topic", "source": {"source_type": "document_field", "path": "topic"}}],
}  # fmt: skip


@pytest.fixture
def later(wire: Wire) -> Iterator[Wire]:
    """Every answer has to be as the later contract says, which alone has alerts."""
    yield wire
    contract = Contract(json.loads(shared("contract/api-later.json").read_text()))
    answers = [one for one in wire.answers if one.path.startswith("/v1/alerts")]
    assert [fault for answer in answers for fault in contract.faults(answer)] == []


@pytest.fixture
def retriever(server: LiveServer, corpus: Corpus) -> Iterator[str]:
    """A retriever, and a webhook to tell."""
    with server.client(corpus.namespace) as client:
        hook: Any = {"channel": "webhook", "configs": {"url": "https://example.com"}}
        client.webhooks.create(webhook_name="bell", event_types=["object.deleted"], channels=[hook])
        client.post("retrievers", {
            "retriever_name": "by-topic", "collection_identifiers": [corpus.collection_id],
            "input_schema": {"topic": {"type": "string", "required": True}},
            "stages": [{"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": BY_TOPIC}}],
        })  # fmt: skip
        yield "by-topic"
        client.delete("retrievers/by-topic")
        client.webhooks.delete("bell")


def test_an_alert_is_made_applied_executed_and_read(
    later: Wire, generated: mixpeek.ApiClient, corpus: Corpus, retriever: str, server: LiveServer
) -> None:
    alerts = mixpeek.AlertsApi(generated)
    wanted: Any = mixpeek.CreateAlertRequest.from_dict({**MADE, "retriever_id": retriever})
    made = alerts.create_alert(wanted)
    assert made.alert_id is not None
    assert made.notification_config.include_scores is False
    collections = mixpeek.CollectionsApi(generated)
    application: Any = mixpeek.AlertApplicationConfigInput.from_dict(APPLIED)
    change = {"alert_applications": [application.to_dict()]}
    assert collections.update_collection_without_preload_content(corpus.collection_id, change).data
    assert later.last()["alert_applications"][0]["execution_mode"] == "on_demand"

    with server.client(corpus.namespace) as client:  # the published client knows of no such operation
        task = client.post("alerts/knives/execute", {"collection_id": corpus.collection_id})
        for _ in range(3000):
            if client.get(f"tasks/{task['task_id']}")["status"] == "COMPLETED":
                break
            time.sleep(0.01)
    of_one = alerts.list_alert_executions("knives", limit=4)
    assert (of_one.total_count, len(of_one.results or [])) == (6, 4)
    assert {(one.triggered, one.match_count) for one in of_one.results or []} == {(True, 3)}
    of_all = alerts.list_all_executions_alerts(limit=10)
    assert {one.alert_id for one in of_all.results or []} == {made.alert_id}

    assert alerts.get_alert(made.alert_id) == made
    patched = alerts.patch_alert("knives", mixpeek.PatchAlertRequest(enabled=False, description="dull"))
    assert (patched.enabled, patched.description, patched.metadata) == (False, "dull", {"by": "us"})
    listed = alerts.list_alerts_0(list_alerts_request=mixpeek.ListAlertsRequest(search="knives"))
    assert [one.alert_id for one in listed.results] == [made.alert_id]
    assert listed.stats is not None
    assert listed.stats.disabled_alerts == 1
    with pytest.raises(mixpeek.ApiException) as refused:
        alerts.delete_alert("knives")
    assert refused.value.status == 409
    change = {"alert_applications": []}
    assert collections.update_collection_without_preload_content(corpus.collection_id, change).data
    alerts.delete_alert("knives")
    with pytest.raises(mixpeek.ApiException) as gone:
        alerts.get_alert("knives")
    assert gone.value.status == 404
