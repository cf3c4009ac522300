"""A part of the server that is away or held up: it says so, the rest goes on, and it comes back by itself."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import psutil
import pytest

from tests.e2e.test_kill import add_objects, make_collection, query, wait_for_batch
from tests.faults.test_full_disk import http
from tests.faults.waiting import wait_for
from tests.live import LiveServer

DOCUMENTS = 12
KILLS = 5


class World:
    def __init__(self, server: LiveServer) -> None:
        self.server = server
        with server.client() as client:
            self.bucket, self.collection = make_collection(client)
            ids = add_objects(client, self.bucket, DOCUMENTS)
            batch = client.post(f"buckets/{self.bucket}/batches", {"object_ids": ids})["batch_id"]
            client.post(f"buckets/{self.bucket}/batches/{batch}/submit")
            assert wait_for_batch(client, self.bucket, batch) == "COMPLETED"

    def kill_index(self) -> None:
        for process in self._index_processes():
            process.kill()

    def restarts(self, client: httpx.Client) -> int:
        return int(client.get("health", params={"metrics": True}).json()["meta"]["vector_store"]["restarts"])

    def _index_processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child for child in self.server.children() if "tamis.storage.index.process" in child.cmdline()]
        return []

    def search(self, client: httpx.Client) -> httpx.Response:
        return client.post("retrievers/execute", json=query(self.collection, limit=50))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("away")
    with LiveServer(root / "data", TAMIS_DATABASE_WAIT_S="0.3", TAMIS_CACHE_BYTES="0") as server:
        yield World(server)


def test_an_index_that_is_killed_again_and_again(world: World) -> None:
    answers: list[httpx.Response] = []
    over = threading.Event()

    def ask() -> None:
        with http(world.server) as client:
            while not over.is_set():
                answers.append(world.search(client))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        with http(world.server) as client:
            for kill in range(KILLS):
                world.kill_index()
                wait_for(lambda kills=kill + 1: world.restarts(client) >= kills)  # type: ignore[misc] # bound at once
                wait_for(lambda: world.search(client).status_code == 200)
    finally:
        over.set()
        asking.join()
    assert {answer.status_code for answer in answers} <= {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"]
            assert answer.json()["error"]["type"] == "StageUnavailableError"
        else:
            assert len(answer.json()["documents"]) == DOCUMENTS, "all or an error, never a part"


def test_a_write_while_the_index_is_away_is_kept(world: World) -> None:
    with http(world.server) as client:
        world.kill_index()
        body = {"text": "brought while the index was away", "number": 99}
        made = client.post(f"collections/{world.collection}/documents", json=body)
        assert made.status_code in (200, 503), made.text
        wait_for(lambda: client.get(f"collections/{world.collection}").json()["document_count"] == DOCUMENTS + 1)
        wait_for(lambda: world.search(client).status_code == 200)
        assert len(world.search(client).json()["documents"]) == DOCUMENTS, "this one has no vector"


def test_a_database_that_somebody_holds(world: World) -> None:
    with closing(sqlite3.connect(world.server.data_dir / "tamis.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(8) as pool, http(world.server) as client:
            bucket = {"bucket_schema": {"properties": {"text": {"type": "text"}}}}
            names = [f"held-{number}" for number in range(16)]
            refused = list(pool.map(lambda name: client.post("buckets", json={**bucket, "bucket_name": name}), names))
            assert {answer.status_code for answer in refused} == {503}
            assert {answer.json()["error"]["type"] for answer in refused} == {"StorageUnavailableError"}
            assert all(answer.headers["retry-after"] for answer in refused)
            assert world.search(client).status_code == 503, "no answer without its record"
            assert client.get(f"collections/{world.collection}").status_code == 200
            assert client.post(f"collections/{world.collection}/documents/list", json={}).status_code == 200
            other.execute("ROLLBACK")
            assert client.post("buckets", json={**bucket, "bucket_name": "held-0"}).status_code == 200
            listed = client.post("buckets/list", json={}, params={"limit": 100}).json()["results"]
            held = [found["bucket_name"] for found in listed if found["bucket_name"].startswith("held")]
            assert held == ["held-0"], "what was refused was not done later"
            assert world.search(client).status_code == 200
