"""One server for all tests that leave it alive; each module has a namespace of its own there."""

from collections.abc import Iterator

import pytest

from tests.live import LiveServer, Room


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    environment = {"TAMIS_MAX_STAGES": "200", "TAMIS_DECODE_WORKERS": "1", "TAMIS_MODEL_THREADS": "1"}
    with LiveServer(tmp_path_factory.mktemp("shared") / "data", **environment) as live:
        yield live


@pytest.fixture(scope="module")
def server(shared_server: LiveServer, request: pytest.FixtureRequest) -> Room:
    return shared_server.room(request.module.__name__.rpartition(".test_")[2].replace("_", "-"))
