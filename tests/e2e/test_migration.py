"""An embedded installation moved to the stores of a cluster and back, while its server answers."""

import threading
from pathlib import Path

import pytest

from tamis.client import Client
from tests.cluster import fresh_database
from tests.commands import tamis
from tests.e2e.test_backup import found, furnish
from tests.faults.waiting import wait_for
from tests.live import LiveServer
from tests.servers import ObjectStore, PostgresServer


class Reader(threading.Thread):
    """Reads one record all the time. refused: what was not 200."""

    def __init__(self, server: LiveServer, path: str) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.refused: list[str] = []
        self._server = server
        self._path = path
        self._done = threading.Event()

    def run(self) -> None:
        with self._server.client() as client:
            while not self._done.is_set():
                try:
                    client.get(self._path)
                except Exception as error:
                    self.refused.append(str(error))
                self.count += 1

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def migrated(data_dir: Path, into: Path, environment: dict[str, str]) -> str:
    return tamis("migrate-to", into, "--data-dir", data_dir, status=0, server=None, given=None, **environment)


def moved(client: Client, collection: str, execution: str) -> tuple[list[tuple[str, float]], object]:
    return found(client, collection), client.get(f"retrievers/executions/{execution}")


def test_there_and_back(
    tmp_path: Path, postgres: PostgresServer, qdrant_url: str, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    cluster = {
        "TAMIS_DATABASE_URL": fresh_database(postgres),
        "TAMIS_INDEX_URL": qdrant_url,
        "TAMIS_BLOB_URL": f"s3://{s3.bucket}/moved",
    }
    to_cluster = {name.replace("TAMIS_", "TAMIS_TO_"): url for name, url in cluster.items()}
    with LiveServer(tmp_path / "data") as server, server.client() as client:
        _, collection, execution = furnish(client)
        expected = moved(client, collection, execution)
        with Reader(server, f"retrievers/executions/{execution}") as reader:
            wait_for(lambda: reader.count > 0)
            told = migrated(server.data_dir, tmp_path / "there", to_cluster)
            count = reader.count
            wait_for(lambda: reader.count > count)
        assert "compared and the same" in told
        assert not reader.refused
        # Nobody holds it any more.
        assert client.post("buckets", {"bucket_name": "after", "bucket_schema": {"properties": {}}})["bucket_id"]
        key = server.key

    # The old data directory is no part of it: nothing is asked of it any more.
    (tmp_path / "data").rename(tmp_path / "old")
    there = LiveServer(tmp_path / "there", PYTHONWARNINGS="ignore::UserWarning", **cluster)
    there.key = key
    with there, there.client() as client:
        ranking = found(client, collection)
        assert [document for document, _ in ranking] == [document for document, _ in expected[0]]
        assert [score for _, score in ranking] == pytest.approx([score for _, score in expected[0]], abs=1e-4)
        assert client.get(f"retrievers/executions/{execution}") == expected[1]
        assert "after" not in str(client.post("buckets/list", {}))

    told = migrated(tmp_path / "there", tmp_path / "back", cluster)
    assert "compared and the same" in told
    again = LiveServer(tmp_path / "back")
    again.key = key
    with again, again.client() as client:
        assert moved(client, collection, execution) == expected


def test_where_something_is_already_nothing_is_moved(tmp_path: Path, shared_server: LiveServer) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    data_dir, url = shared_server.data_dir, "postgresql+psycopg://tamis@nowhere.invalid/tamis"
    told = tamis("migrate-to", tmp_path / "full", "--data-dir", data_dir, status=1)
    assert "not empty" in told
    both = {"TAMIS_DATABASE_URL": url, "TAMIS_TO_DATABASE_URL": url}
    told = tamis("migrate-to", tmp_path / "there", "--data-dir", data_dir, status=1, server=None, given=None, **both)
    assert "moved from" in told
    assert not (tmp_path / "there").exists()
