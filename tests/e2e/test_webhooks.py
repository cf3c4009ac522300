"""Webhooks of a real server: by the API and the command, and no event lost when it is killed while it tells."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tamis.client import ApiError, Client
from tests.commands import tamis
from tests.live import LiveServer


class Receiver:
    """A server that hears events; while `is_deaf`, it hears them and never answers."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.is_deaf = False
        self.came = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.heard) >= count, timeout=60), self.heard
            return list(self.heard)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver.came:
                    receiver.heard.append(body)
                    receiver.came.notify_all()
                if receiver.is_deaf:
                    self.rfile.read(1)  # until the other side is gone
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        return Handler


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[LiveServer]:
    reach = {"DOMAINS": "127.0.0.1", "NETWORKS": "127.0.0.0/8", "PORTS": str(receiver.port)}
    environment = {f"TAMIS_OUTSIDE_{name}": value for name, value in reach.items()}
    with LiveServer(tmp_path_factory.mktemp("webhooks") / "data", **environment) as live:
        yield live


def _make(client: Client, url: str, name: str = "changes") -> str:
    made = client.webhooks.create(
        webhook_name=name,
        event_types=["object.created", "object.deleted", "collection.created"],
        channels=[{"channel": "webhook", "configs": {"url": url}}],
    )
    assert made["signing_secret"].startswith("whsec_")
    return made["webhook_id"]


def test_what_is_told_when_the_server_is_killed_is_told_again(live: LiveServer, receiver: Receiver) -> None:
    with live.client() as client:
        webhook_id = _make(client, receiver.url)
        client.buckets.create(bucket_name="things", bucket_schema={"properties": {"text": {"type": "text"}}})
        receiver.is_deaf = True
        for text in ("one", "two"):
            client.objects.create("things", blobs=[{"property": "text", "type": "text", "data": text}])
        first = {event["id"] for event in receiver.wait_for(2)}
        live.kill_group()
    receiver.is_deaf = False
    live.start()
    again = receiver.wait_for(4)[2:]
    assert {event["id"] for event in again} == first
    assert {event["type"] for event in again} == {"object.created"}
    with live.client() as client:
        log = client.webhooks.list_deliveries(webhook_id)
        assert log["total"] == 2
        assert {one["event_id"] for one in log["results"]} == first
        assert client.webhooks.replay_deliveries(webhook_id, delivery_ids=[log["results"][0]["delivery_id"]]) == {
            "replayed": 1
        }
        assert receiver.wait_for(5)[4]["id"] in first


def test_the_command_makes_lists_and_replays(live: LiveServer, receiver: Receiver, tmp_path: Path) -> None:
    made = tamis("webhook", "create", "by-hand", receiver.url, "--event", "collection.created", server=live)
    assert "whsec_" in made
    assert "by-hand" in tamis("webhook", "list", server=live)
    assert "waiting" not in tamis("webhook", "deliveries", "by-hand", server=live)
    assert "0 deliveries" in tamis("webhook", "replay", "by-hand", server=live)
    tamis("webhook", "delete", "by-hand", server=live)
    with live.client() as client, pytest.raises(ApiError) as refused:
        client.webhooks.get("by-hand")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"event_types": ["nothing.happened"]}, 422, "body.event_types.0"),
        ({"channels": []}, 422, "body.channels"),
        ({"channels": [{"channel": "slack", "configs": {"webhook_url": "https://a.b"}}]}, 501, "slack"),
        ({"channels": [{"channel": "webhook", "configs": {}}]}, 422, "body.channels.0.configs.url"),
        ({"channels": [{"channel": "webhook", "configs": {"url": "ftp://a.b/c"}}]}, 422, "body.channels.0.configs.url"),
        ({"channels": [{"channel": "webhook", "configs": {"url": "https://u:p@a.b"}}]}, 422, "{{SECRET.name}}"),
        ({"channels": [{"channel": "webhook", "configs": {"url": "https://[a/"}}]}, 422, "body.channels.0.configs.url"),
        ({"webhook_name": ""}, 422, "body.webhook_name"),
    ],
)
def test_what_is_no_webhook_is_refused(live: LiveServer, body: dict[str, Any], status: int, says: str) -> None:
    good = {
        "webhook_name": "good",
        "event_types": ["object.created"],
        "channels": [{"channel": "webhook", "configs": {"url": "https://example.com"}}],
    }
    with live.client() as client, pytest.raises(ApiError) as refused:
        client.post("organizations/webhooks/", {**good, **body})
    assert refused.value.status == status
    assert says in refused.value.message


def test_another_organisation_sees_no_webhook(live: LiveServer, receiver: Receiver) -> None:
    made = tamis("organization", "create", "others", "--email", "o@example.com", server=live)
    key = next(word for word in made.split() if word.startswith("sk_"))
    with live.client() as client:
        webhook_id = _make(client, receiver.url, "mine")
    with Client(live.url, key) as stranger:
        assert stranger.webhooks.list()["total"] == 0
        for ask in (stranger.webhooks.get, stranger.webhooks.list_deliveries, stranger.webhooks.delete):
            with pytest.raises(ApiError) as refused:
                ask(webhook_id)
            assert refused.value.status == 404
    with live.client() as client:
        client.webhooks.delete(webhook_id)
