"""A disk that runs full under a working server: nothing acknowledged is lost, and recovery needs nobody."""

import itertools
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.client import Client
from tamis.errors import StorageFullError
from tamis.model.principal import Principal
from tamis.storage.blobs import open_blobs
from tests.e2e.test_kill import add_objects, make_collection, query, wait_for_batch
from tests.faults.disk import Disk, small_disk
from tests.faults.waiting import wait_for
from tests.live import LiveServer

WRITERS = 3


class Writers:
    """Threads that make objects one after the other, and keep what was acknowledged and what was refused."""

    def __init__(self, server: LiveServer, bucket: str) -> None:
        self.acknowledged: list[str] = []
        self.refusals: list[httpx.Response] = []
        self._server, self._bucket = server, bucket
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        with http(self._server) as client:
            while not self._over.is_set():
                answer = client.post(f"buckets/{self._bucket}/objects", json=an_object(next(self._numbers)))
                if answer.is_success:
                    self.acknowledged.append(answer.json()["object_id"])
                else:
                    self.refusals.append(answer)


def an_object(number: int, times: int = 2000) -> dict[str, Any]:
    return {"blobs": [{"property": "text", "type": "text", "data": f"{number} " * times}], "number": number}


def http(server: LiveServer) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.key}", "X-Namespace": "default"}
    return httpx.Client(base_url=f"{server.url}/v1", headers=headers, timeout=60)


def test_a_disk_that_runs_full_and_is_freed(tmp_path: Path) -> None:
    with (
        # The engine's files are sparse, and in memory a page that is read is a page that is there: 70 MB of them.
        small_disk(tmp_path / "disk", 256 << 20) as disk,
        LiveServer(disk.root / "data") as server,
        server.client() as client,
    ):
        bucket, collection, ids = _corpus(client)
        with Writers(server, bucket) as writers:
            wait_for(lambda: len(writers.acknowledged) >= WRITERS)
            disk.fill()
            wait_for(lambda: len(writers.refusals) >= WRITERS * 2)
            _reads_go_on_and_writes_are_refused(server, disk, bucket, collection)
            disk.free()
            count = len(writers.acknowledged)
            wait_for(lambda: len(writers.acknowledged) >= count + WRITERS)
        assert {answer.status_code for answer in writers.refusals} == {507}
        _nothing_is_lost(client, bucket, [*ids, *writers.acknowledged])
        wait_for(lambda: client.get("health")["status"] == "OK")
        batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
        client.post(f"buckets/{bucket}/batches/{batch}/submit")
        assert wait_for_batch(client, bucket, batch) == "COMPLETED"
        found = client.post("retrievers/execute", query(collection, limit=50))
        assert len(found["documents"]) == len(ids)


def _corpus(client: Client) -> tuple[str, str, list[str]]:
    """(bucket, collection, ids of its objects), extracted."""
    bucket, collection = make_collection(client)
    ids = add_objects(client, bucket, 12)
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    assert wait_for_batch(client, bucket, batch) == "COMPLETED"
    return bucket, collection, ids


def _reads_go_on_and_writes_are_refused(server: LiveServer, disk: Disk, bucket: str, collection: str) -> None:
    disk.fill()  # whatever was given back meanwhile
    with http(server) as client:
        for path in ("buckets", "collections"):
            assert client.post(f"{path}/list", json={}).status_code == 200
        assert client.get(f"collections/{collection}").json()["document_count"] == 12
        documents = client.post(f"collections/{collection}/documents/list", json={})
        assert documents.status_code == 200
        _no_answer_without_its_record(client, collection)
        refused = client.post(f"buckets/{bucket}/batches", json={"object_ids": []})
        assert refused.status_code in (422, 507)
        upload = client.post(f"buckets/{bucket}/objects", json=an_object(0, times=500_000))
        assert upload.status_code == 507
        assert upload.json()["error"]["type"] == "StorageFullError"
        assert upload.headers["retry-after"]
        assert client.get("../livez").is_success
        assert client.get("health").json()["data"]["object_storage"] is False


def _no_answer_without_its_record(client: httpx.Client, collection: str) -> None:
    """A small record may still find room within the database's own files."""
    answer = client.post("retrievers/execute", json=query(collection))
    if answer.is_success:
        assert client.get(f"retrievers/executions/{answer.json()['execution_id']}").status_code == 200
    else:
        assert answer.status_code in (507, 503)


def _nothing_is_lost(client: Client, bucket: str, ids: list[str]) -> None:
    stored = {found["object_id"] for found in client.pages(f"buckets/{bucket}/objects/list")}
    assert stored == set(ids), "what was refused is not there, what was acknowledged is"


async def test_a_file_that_does_not_fit_is_refused_whole(tmp_path: Path) -> None:
    principal = Principal("org", "ns")
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        blobs = open_blobs(disk.root / "blobs", None)
        await blobs.put(principal, "small", b"x")
        with pytest.raises(StorageFullError):
            await blobs.put(principal, "large", bytes(2 << 20))
        assert await blobs.size(principal, "large") is None
        assert await blobs.get(principal, "small") == b"x"
        await blobs.put(principal, "next", bytes(1 << 19))
