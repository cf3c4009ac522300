"""Executions traced, compared, carried elsewhere and shown there, by the commands."""

import json
from pathlib import Path

import pytest

from tests.commands import tamis
from tests.e2e.test_commands import NOTES
from tests.live import LiveServer, Room


@pytest.fixture(scope="module")
def server(server: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    root = tmp_path_factory.mktemp("records")
    for name, text in NOTES.items():
        path = root / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tamis("load", root / "notes", server=server)
    return server


@pytest.fixture(scope="module")
def elsewhere(shared_server: LiveServer) -> Room:
    return shared_server.room("elsewhere")


def searched(server: Room, query: str, *more: str) -> str:
    found: str = json.loads(tamis("search", query, "-c", "notes", *more, "--json", server=server))["execution_id"]
    return found


def test_a_trace_in_words_and_as_json(server: Room) -> None:
    execution_id = searched(server, "soup on mondays")
    shown = tamis("executions", "trace", execution_id, server=server)
    assert "feature_search" in shown
    assert "out of cut: 1 to 3 of 3" in shown
    found = json.loads(tamis("executions", "trace", execution_id, "-s", "search", "-n", "1", "--json", server=server))
    assert [stage["stage_name"] for stage in found["stages"]] == ["search"]
    assert len(found["stages"][0]["documents"]["returned"]["items"]) == 1
    refused = tamis("executions", "trace", execution_id, "-s", "none", server=server, status=1)
    assert "this execution's stages are search, cut" in refused


def test_two_executions_compared(server: Room) -> None:
    a, b = searched(server, "soup"), searched(server, "failed requests")
    assert "identical" in tamis("executions", "diff", a, searched(server, "soup"), server=server)
    shown = tamis("executions", "diff", a, b, server=server)
    assert "they part at stage 0, search: inputs" in shown
    assert json.loads(tamis("executions", "diff", a, b, "--json", server=server))["inputs_identical"] is False


def test_an_execution_is_carried_to_another_machine(server: Room, elsewhere: Room, tmp_path: Path) -> None:
    execution_id = searched(server, "soup")
    path = tmp_path / "it.json"
    assert "bytes" in tamis("executions", "export", execution_id, "-o", path, server=server)
    assert json.loads(tamis("executions", "export", execution_id, "-o", "-", server=server)) == json.loads(
        path.read_text()
    )
    alone = tamis("executions", "import", path, COLUMNS="160")
    assert execution_id in alone
    assert "ran elsewhere, anonymous" in alone
    assert "stored" in tamis("executions", "import", path, "--store", server=elsewhere)
    assert "409" in tamis("executions", "import", path, "--store", server=elsewhere, status=1)
    assert "imported" in tamis("executions", "show", execution_id, server=elsewhere)
    again = tmp_path / "again.json"
    tamis("executions", "export", execution_id, "-o", again, server=elsewhere)
    assert json.loads(again.read_text()) == json.loads(path.read_text())


def test_a_file_that_was_changed_is_refused_and_its_text_cannot_drive_the_terminal(
    server: Room, tmp_path: Path
) -> None:
    file = json.loads(tamis("executions", "export", searched(server, "soup"), "-o", "-", server=server))
    path = tmp_path / "changed.json"
    path.write_text(json.dumps({**file, "inputs": {"query": "another"}}))
    assert "the file was changed" in tamis("executions", "import", path, status=1, COLUMNS="160")
    path.write_text("{")
    assert "not valid JSON" in tamis("executions", "import", path, status=1)
    assert "cannot be read" in tamis("executions", "import", tmp_path / "none.json", status=1)
    path.write_text(json.dumps({**file, "\x1b[2J": 1}))
    assert "\x1b" not in tamis("executions", "import", path, status=1)
    file["context"]["warnings"] = ["\x1b[2J\x1b]0;gone\x07[red]boo"]
    path.write_text(json.dumps(file))
    shown = tamis("executions", "import", path)
    assert "[2J" in shown
    assert "[red]boo" in shown
    assert "\x1b" not in shown
