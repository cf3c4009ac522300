"""A server that is killed in the middle: deletes are finished by the next start, what is sent again is made once."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.live import LiveServer

BUCKET = {"bucket_name": "b", "bucket_schema": {"properties": {"text": {"type": "string"}}}}
COLLECTION = {
    "collection_name": "notes",
    "source": {"type": "bucket", "bucket_ids": ["b"]},
    "feature_extractor": {"feature_extractor_name": "passthrough_extractor", "version": "v1"},
}
FILE = {"blobs": [{"property": "text", "type": "string", "data": "data:text/plain;base64,aGVsbG8="}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("crashes") / "data") as server:
        yield server


def ask(server: LiveServer, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    named = {"Authorization": f"Bearer {server.key}", "X-Namespace": "doomed", **headers}
    return httpx.request(method, f"{server.url}/v1{path}", json=body, headers=named, timeout=30)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def index_process(server: LiveServer) -> psutil.Process:
    return next(each for each in server.children() if "tamis.storage.index.process" in " ".join(each.cmdline()))


def traces(server: LiveServer, *ids: str) -> list[Path]:
    """Files of the data directory, besides the database, that lie under one of these ids."""
    inside = (path for path in server.data_dir.rglob("*") if any(one in str(path) for one in ids))
    return [path for path in inside if path.is_file() and not path.name.startswith("tamis.sqlite3")]


def test_a_delete_that_a_kill_cut_short_is_finished_by_the_next_start(server: LiveServer) -> None:
    assert ask(server, "POST", "/namespaces", {"namespace_name": "doomed"}).is_success
    namespace_id = ask(server, "GET", "/namespaces/doomed").json()["namespace_id"]
    assert ask(server, "POST", "/buckets", BUCKET).is_success
    assert ask(server, "POST", "/buckets/b/objects", FILE).is_success
    made = ask(server, "POST", "/collections", COLLECTION).json()
    document = {"metadata": {"text": "hello"}}
    assert ask(server, "POST", f"/collections/{made['collection_id']}/documents", document).is_success
    before = traces(server, namespace_id, made["collection_id"])
    assert before

    # The index holds its breath, so that the delete stands in the record and is cleared nowhere yet.
    index_process(server).send_signal(signal.SIGSTOP)
    deleting = threading.Thread(target=lambda: _suppressed(lambda: ask(server, "DELETE", "/namespaces/doomed")))
    deleting.start()
    until(lambda: ask(server, "GET", "/namespaces/doomed").status_code == 404)
    server.kill_group()
    deleting.join()
    assert traces(server, namespace_id, made["collection_id"])

    server.start()
    assert ask(server, "GET", "/namespaces/doomed").status_code == 404
    until(lambda: not traces(server, namespace_id, made["collection_id"]))


def _suppressed(work: Callable[[], Any]) -> None:
    with suppress(httpx.HTTPError):
        work()


def test_what_is_sent_again_after_a_kill_is_made_once(server: LiveServer) -> None:
    assert ask(server, "POST", "/namespaces", {"namespace_name": "doomed"}).is_success
    assert ask(server, "POST", "/buckets", BUCKET).is_success
    chance, sent, answered = random.Random(11), list[str](), dict[str, str]()

    def create(key: str) -> None:
        with suppress(httpx.HTTPError):
            answer = ask(server, "POST", "/buckets/b/objects", {"metadata": {"text": key}}, **{"Idempotency-Key": key})
            if answer.is_success:
                answered[key] = answer.json()["object_id"]

    for turn in range(2):
        keys = [f"turn {turn} object {number}".replace(" ", "-") for number in range(12)]
        sent += keys
        threads = [threading.Thread(target=create, args=(key,)) for key in keys]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.0, 0.12))  # the moment of the kill is what varies
        server.kill_group()
        for thread in threads:
            thread.join()
        server.start()
    acknowledged = dict(answered)
    for key in sent:
        create(key)
    assert set(answered) == set(sent)
    assert {key: answered[key] for key in acknowledged} == acknowledged
    listed = ask(server, "POST", "/buckets/b/objects/list", {"limit": 100}).json()["results"]
    assert sorted(each["object_id"] for each in listed) == sorted(answered.values())
