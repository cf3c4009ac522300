"""`tamis alert` beside a running server."""

import time
from collections.abc import Iterator

import pytest

from tamis.client import Client
from tests.commands import tamis
from tests.e2e.test_alert_kills import furnish
from tests.live import LiveServer


@pytest.fixture(scope="module")
def server(shared_server: LiveServer) -> Iterator[LiveServer]:
    """By its root key: a webhook is the organisation's."""
    with shared_server.client() as client:
        furnish(client, "https://example.com/hook")
    yield shared_server
    with shared_server.client() as client:
        client.webhooks.delete("bell")


def _alert(command: str, *more: str, server: LiveServer, status: int = 0) -> str:
    return tamis("alert", command, *more, server=server, status=status)


def _ended(client: Client, task_id: str) -> str:
    for _ in range(3000):
        if (status := client.get(f"tasks/{task_id}")["status"]) not in ("PENDING", "IN_PROGRESS"):
            return str(status)
        time.sleep(0.02)
    raise AssertionError("the task did not end")


def test_an_alert_is_made_applied_executed_and_deleted(server: LiveServer) -> None:
    made = _alert("create", "lost", "--retriever", "wanted", "--webhook", "bell", "--max-credits", "5", server=server)
    alert_id = made.split()[1]
    listed = _alert("list", server=server)
    assert alert_id in listed
    assert "thefts" in listed
    assert _alert("apply", "lost", "--collection", "goods", "--input", "kind=kind", server=server) == "applied\n"
    assert _alert("apply", alert_id, "--collection", "goods", "--input", "kind=title", server=server) == "applied\n"
    with server.client() as client:
        assert client.get("alerts/lost")["max_credits"] == 5
        applied = client.get("collections/goods")["alert_applications"]
        sources = [one["input_mappings"][0]["source"]["path"] for one in applied]
        assert (applied[0]["alert_id"], applied[1]["alert_id"]) == ("thefts", alert_id), "others stay as they are"
        assert sources == ["kind", "title"], "applied again, it takes what was said last"
        client.post("collections/goods/documents", {"kind": "stolen", "title": "a title"})

        given = ("--collection", "goods", "--input", "kind=kind")
        task_id = _alert("execute", "lost", *given, server=server).split()[1]
        assert _ended(client, task_id) == "COMPLETED"
        task_id = _alert("execute", "lost", "--collection", "goods", server=server).split()[1]
        assert _ended(client, task_id) == "COMPLETED"
    rows = [line for line in _alert("executions", "lost", server=server).splitlines() if "exec_" in line]
    assert [row.split("│")[3].strip() if "│" in row else row.split()[3] for row in rows] == ["0", "1"]
    assert (
        len([1 for line in _alert("executions", "lost", "--limit", "1", server=server).splitlines() if "exec_" in line])
        == 1
    )


def test_what_cannot_be_is_refused_in_words(server: LiveServer) -> None:
    made = ("dear", "--retriever", "wanted", "--webhook", "bell")
    _alert("create", *made, server=server)
    assert "applies it" in _alert("delete", "thefts", server=server, status=1)
    assert "was not found" in _alert("create", "x", *made[1:3], "--webhook", "none", server=server, status=1)
    assert "was not found" in _alert("create", "x", "--retriever", "none", *made[3:], server=server, status=1)
    assert "--input" in _alert("apply", "dear", "--collection", "goods", server=server, status=1)
    assert "as `query=text`" in _alert(
        "apply", "dear", "--collection", "goods", "--input", "kind", server=server, status=1
    )
    assert "has none" in _alert("execute", "dear", "--collection", "search-list", server=server, status=1)
    assert _alert("delete", "dear", server=server) == "deleted\n"
    assert "was not found" in _alert("executions", "dear", server=server, status=1)
