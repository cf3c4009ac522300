"""kill -9 in the middle of applying a manifest: all of it is there or nothing, and applying it again makes it whole."""

import json
import random
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.live import LiveServer

KILLS = 4
FINDER = {"stage_id": "attribute_filter", "parameters": {"field": "text", "operator": "eq", "value": "{{INPUT.word}}"}}


def manifest(number: int) -> dict[str, Any]:
    """A namespace of thirty things."""
    names = [f"{kind}-{place}" for kind in ("notes", "films") for place in range(5)]
    schema = {"properties": {"text": {"type": "text"}}}
    passes = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}
    return {
        "version": "1.0",
        "metadata": {"name": "shop"},
        "namespaces": [{"name": f"shop-{number}"}],
        "buckets": [{"name": name, "schema": schema} for name in names],
        "collections": [
            {"name": f"{name}-in", "source": {"type": "bucket", "bucket_ids": [name]}, "feature_extractor": passes}
            for name in names
        ],
        "retrievers": [
            {
                "name": f"{name}-find",
                "collection_identifiers": [f"{name}-in"],
                "input_schema": {"word": {"type": "text", "required": True}},
                "stages": [{"stage_name": "find", "config": FINDER}],
            }
            for name in names
        ],
    }


def ask(server: LiveServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/yaml"}
    answer = httpx.post(f"{server.url}/v1/manifest/{path}", content=json.dumps(body), headers=headers, timeout=60)
    assert answer.is_success, answer.text
    return dict(answer.json())


def planned(server: LiveServer, body: dict[str, Any]) -> Counter[str]:
    """How many things applying it would make, change and leave."""
    return Counter(one["status"] for one in ask(server, "apply?dry_run=true", body)["resources"])


def test_applying_is_killed_wherever_it_is(tmp_path: Path) -> None:
    chance, seen = random.Random(11), Counter[str]()
    with LiveServer(tmp_path / "data") as server:
        nothing = planned(server, manifest(0))
        assert sum(nothing.values()) == 31
        for number in range(KILLS):
            body = manifest(number)
            killer = threading.Timer(chance.uniform(0.0, 0.25), server.kill_group)
            killer.start()
            with suppress(httpx.TransportError):
                ask(server, "apply", body)
            killer.join()
            server.start()
            left = planned(server, body)
            assert len(left) == 1, "all of it or nothing"
            seen["nothing" if left == nothing else "all"] += 1
            ask(server, "apply", body)
            (status,) = planned(server, body)
            assert {status} != set(nothing)
        named = {"Authorization": f"Bearer {server.key}", "X-Namespace": f"shop-{KILLS - 1}"}
        path = f"{server.url}/v1/retrievers/films-4-find/execute"
        answer = httpx.post(path, json={"inputs": {"word": "x"}}, headers=named, timeout=60)
        assert answer.status_code == 200, answer.text
    assert sum(seen.values()) == KILLS
