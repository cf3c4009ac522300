"""kill -9 while a batch ends and its alert's walk runs: each document asked about, each match told, under one id."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tamis.client import Client
from tests.e2e.test_webhooks import Receiver
from tests.live import LiveServer

KINDS = ("stolen", "bought", "lent")
OBJECTS = 300
"""Of one batch: its walk is of five chunks."""
PASSED = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}
TRIGGERED, ENDED = "alert.triggered", "alert.execution.completed"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def server(tmp_path: Path, receiver: Receiver) -> Iterator[LiveServer]:
    reach = {
        "DOMAINS": "127.0.0.1",
        "NETWORKS": "127.0.0.0/8",
        "PORTS": str(receiver.port),
        "REQUESTS_PER_MINUTE": "60000",
    }
    with LiveServer(tmp_path / "data", **{f"TAMIS_OUTSIDE_{name}": value for name, value in reach.items()}) as live:
        yield live


def furnish(client: Client, url: str) -> None:
    """An alert on what is brought into `goods`, which tells the receiver of what was stolen."""
    client.buckets.create(bucket_name="in", bucket_schema={"properties": {"kind": {"type": "string"}}})
    source = {"type": "bucket", "bucket_ids": ["in"]}
    passing = {**PASSED, "field_passthrough": [{"source_path": "kind"}]}
    client.post("collections", {
        "collection_name": "search-list", "source": source, "feature_extractor": passing, "enabled": False,
    })  # fmt: skip
    client.post("collections/search-list/documents", {"title": "stolen"})
    wanted = {"field": "title", "operator": "eq", "value": "{{INPUT.kind}}"}
    client.post("retrievers", {
        "retriever_name": "wanted", "collection_identifiers": ["search-list"],
        "input_schema": {"kind": {"type": "string", "required": True}},
        "stages": [{"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": wanted}}],
    })  # fmt: skip
    heard: Any = [ENDED]
    client.webhooks.create(
        webhook_name="bell", event_types=heard, channels=[{"channel": "webhook", "configs": {"url": url}}]
    )
    told = {"channels": [{"channel_type": "webhook", "channel_id": "bell"}]}
    client.post("alerts", {"name": "thefts", "retriever_id": "wanted", "notification_config": told})
    by_kind = [{"input_key": "kind", "source": {"source_type": "document_field", "path": "kind"}}]
    client.post("collections", {
        "collection_name": "goods", "source": source, "feature_extractor": passing,
        "alert_applications": [{"alert_id": "thefts", "input_mappings": by_kind}],
    })  # fmt: skip


def submit(client: Client) -> str:
    objects = [{"metadata": {"kind": KINDS[place % 3]}, "blobs": []} for place in range(OBJECTS)]
    made: list[str] = []
    for start in range(0, OBJECTS, 100):
        answer = client.post("buckets/in/objects/batch", {"objects": objects[start : start + 100]})
        made += [one["object_id"] for one in answer]
    batch_id = client.post("buckets/in/batches", {"object_ids": made})["batch_id"]
    client.post(f"buckets/in/batches/{batch_id}/submit")
    return str(batch_id)


def asked(client: Client) -> list[dict[str, Any]]:
    """All that the alert came to."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.get("alerts/thefts/executions", limit=1000, offset=len(found))
        found += page["results"]
        if len(found) >= page["total_count"]:
            return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill_as_it_walks(server: LiveServer, kill: Callable[[LiveServer], None], more_than: int) -> None:
    """As soon as something more has been asked."""
    with server.client() as client:
        until(lambda: client.get("alerts/thefts/executions", limit=1)["total_count"] > more_than)
    kill(server)
    server.start()


def check(server: LiveServer, receiver: Receiver, batches: list[str]) -> None:
    """Once all has been told: each document of each batch asked about once, each match told, under one id."""
    expected = len(batches) * OBJECTS // 3

    def heard(event_type: str) -> dict[str, Any]:
        with receiver.came:
            return {one["id"]: one["data"] for one in receiver.heard if one["type"] == event_type}

    until(lambda: len(heard(ENDED)) >= len(batches) and len(heard(TRIGGERED)) >= expected)
    with server.client() as client:
        executions = asked(client)
        documents = client.get("collections/goods")["document_count"]
    assert documents == len(batches) * OBJECTS
    keys = Counter((one["cause"], one["source_documents"][0]) for one in executions)
    assert len(keys) == keys.total() == documents, "each is recorded once, and none is lost"
    assert [one["error"] for one in executions if one["error"]] == []
    told = Counter((one["cause"], one["source_documents"][0]) for one in heard(TRIGGERED).values())
    assert told == Counter((one["cause"], one["source_documents"][0]) for one in executions if one["triggered"])
    assert told.total() == expected
    ended = {one["batch_id"]: one for one in heard(ENDED).values()}
    assert sorted(ended) == sorted(batches)
    for one in ended.values():
        counts = one["triggered_documents"], one["failed_documents"], one["over_budget_documents"]
        assert (one["status"], *counts) == ("COMPLETED", OBJECTS // 3, 0, 0)


def test_what_an_alert_finds_is_told_across_kills(server: LiveServer, receiver: Receiver) -> None:
    with server.client() as client:
        furnish(client, receiver.url)
        batches = [submit(client)]
    for more_than in (0, OBJECTS // 2):
        kill_as_it_walks(server, LiveServer.kill_group, more_than)
    check(server, receiver, batches)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [LiveServer.kill_group, LiveServer.kill])
@pytest.mark.parametrize("seed", range(5))
def test_wherever_the_server_is_killed(
    server: LiveServer, receiver: Receiver, kill: Callable[[LiveServer], None], seed: int
) -> None:
    """At any moment between the submission and the last that is told; deaf at times, so that telling is cut off."""
    chance = random.Random(seed)
    with server.client() as client:
        furnish(client, receiver.url)
    batches = []
    for _ in range(6):
        receiver.is_deaf = chance.random() < 0.3
        with server.client() as client:
            batches.append(submit(client))
        time.sleep(chance.uniform(0, 1.5))
        kill(server)
        receiver.is_deaf = False
        server.start()
    check(server, receiver, batches)
