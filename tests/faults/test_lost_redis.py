"""A Redis that is away, hangs and comes back empty: the server goes on, says so, and keeps its limits."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.faults.test_full_disk import http
from tests.faults.waiting import wait_for
from tests.live import LiveServer
from tests.servers import RedisServer, a_redis

LIMIT = 12
_RATES = {"search": LIMIT, "metadata": 1000, "data": 1000, "upload": 1000, "compute": 1000}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Not started."""
    server = a_redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[LiveServer]:
    settings = {
        "TAMIS_CACHE_URL": redis.url,
        "TAMIS_TIERS": json.dumps({"enterprise": {"requests_per_minute": _RATES}}),
    }
    with LiveServer(tmp_path_factory.mktemp("lost") / "data", **settings) as server:
        yield server


def health(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("health").json()
    return found


def is_sharing(client: httpx.Client) -> bool:
    return bool(health(client)["data"]["cache"])


def make_retriever(client: httpx.Client) -> str:
    """Of one document, with a cache."""
    bucket = {"bucket_name": "lost", "bucket_schema": {"properties": {"text": {"type": "text"}}}}
    source = {"type": "bucket", "bucket_ids": [client.post("buckets", json=bucket).json()["bucket_id"]]}
    extractor = {"feature_extractor_name": "text_extractor", "version": "v1", "input_mappings": {"text": "text"}}
    body = {"collection_name": "lost", "source": source, "feature_extractor": extractor}
    collection = client.post("collections", json=body).json()["collection_id"]
    client.post(f"collections/{collection}/documents", json={"number": 7}).raise_for_status()
    stage = {
        "stage_name": "only", "stage_type": "filter",
        "config": {"stage_id": "attribute_filter", "parameters": {"field": "number", "operator": "eq", "value": 7}},
    }  # fmt: skip
    made = client.post(
        "retrievers",
        json={
            "retriever_name": "lost", "collection_identifiers": [collection], "stages": [stage],
            "input_schema": {"q": {"type": "text"}}, "cache_config": {"ttl_seconds": 600},
        },
    )  # fmt: skip
    retriever: str = made.json()["retriever"]["retriever_id"]
    return retriever


def ask(client: httpx.Client, retriever: str, question: str) -> httpx.Response:
    return client.post(f"retrievers/{retriever}/execute", json={"inputs": {"q": question}})


def test_a_redis_that_is_away_hangs_and_comes_back_empty(server: LiveServer, redis: RedisServer) -> None:
    answers = []

    def asked(question: str) -> str:
        answer = ask(client, retriever, question)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["documents"]) == 1
        answers.append(answer)
        return str(answer.headers["x-cache"])

    with http(server) as client:
        told = health(client)
        assert (told["status"], told["data"]["cache"]) == ("DEGRADED", False), "it was not there at the start"
        assert "Redis is away" in told["errors"]["cache"]
        assert client.get("../readyz").status_code == 200
        retriever = make_retriever(client)
        redis.start()
        wait_for(lambda: is_sharing(client))
        assert [asked("a"), asked("a")] == ["MISS", "HIT"]
        redis.kill()
        assert [asked("a"), asked("a")] == ["MISS", "MISS"]
        assert not is_sharing(client)
        redis.start()
        wait_for(lambda: is_sharing(client))
        assert [asked("a"), asked("a")] == ["MISS", "HIT"]
        redis.hang()
        assert [asked("a"), asked("a")] == ["MISS", "MISS"]
        redis.hang(is_hung=False)
        wait_for(lambda: is_sharing(client))
        assert asked("a") == "HIT"
        while (last := ask(client, retriever, "b")).status_code == 200:
            answers.append(last)
        assert last.status_code == 429
        assert len(answers) == LIMIT, "a Redis that forgot what was granted lets nobody have more of this server"
        assert {len(answer.json()["documents"]) for answer in answers} == {1}
    assert "Redis is back" in server.log
    assert server.log.count("Redis is away") >= 3
