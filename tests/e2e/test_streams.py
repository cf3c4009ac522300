"""Streams of a real server: left, killed, shown by the command."""

import json
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tamis.client import ApiError, BrokenStreamError, Client
from tests.commands import tamis
from tests.live import LiveServer, Room

TOPICS = ("harbour", "bread", "lighthouse", "whetstone", "tide", "sieve")
URI = "mixpeek://text_extractor@v1/embedding"


@pytest.fixture(scope="module")
def server(server: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    load(server, tmp_path_factory.mktemp("notes") / "notes")
    return server


def load(server: LiveServer | Room, folder: Path) -> None:
    folder.mkdir()
    for topic in TOPICS:
        (folder / f"{topic}.txt").write_text(f"A note about the {topic}.")
    tamis("load", folder, server=server)


def stages(count: int, run: str = "") -> list[dict[str, Any]]:
    """Searches for texts of their own, which no cache can have: each takes the model a while."""
    return [
        {
            "stage_name": f"search{n}",
            "config": {
                "stage_id": "feature_search",
                "parameters": {
                    "searches": [
                        {"feature_uri": URI, "query": f"{run} {n} {m} " + "the tide turns at the harbour " * 40}
                        for m in range(10)
                    ]
                },
            },
        }
        for n in range(count)
    ]


def long_run(run: str) -> dict[str, Any]:
    """Far longer than a test waits."""
    return {"stages": stages(200, run), "inputs": {}}


def status_of(client: Client, execution_id: str) -> dict[str, Any]:
    """Its record, once it does not run any more."""
    for _ in range(400):
        record: dict[str, Any] = client.get(f"retrievers/executions/{execution_id}")
        if record["status"] != "processing":
            return record
        time.sleep(0.05)
    raise AssertionError(record)


def test_a_socket_that_is_closed_cancels_the_execution(server: Room) -> None:
    parts = urlsplit(server.url)
    body = json.dumps({**long_run("socket"), "stream": True}).encode()
    head = (
        f"POST /v1/retrievers/execute HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {server.key}\r\n"
        f"X-Namespace: {server.namespace}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(head.encode() + body)
        seen = b""
        while b'"stage_complete"' not in seen:
            piece = connection.recv(4096)
            assert piece, seen
            seen += piece
    execution_id = json.loads(seen.split(b"data: ")[1].splitlines()[0])["execution_id"]
    with server.client() as client:
        record = status_of(client, execution_id)
    assert record["status"] == "cancelled"
    assert 1 <= record["stages_completed"] < 200


def test_an_iterator_that_is_closed_cancels_the_execution(server: Room) -> None:
    with server.client() as client:
        events = client.stream("retrievers/execute", long_run("iterator"))
        first = next(events)
        events.close()
        assert status_of(client, first["execution_id"])["status"] == "cancelled"


def test_a_server_that_is_killed_breaks_the_stream(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", TAMIS_MAX_STAGES="200") as server, server.client() as client:
        load(server, tmp_path / "notes")
        whole = list(client.stream("retrievers/execute", {"stages": stages(1), "inputs": {}}))
        events = client.stream("retrievers/execute", long_run("killed"))
        next(events)
        server.kill_group()
        with pytest.raises(BrokenStreamError):
            list(events)
        server.start()
        with server.client() as again:
            # Whose last event was read has its record; of the other there is none, for it never ended.
            assert status_of(again, whole[-1]["execution_id"])["status"] == "completed"
            assert again.post("retrievers/executions/list")["total"] == 1


def test_a_request_that_is_refused_is_no_stream(server: Room) -> None:
    with server.client() as client, pytest.raises(ApiError, match="422"):
        next(client.stream("retrievers/execute", {"stages": []}))


def test_the_command_shows_stages_as_they_end(server: Room) -> None:
    shown = tamis("search", "ships at night", "--collection", "notes", "--stream", server=server)
    lines = shown.splitlines()
    assert lines[0].startswith("1/2 search: 0 > 6 documents, ")
    assert lines[1].startswith("2/2 cut: 6 > 6 documents, ")
    assert "A note about the harbour." in shown
    events = [json.loads(line) for line in tamis("search", "ships", "--stream", "--json", server=server).splitlines()]
    assert [event["event_type"] for event in events] == ["stage_start", "stage_complete"] * 2 + ["execution_complete"]
