"""One server for all tests that leave it alive; each module has a namespace of its own there. And parts of clusters."""

from collections.abc import Iterator

import pytest

from tests.inference.joint_model import joint_model
from tests.live import LiveServer, Room
from tests.servers import postgres, qdrant_url, redis_server

__all__ = ["postgres", "qdrant_url", "redis_server", "server", "shared_server"]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Its model directory has `eyes`, to which a picture is its mean colour and a word is a colour."""
    folder = tmp_path_factory.mktemp("shared")
    joint_model(folder / "models" / "eyes")
    environment = {"TAMIS_MAX_STAGES": "200", "TAMIS_DECODE_WORKERS": "1", "TAMIS_MODEL_THREADS": "1"}
    with LiveServer(folder / "data", **environment, TAMIS_MODEL_DIR=str(folder / "models")) as live:
        yield live


@pytest.fixture(scope="module")
def server(shared_server: LiveServer, request: pytest.FixtureRequest) -> Room:
    return shared_server.room(request.module.__name__.rpartition(".test_")[2].replace("_", "-"))
