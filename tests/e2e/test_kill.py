"""kill -9 of the server, alone and with its children, in the middle of work: nothing acknowledged is lost."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from tamis.client import ApiError, Client
from tests.live import LiveServer

OBJECTS = 240
URI = "mixpeek://text_extractor@v1/embedding"
KILLS: list[Callable[[LiveServer], None]] = [LiveServer.kill, LiveServer.kill_group]


def text(number: int) -> str:
    return f"Object number {number} speaks of subject {number % 17}. " + "It says so at some length, with words. " * 6


def make_collection(client: Client) -> tuple[str, str]:
    schema = {"properties": {"text": {"type": "text"}, "number": {"type": "integer"}}}
    bucket = client.post("buckets", {"bucket_name": "killed", "bucket_schema": schema})["bucket_id"]
    extractor = {
        "feature_extractor_name": "text_extractor",
        "version": "v1",
        "input_mappings": {"text": "text"},
        "field_passthrough": [{"source_path": "number"}],
    }
    source = {"type": "bucket", "bucket_ids": [bucket]}
    body = {"collection_name": "killed-docs", "source": source, "feature_extractor": extractor}
    return bucket, client.post("collections", body)["collection_id"]


def add_objects(client: Client, bucket: str, count: int) -> list[str]:
    ids: list[str] = []
    for start in range(0, count, 100):
        objects = [
            {"blobs": [{"property": "text", "type": "text", "data": text(number)}], "number": number}
            for number in range(start, min(start + 100, count))
        ]
        ids += [made["object_id"] for made in client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})]
    return ids


def wait_for_batch(client: Client, bucket: str, batch: str, timeout_s: float = 120) -> str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        status = client.get(f"buckets/{bucket}/batches/{batch}")["status"]
        if status in ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"):
            return str(status)
        time.sleep(0.2)
    raise AssertionError("the batch did not end")


def count_documents(client: Client, collection: str) -> int:
    return int(client.get(f"collections/{collection}")["document_count"])


def wait_until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    _, alive = psutil.wait_procs(processes, timeout=15)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One data directory through all of these ends; each test has a namespace of its own in it."""
    with LiveServer(tmp_path_factory.mktemp("kills") / "data") as server:
        yield server


@pytest.fixture
def server(lives: LiveServer) -> LiveServer:
    if not lives.is_running:
        lives.start()
    return lives


@pytest.fixture
def namespace(server: LiveServer, request: pytest.FixtureRequest) -> str:
    name = "".join(char if char.isalnum() else "-" for char in request.node.name)[-60:]
    with server.client() as client:
        client.post("namespaces", {"namespace_name": name})
    return name


@pytest.mark.parametrize("kill", KILLS, ids=["server alone", "process group"])
def test_a_batch_killed_in_the_middle_ends_with_each_object_once(
    server: LiveServer, namespace: str, kill: Callable[[LiveServer], None]
) -> None:
    with server.client(namespace) as client:
        bucket, collection = make_collection(client)
        ids = add_objects(client, bucket, OBJECTS)
        batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
        client.post(f"buckets/{bucket}/batches/{batch}/submit")
        while not 0 < (count := count_documents(client, collection)) < OBJECTS:
            assert count < OBJECTS, "the batch was over before it could be killed"
            time.sleep(0.02)
    children = server.children()
    kill(server)
    assert wait_until_gone(children) == [], "a child outlived its server"

    server.start()
    with server.client(namespace) as client:
        assert wait_for_batch(client, bucket, batch) == "COMPLETED"
        assert count_documents(client, collection) == OBJECTS
        documents = list(client.pages(f"collections/{collection}/documents/list"))
        assert sorted(document["number"] for document in documents) == list(range(OBJECTS))
        assert {document["root_object_id"] for document in documents} == set(ids)
        found = client.post("retrievers/execute", query(collection, limit=500))
        assert len(found["documents"]) == OBJECTS, "the index has exactly the record's documents"


def query(collection: str, limit: int = 10) -> dict[str, object]:
    search = {"feature_uri": URI, "query": "{{INPUT.query}}", "top_k": limit}
    parameters = {"searches": [search], "final_top_k": limit}
    return {
        "collection_identifiers": [collection],
        "input_schema": {"query": {"type": "text"}},
        "inputs": {"query": "subject three"},
        "stages": [{"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}],
        "pagination": {"method": "offset", "page_size": limit},
    }


@pytest.mark.parametrize("kill", KILLS, ids=["server alone", "process group"])
def test_whoever_has_an_answer_can_read_its_record_after_a_kill(
    server: LiveServer, namespace: str, kill: Callable[[LiveServer], None]
) -> None:
    with server.client(namespace) as client:
        bucket, collection = make_collection(client)
        ids = add_objects(client, bucket, 20)
        batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
        client.post(f"buckets/{bucket}/batches/{batch}/submit")
        wait_for_batch(client, bucket, batch)
    acknowledged: list[str] = []
    askers = [threading.Thread(target=ask, args=(server, namespace, collection, acknowledged)) for _ in range(4)]
    for asker in askers:
        asker.start()
    while len(acknowledged) < 40:
        time.sleep(0.01)
    kill(server)
    for asker in askers:
        asker.join()

    server.start()
    with server.client(namespace) as client:
        for execution_id in acknowledged:
            assert client.get(f"retrievers/executions/{execution_id}")["status"] == "completed"
        listed = client.post("retrievers/executions/list", {"status": "completed"}, limit=1)
        assert listed["total"] >= len(acknowledged)


def ask(server: LiveServer, namespace: str, collection: str, acknowledged: list[str]) -> None:
    """Execute until the server is gone."""
    with contextlib.suppress(httpx.HTTPError, ApiError), server.client(namespace) as client:
        while True:
            acknowledged.append(client.post("retrievers/execute", query(collection))["execution_id"])


def test_what_keys_have_asked_is_counted_once_whatever_is_killed(server: LiveServer) -> None:
    """What has been told of usage stays, what was counted since may be lost, and nothing is counted twice."""
    with server.client() as client:
        for _ in range(20):
            client.get("organizations")
        told = asked_for_the_organization(client)
        assert told >= 20
        for _ in range(10):
            client.get("organizations")
    server.kill()
    server.start()
    with server.client() as client:
        assert told <= asked_for_the_organization(client) <= told + 10
        client.get("organizations")
        assert told + 1 <= asked_for_the_organization(client) <= told + 11


def asked_for_the_organization(client: Client) -> int:
    endpoints = client.get("organizations/usage")["endpoints"]
    return sum(int(one["requests"]) for one in endpoints if one["endpoint"].endswith("/v1/organizations"))


def test_a_second_server_on_the_same_data_is_refused(server: LiveServer) -> None:
    second = LiveServer(server.data_dir)
    with pytest.raises(AssertionError, match="another Tamis server is using"):
        second.start()
    with server.client() as client:
        assert client.get("health")["status"] == "OK"


def test_sigterm_ends_cleanly_and_leaves_no_child(server: LiveServer) -> None:
    before = server.log.count("Traceback")
    children = server.children()
    assert children, "the index lives in a child"
    assert server.stop() == 0
    assert wait_until_gone(children) == []
    assert server.log.count("Traceback") == before
