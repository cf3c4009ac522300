"""kill -9 of the server, alone and with its children, in the middle of work: nothing acknowledged is lost, and what is
made as one is made whole or not at all.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from tamis.client import ApiError, Client
from tests.live import LiveServer

OBJECTS = 240
FILES = 300
URI = "mixpeek://text_extractor@v1/embedding"
ROWS = 8
ONE_WAY_AND_SLOWLY_THE_OTHER = [
    pytest.param(LiveServer.kill_group, id="process group"),
    pytest.param(LiveServer.kill, id="server alone", marks=pytest.mark.slow),
]


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
    home = tmp_path_factory.mktemp("kills")
    with LiveServer(home / "data", TAMIS_CONNECTION_FOLDERS=str(home / "media")) as server:
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


@pytest.mark.parametrize("kill", ONE_WAY_AND_SLOWLY_THE_OTHER)
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


@pytest.mark.parametrize("kill", [LiveServer.kill], ids=["server alone"])
def test_a_sync_killed_in_the_middle_brings_each_file_once(
    server: LiveServer, namespace: str, kill: Callable[[LiveServer], None]
) -> None:
    media = server.data_dir.parent / "media"
    media.mkdir(exist_ok=True)
    for number in range(FILES):
        (media / f"{number:03}.txt").write_text(text(number))
    with server.client(namespace) as client:
        bucket, _ = make_collection(client)
        config = {"folder": str(media)}
        client.post("organizations/connections", {"name": "media", "provider_type": "local", "provider_config": config})
        body = {
            "connection_id": "media",
            "source_path": "/",
            "sync_mode": "initial_only",
            "skip_batch_submission": True,
        }
        sync = f"buckets/{bucket}/syncs/{client.post(f'buckets/{bucket}/syncs', body)['sync_config_id']}"
        while not 0 < (count := client.get(sync)["total_files_synced"]) < FILES:
            assert count < FILES, "the run was over before it could be killed"
    kill(server)

    server.start()
    with server.client(namespace) as client:
        while client.get(sync)["status"] == "ACTIVE":
            time.sleep(0.02)
        ended = client.get(sync)
        assert (ended["status"], ended["sync_run_counter"], ended["total_files_failed"]) == ("COMPLETED", 1, 0)
        assert (ended["total_files_synced"], ended["total_files_discovered"]) == (FILES, FILES)
        objects = list(client.pages(f"buckets/{bucket}/objects/list"))
        assert sorted(one["source_path"] for one in objects) == [f"{number:03}.txt" for number in range(FILES)]
        known = client.get(f"{sync}/files", limit=1000)["files"]
        assert {one["path"]: one["object_id"] for one in known} == {
            one["source_path"]: one["object_id"] for one in objects
        }


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


@pytest.mark.parametrize("kill", ONE_WAY_AND_SLOWLY_THE_OTHER)
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


def manifest(namespace: str) -> str:
    """Eight collections of one bucket, and a retriever over each."""
    lines = ['version: "1.0"', f"namespaces: [{{name: {namespace}}}]"]
    lines += ["buckets: [{name: goods-in, schema: {properties: {title: {type: text}}}}]", "collections:"]
    source = "source: {type: bucket, bucket_ids: [goods-in]}"
    extractor = "feature_extractor: {feature_extractor_name: passthrough_extractor, version: v1}"
    lines += [f"- {{name: goods-{row}, {source}, {extractor}}}" for row in range(ROWS)]
    parameters = "parameters: {field: title, operator: eq, value: shoes}"
    stages = f"stages: [{{stage_name: find, config: {{stage_id: attribute_filter, {parameters}}}}}]"
    lines += ["retrievers:"]
    lines += [f"- {{name: finder-{row}, collection_identifiers: [goods-{row}], {stages}}}" for row in range(ROWS)]
    return "\n".join(lines)


@pytest.fixture
def whole_s(server: LiveServer) -> float:
    """How long all of it takes, in seconds."""
    begun = time.monotonic()
    with server.client(None) as client:
        client.manifests.apply(manifest(f"first-{uuid.uuid4().hex[:8]}"))
    return time.monotonic() - begun


def killed_at(server: LiveServer, part: float, whole_s: float) -> None:
    """Apply, kill the server in the middle, and see what is there."""
    namespace = f"cut-{round(part * 100)}"
    asker = threading.Thread(target=_apply, args=(server, namespace))
    asker.start()
    asker.join(part * whole_s)
    server.kill()
    asker.join()
    server.start()
    with server.client(None) as client:
        assert counts(client, namespace) in ([0, 0, 0], [1, ROWS, ROWS])
        client.manifests.apply(manifest(namespace))
        assert counts(client, namespace) == [1, ROWS, ROWS]
        again = client.manifests.apply(manifest(namespace))
        assert again["skipped_count"] == 2 + 2 * ROWS


def _apply(server: LiveServer, namespace: str) -> None:
    with contextlib.suppress(httpx.HTTPError, ApiError), server.client(None) as client:
        client.manifests.apply(manifest(namespace))


def counts(client: Client, namespace: str) -> list[int]:
    """Of buckets, collections and retrievers."""
    known = {one["namespace_name"] for one in client.post("namespaces/list", {}, limit=100)["results"]}
    if namespace not in known:
        return [0, 0, 0]
    found = client.get("manifest/export", namespace_id=namespace, format="json")
    return [len(found.get(section, ())) for section in ("buckets", "collections", "retrievers")]


def test_a_manifest_killed_in_the_middle_is_whole_or_not_there(server: LiveServer, whole_s: float) -> None:
    killed_at(server, 0.9, whole_s)


@pytest.mark.slow
@pytest.mark.parametrize("part", [number / 20 for number in range(1, 25)])
def test_a_manifest_killed_at_any_moment_is_whole_or_not_there(server: LiveServer, whole_s: float, part: float) -> None:
    killed_at(server, part, whole_s)


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
