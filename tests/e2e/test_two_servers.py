"""Two servers over one PostgreSQL, one Redis and one index are one: what either did, the other knows; one may die."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.client import Client
from tests.cluster import cluster
from tests.e2e.test_kill import add_objects, make_collection, query
from tests.faults.test_full_disk import http
from tests.faults.waiting import wait_for
from tests.live import LiveServer
from tests.servers import PostgresServer, RedisServer

SEARCHES = 40
OBJECTS, BATCHES, WRITERS, FILES = 16, 3, 2, 60
_RATES = {"search": SEARCHES, "metadata": 10_000, "data": 10_000, "upload": 10_000, "compute": 10_000}

Pair = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, redis_server: RedisServer, qdrant_url: str
) -> Iterator[list[LiveServer]]:
    root = tmp_path_factory.mktemp("two")
    (root / "media").mkdir()
    tiers, media = json.dumps({"enterprise": {"requests_per_minute": _RATES}}), str(root / "media")
    with cluster(
        root, postgres, redis_server, qdrant_url, TAMIS_TIERS=tiers, TAMIS_CONNECTION_FOLDERS=media
    ) as servers:
        yield servers


@pytest.fixture
def both(servers: list[LiveServer]) -> Iterator[Pair]:
    with http(servers[0]) as one, http(servers[1]) as other:
        yield one, other


def made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    return dict(answer.json())


def test_what_happens_at_one_is_followed_at_the_other(servers: list[LiveServer], both: Pair) -> None:
    """A position that one gave out is understood by the other; writers at both, and nobody's change is missed."""
    bucket = made(both[0].post("buckets", json={"bucket_name": "followed", "bucket_schema": {"properties": {}}}))
    path = f"buckets/{bucket['bucket_id']}/objects"
    wanted: set[str] = set()

    def write(client: httpx.Client) -> None:
        for number in range(20):
            wanted.add(made(client.post(path, json={"metadata": {"n": number}}))["object_id"])

    def follow(server: LiveServer, since: str | None, enough: Callable[[set[str]], bool]) -> tuple[str, list[str]]:
        seen: list[str] = []
        with server.client() as client, closing(client.changes(since=since, types=["object"])) as events:
            for event in events:
                seen.extend(event["resource_ids"])
                since = event["id"]
                if enough(set(seen)):
                    break
        return str(since), seen

    start, _ = follow(servers[0], None, lambda seen: True)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(follow, servers[1], start, lambda seen: len(seen) >= 10)
        list(pool.map(write, both))
    halfway, seen = first.result()
    _, rest = follow(servers[0], halfway, lambda more: more | set(seen) >= wanted)
    assert sorted(seen + rest) == sorted(wanted), "each once"


def test_servers_that_start_at_once_are_one_installation(servers: list[LiveServer], both: Pair) -> None:
    organizations = {made(client.get("organizations"))["organization_id"] for client in both}
    namespaces = [made(client.post("namespaces/list", json={}))["results"] for client in both]
    assert len(organizations) == 1
    assert [[one["namespace_name"] for one in listed] for listed in namespaces] == [["default"]] * 2
    assert [made(client.get("health"))["data"]["cache"] for client in both] == [True, True]


def test_a_browser_that_one_signed_in_is_known_to_the_other_until_it_signs_out(servers: list[LiveServer]) -> None:
    with httpx.Client(base_url=servers[0].url) as browser:
        browser.post("/sign-in", data={"key": servers[0].key}, headers={"Sec-Fetch-Site": "same-origin"})
        cookies = {"tamis_session": browser.cookies["tamis_session"]}
    pages = [httpx.get(f"{server.url}/executions", cookies=cookies) for server in servers]
    assert [page.status_code for page in pages] == [200, 200]
    csrf = pages[1].text.split('name="csrf" value="')[1].split('"')[0]
    out = httpx.post(f"{servers[1].url}/sign-out", cookies=cookies, data={"csrf": csrf})
    assert out.status_code in (204, 303), out.text
    after = [httpx.get(f"{server.url}/executions", cookies=cookies) for server in servers]
    assert [page.status_code for page in after] != [200, 200]
    assert not any(page.status_code == 200 for page in after)


def test_an_answer_of_one_serves_the_other_and_a_write_of_one_ends_both(both: Pair) -> None:
    bucket, collection = _collection(both[0], "cached")
    stage = {"stage_name": "all", "config": {"stage_id": "attribute_filter", "parameters": _EXISTS}}
    body = {
        "retriever_name": "cached", "collection_identifiers": [collection], "stages": [stage],
        "input_schema": {"q": {"type": "text"}}, "cache_config": {"ttl_seconds": 600},
    }  # fmt: skip
    retriever = made(both[0].post("retrievers", json=body))["retriever"]["retriever_id"]

    def ask(client: httpx.Client) -> tuple[str, int]:
        answer = client.post(f"retrievers/{retriever}/execute", json={"inputs": {"q": "a"}})
        return answer.headers["x-cache"], len(made(answer)["documents"])

    for written in range(4):
        writer, reader = both if written % 2 else both[::-1]
        assert ask(reader) == ("MISS", written), "the other has written since"
        assert ask(writer) == ("HIT", written), "the other has asked"
        made(writer.post(f"collections/{collection}/documents", json={"number": written}))
    assert made(both[0].get(f"collections/{collection}"))["document_count"] == 4
    assert made(both[0].delete(f"buckets/{bucket}", params={"force": True})) is not None


def test_both_grant_together_what_there_is(both: Pair) -> None:
    _, collection = _collection(both[0], "rated")
    body = {"collection_identifiers": [collection], "stages": [
        {"stage_name": "all", "config": {"stage_id": "attribute_filter", "parameters": _EXISTS}}]}  # fmt: skip
    took = SEARCHES - int(both[0].post("retrievers/execute", json=body).headers["x-ratelimit-remaining"])
    with ThreadPoolExecutor(4) as pool:
        clients = [client for client, _ in zip(cycle(both), range(SEARCHES + 4), strict=False)]
        answers = list(pool.map(lambda client: client.post("retrievers/execute", json=body).status_code, clients))
    assert answers.count(200) == SEARCHES - took
    assert answers.count(429) == took + 4


def test_one_request_sent_to_both_at_once_is_carried_out_once(both: Pair) -> None:
    for attempt in range(5):
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        body = {"bucket_name": f"once-{attempt}", "bucket_schema": {"properties": {}}}
        with ThreadPoolExecutor(2) as pool:
            first = list(pool.map(lambda client: client.post("buckets", json=body, headers=headers), both))  # noqa: B023 - ends before the next
        assert {answer.status_code for answer in first} <= {200, 409}
        again = [made(client.post("buckets", json=body, headers=headers)) for client in both]
        assert again[0] == again[1]
        ids = {answer.json()["bucket_id"] for answer in first if answer.status_code == 200}
        assert ids == {again[0]["bucket_id"]}


def test_a_server_that_is_killed_a_database_that_crashes_and_a_redis_that_is_lost(
    servers: list[LiveServer], postgres: PostgresServer, redis_server: RedisServer
) -> None:
    with servers[0].client() as client:
        trigger, sync = _trigger(client), _sync(client, servers[0].data_dir.parent / "media")
        bucket, collection = make_collection(client)
        batches = []
        for _ in range(BATCHES):
            ids = add_objects(client, bucket, OBJECTS)
            batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
            client.post(f"buckets/{bucket}/batches/{batch}/submit")
            batches.append((batch, ids))
    with http(servers[1]) as other, Writers(servers, collection) as writers:
        wait_for(lambda: len(writers.acknowledged) >= WRITERS)
        servers[0].kill_group()
        postgres.end()
        redis_server.kill()
        postgres.start()
        redis_server.start()
        for batch, _ in batches:
            wait_for(lambda one=batch: _status(other, bucket, one) == "COMPLETED")  # type: ignore[misc] # bound at once
        count = len(writers.acknowledged)
        wait_for(lambda: len(writers.acknowledged) >= count + WRITERS)
    assert writers.refusals == []
    servers[0].start()
    with http(servers[0]) as one, http(servers[1]) as other:
        objects = {object_id for _, ids in batches for object_id in ids}
        fired = len(_firings(other, trigger))
        wait_for(lambda: len(_firings(other, trigger)) > fired)
        for reader in (one, other):
            wait_for(lambda http=reader: made(http.get("health"))["data"]["cache"])  # type: ignore[misc] # bound at once
            documents = _documents(reader, collection)
            sources = [found["source_object_id"] for found in documents if found.get("source_object_id")]
            assert sorted(sources) == sorted(objects), "each object once"
            written = [found["document_id"] for found in documents if not found.get("source_object_id")]
            assert len(written) == len(set(written))
            assert set(writers.acknowledged) <= set(written), "nothing acknowledged is lost"
            assert set(written) <= set(writers.acknowledged) | writers.open
            _check_sync(reader, sync)
            _check_trigger(reader, trigger)
        wait_for(lambda: other.post("retrievers/execute", json=query(collection, limit=500)).status_code == 200, 90)
        found = made(other.post("retrievers/execute", json=query(collection, limit=500)))["documents"]
        assert len(found) == len(objects), "those with vectors"


def _sync(client: Client, media: Path) -> str:
    """The path of one that has begun."""
    for number in range(FILES):
        (media / f"{number:03}.txt").write_text(f"file {number}")
    config = {"folder": str(media)}
    client.post("organizations/connections", {"name": "media", "provider_type": "local", "provider_config": config})
    bucket = client.post("buckets", {"bucket_name": "synced", "bucket_schema": {"properties": {}}})["bucket_id"]
    body = {"connection_id": "media", "source_path": "/", "sync_mode": "initial_only", "skip_batch_submission": True}
    made_one = client.post(f"buckets/{bucket}/syncs", body)
    return f"buckets/{bucket}/syncs/{made_one['sync_config_id']}"


def _check_sync(client: httpx.Client, sync: str) -> None:
    wait_for(lambda: made(client.get(sync))["status"] != "ACTIVE")
    ended = made(client.get(sync))
    assert (ended["status"], ended["sync_run_counter"], ended["total_files_synced"]) == ("COMPLETED", 1, FILES)
    listed = made(client.post(f"{sync.partition('/syncs')[0]}/objects/list", json={}, params={"limit": 500}))
    assert sorted(one["source_path"] for one in listed["results"]) == [f"{number:03}.txt" for number in range(FILES)]


def _trigger(client: Client) -> str:
    """One that fires every second, whichever server looks."""
    schema = {"properties": {"number": {"type": "integer"}}}
    client.post("buckets", {"bucket_name": "beaten", "bucket_schema": schema})
    client.post("buckets/beaten/objects", {"metadata": {"number": 1}})
    body = {
        "collection_name": "beaten", "source": {"type": "bucket", "bucket_ids": ["beaten"]},
        "feature_extractor": {"feature_extractor_name": "passthrough_extractor", "version": "v1"},
    }  # fmt: skip
    client.post("collections", body)
    asked = {
        "action_type": "collection_trigger", "action_config": {"collection_id": "beaten"},
        "trigger_type": "interval", "schedule_config": {"interval_seconds": 1, "start_immediately": True},
    }  # fmt: skip
    return str(client.post("triggers", asked)["trigger_id"])


def _firings(client: httpx.Client, trigger: str) -> list[dict[str, Any]]:
    listed = made(client.get(f"triggers/{trigger}/history", params={"limit": 1000}))
    return [dict(one) for one in listed["executions"]]


def _check_trigger(client: httpx.Client, trigger: str) -> None:
    """Once for each moment, each with a task of its own that is there."""
    fired = _firings(client, trigger)
    assert len({one["scheduled_at"] for one in fired}) == len({one["task_id"] for one in fired}) == len(fired)
    for one in fired:
        made(client.get(f"tasks/{one['task_id']}"))


class Writers:
    """Threads that write documents through whichever server answers, each until it is acknowledged.

    open: ids whose answer has not come.
    """

    def __init__(self, servers: list[LiveServer], collection: str) -> None:
        self.acknowledged: list[str] = []
        self.open: set[str] = set()
        self.refusals: list[str] = []
        self._servers = servers
        self._collection = collection
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        made_so_far = 0
        ways = cycle(self._servers)
        while not self._over.is_set():
            document_id = f"doc_w{number}x{made_so_far:020}"
            made_so_far += 1
            self.open.add(document_id)
            body = {"document_id": document_id, "number": number, "collection_id": self._collection}
            if self._until(lambda body=body: self._send(next(ways), body)):  # type: ignore[misc] # bound at once
                self.acknowledged.append(document_id)

    def _until(self, send: Callable[[], bool]) -> bool:
        while not self._over.is_set():
            if send():
                return True
            self._over.wait(0.05)
        return False

    def _send(self, server: LiveServer, body: dict[str, Any]) -> bool:
        try:
            with http(server) as client:
                headers = {"Idempotency-Key": body["document_id"]}
                answer = client.post(f"collections/{self._collection}/documents", json=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code not in (200, 503) or "127.0.0.1" in answer.text:
            self.refusals.append(answer.text)
        return answer.status_code == 200


_EXISTS = {"field": "number", "operator": "exists"}


def _collection(client: httpx.Client, name: str) -> tuple[str, str]:
    schema = {"properties": {"number": {"type": "integer"}}}
    bucket = made(client.post("buckets", json={"bucket_name": name, "bucket_schema": schema}))["bucket_id"]
    extractor = {"feature_extractor_name": "passthrough_extractor", "version": "v1",
                 "field_passthrough": [{"source_path": "number"}]}  # fmt: skip
    source = {"type": "bucket", "bucket_ids": [bucket]}
    body = {"collection_name": name, "source": source, "feature_extractor": extractor}
    return bucket, made(client.post("collections", json=body))["collection_id"]


def _status(client: httpx.Client, bucket: str, batch: str) -> str:
    answer = client.get(f"buckets/{bucket}/batches/{batch}")
    return str(answer.json()["status"]) if answer.is_success else ""


def _documents(client: httpx.Client, collection: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        asked = {"limit": 500, "offset": len(found)}
        page = made(client.post(f"collections/{collection}/documents/list", json={}, params=asked))["results"]
        found += page
        if len(page) < 500:
            return found
