"""kill -9 while a candidate runs in the shadow of live executions, again and again.

Every answer has its record, a run of the shadow is there whole or not at all, and its bound holds over all starts. The
quick form, without a process, is in tests/api/test_rollouts.py.
"""

import contextlib
import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.client import ApiError, Client
from tests.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
URI = "mixpeek://text_extractor@v1/embedding"
_SUBJECTS = 12
_ASKERS = 4
_TIMEOUT_S = 60
_ENOUGH, _MOST_RUNS = 500, 1000
"""Runs of the shadow after which nothing more is killed; and as many as one page lists."""


def search(weight: float) -> dict[str, Any]:
    """weight: of words; meaning has the rest."""
    one = {"feature_uri": URI, "query": "{{INPUT.query}}"}
    searches = [{**one, "weight": 1 - weight}, {**one, "lexical": True, "weight": weight}]
    parameters = {"searches": searches, "fusion": "dbsf", "final_top_k": 10}
    return {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}


def open_shop(client: Client) -> None:
    """Documents, a retriever of them, and a candidate that weighs words otherwise."""
    schema = {"properties": {"text": {"type": "text"}}}
    bucket = client.post("buckets", {"bucket_name": "goods", "bucket_schema": schema})["bucket_id"]
    extractor = {"feature_extractor_name": "text_extractor", "version": "v1", "input_mappings": {"text": "text"}}
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": "goods", "source": source, "feature_extractor": extractor})
    texts = [f"Thing number {n} is made of subject {n % _SUBJECTS}" for n in range(40)]
    objects = [{"blobs": [{"property": "text", "type": "text", "data": text}]} for text in texts]
    ids = [one["object_id"] for one in client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})]
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    until(lambda: client.get(f"buckets/{bucket}/batches/{batch}")["status"] == "COMPLETED")
    for name, weight in (("shop", 0.6), ("next", 0.1)):
        body = {"retriever_name": name, "stages": [search(weight)], "collection_identifiers": ["goods"]}
        client.post("retrievers", {**body, "input_schema": {"query": {"type": "text", "required": True}}})


def until(is_so: Any) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(server: LiveServer, answered: dict[str, list[str]], chance: random.Random) -> None:
    """Until the server is gone; what came back, by execution."""
    with contextlib.suppress(httpx.HTTPError, ApiError), server.client() as client:
        while True:
            inputs = {"query": f"subject {chance.randrange(_SUBJECTS)} number {chance.randrange(40)}"}
            found = client.post("retrievers/shop/execute", {"inputs": inputs})
            answered[found["execution_id"]] = [one["document_id"] for one in found["documents"]]


def killed(server: LiveServer, answered: dict[str, list[str]], chance: random.Random) -> None:
    """Under load, once the shadow has kept something more, a moment later."""
    with server.client() as client:
        before = len(runs(client))
        askers = [
            threading.Thread(target=ask, args=(server, answered, random.Random(chance.random())))
            for _ in range(_ASKERS)
        ]
        for asker in askers:
            asker.start()
        until(lambda: len(runs(client)) > before)
    time.sleep(chance.uniform(0, 0.3))
    chance.choice([server.kill, server.kill_group])()
    for asker in askers:
        asker.join()


def runs(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("retrievers/shop/rollout/runs", limit=1000)
    return found


def test_a_shadow_is_killed_again_and_again(tmp_path: Path, quick: bool) -> None:
    chance, answered, kept = random.Random(9), dict[str, list[str]](), dict[str, dict[str, Any]]()
    with LiveServer(tmp_path / "data") as server:
        with server.client() as client:
            open_shop(client)
            client.put("retrievers/shop/rollout", {"candidate": "next", "shadow_share": 1, "max_runs": _MOST_RUNS})
        for _ in range(3 if quick else 30):
            if len(kept) > _ENOUGH:
                break
            killed(server, answered, chance)
            server.start()
            with server.client() as client:
                kept = whole(client, answered, kept)
        with server.client() as client:
            bounded(client, len(kept))


def whole(client: Client, answered: dict[str, list[str]], before: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the shadow has kept, by execution: nothing less than before, each once, with both rankings."""
    for execution_id in answered:
        assert client.get(f"retrievers/shop/executions/{execution_id}")["status"] == "completed"
    found = runs(client)
    kept = {one["execution_id"]: one for one in found}
    assert len(kept) == len(found)
    assert {key: kept.get(key) for key in before} == before
    for key, run in kept.items():
        assert (run["error"], run["skipped"]) == (None, None)
        assert len(run["candidate"]) == len(run["baseline"]) == 10
        # An answer that a kill kept from whoever asked has its record, and may have its run.
        assert run["baseline"] == answered.get(key, run["baseline"])
    assert client.get("retrievers/shop/rollout")["agreement"]["compared"] == len(kept)
    return kept


def bounded(client: Client, kept: int) -> None:
    """With room for two more, two more come, of all that is asked; and the candidate can be made the retriever."""
    client.put("retrievers/shop/rollout", {"candidate_version": 2, "shadow_share": 1, "max_runs": kept + 2})

    def is_full() -> bool:
        client.post("retrievers/shop/execute", {"inputs": {"query": "subject one"}})
        return len(runs(client)) >= kept + 2

    until(is_full)
    for _ in range(10):
        is_full()
    assert len(runs(client)) == kept + 2
    assert client.post("retrievers/shop/rollout/promote")["version"] == 2
    answer = client.post("retrievers/shop/execute", {"inputs": {"query": "subject one"}})
    trace = client.get(f"retrievers/shop/executions/{answer['execution_id']}/trace")
    assert trace["retriever_version"] == 2
