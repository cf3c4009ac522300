"""Bodies that are right but for a place or two are refused in the contract's envelope, or run: nothing crashes."""

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.stages.shop import URI
from tests.resource_world import open_resources
from tests.retrieval_world import opened, stage

ODD: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 1.5, -0.0, 1e308, "", " ", "ä", "\x00", "\ufffe",
    "x" * 3000, "{{INPUT.query}}", "{{ 1/0 }}", "{{", "{% for %}", "{{ INPUT.query * 100000000 }}", "../..",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "(a+)+$", "\\", "NaN", [], {}, [[]], [None], {"a": None},
    {"": ""}, ["a", "a"], {"a": {"b": [{}]}}, [1] * 500, {f"k{number}": number for number in range(200)},
]  # fmt: skip
NAMES = ["zz", "", " ", "\x00", "a.b", "$x", "_id"]
Place = tuple[Any, Any]


def places(value: Any) -> Iterator[Place]:
    """Every (container, key) inside."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def spoiled(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    body = copy.deepcopy(body)
    for _ in range(chance.choice([1, 1, 2, 3])):
        container, key = chance.choice(list(places(body)) or [(body, "zz")])
        how = chance.randrange(8)
        if how == 0 and isinstance(container, dict):
            container.pop(key, None)
        elif how == 1 and isinstance(container, dict):
            container[chance.choice(NAMES)] = container.pop(key, None)
        elif how == 2:
            container[key] = [copy.deepcopy(container[key])] if key in container else []
        else:
            container[key] = copy.deepcopy(chance.choice(ODD))
    return body


async def send(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]) -> int:
    content = json.dumps(body).encode()
    answer = await client.request(method, f"/v1{path}", content=content, headers={"Content-Type": "application/json"})
    told = f"{method} {path} {content[:2000]!r}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code < 500 or answer.status_code == 501, told
    if answer.status_code >= 400:
        envelope = answer.json()
        assert envelope["success"] is False, told
        assert envelope["status"] == answer.status_code, told
        assert envelope["error"]["message"], told
        assert answer.status_code != 422 or envelope["detail"], told
    return answer.status_code


PRICE = {"AND": [{"field": "price", "operator": "lte", "value": 90}, {"NOT": [{"brand": "Blade"}]}]}
SEARCH = {"feature_uri": URI, "query": "{{INPUT.query}}", "top_k": 5, "filters": PRICE, "min_score": -1.0}
STAGES = [
    stage(
        "feature_search", searches=[SEARCH, {**SEARCH, "lexical": True}], fusion="rrf", final_top_k=20, facets=["brand"]
    ),
    stage("attribute_filter", conditions=PRICE),
    stage("attribute_filter", field="brand", operator="in", value=["Blade", "{{INPUT.query}}"]),
    stage("sort_attribute", field="price", direction="asc", nulls_last=True),
    stage("score_normalize", method="min_max"),
    stage("deduplicate", strategy="content", content_field="text"),
    stage("sample", size=3, seed=1),
    stage("group_by", field="brand", max_per_group=2),
    stage("aggregate", aggregations=[{"function": "avg", "field": "price", "name": "m"}], group_by=["brand"]),
    stage("json_transform", template='{"a": "{{ DOC.brand }}"}'),
    stage("limit", limit=3, offset=1),
]
PAGES: list[dict[str, Any]] = [
    {"method": "offset", "page_size": 2, "page_number": 1}, {"method": "cursor", "limit": 2},
    {"method": "scroll", "page_size": 2}, {"method": "keyset", "limit": 2},
]  # fmt: skip


def execution(chance: random.Random) -> dict[str, Any]:
    return {
        "stages": [STAGES[0], *chance.sample(STAGES[1:], chance.randrange(3))],
        "input_schema": {"query": {"type": "text", "required": True}},
        "inputs": {"query": "running shoes"},
        "budget_limits": {"max_credits": 1, "max_time_ms": 5000},
        "pagination": chance.choice(PAGES),
        "filters": PRICE,
        "stream": chance.random() < 0.1,
    }


@pytest.mark.parametrize("seed", range(2))
async def test_retrievers(tmp_path: Path, seed: int) -> None:
    chance, seen = random.Random(seed), Counter[int]()
    async with opened(tmp_path) as world, world.client() as client:
        plain = {**execution(chance), "stream": False}
        first = (await client.post("/v1/retrievers/execute", json=plain)).json()["execution_id"]
        past = f"/retrievers/executions/{first}"
        exported = (await client.get(f"/v1{past}/export")).json()
        span = {"start_time": "2020-01-01T00:00:00Z", "end_time": "2020-02-01T00:00:00Z"}
        for number in range(500):
            asked = execution(chance)
            cache = {"ttl_seconds": 60, "cache_stage_names": ["search"], "exclude_fields": ["inputs.x"]}
            definition = {key: asked[key] for key in ("stages", "input_schema", "budget_limits")}
            seeds: list[tuple[str, str, dict[str, Any]]] = [
                ("POST", "/retrievers/execute", asked),
                ("POST", "/retrievers/execute", asked),
                ("POST", "/retrievers/execute/explain", asked),
                ("POST", "/retrievers", {**definition, "retriever_name": f"r{number}", "cache_config": cache}),
                ("POST", f"{past}/why", {"document_id": "p1", "check": True}),
                ("POST", f"{past}/replay", {"mode": chance.choice(["frozen", "live"]), "allow_effects": False}),
                ("POST", f"{past}/promote", {"to": "dataset", "dataset_name": f"d{number}"}),
                ("POST", "/retrievers/executions/import", exported),
                ("POST", "/retrievers/executions/list", {"status": "completed", **span, "limit": 3, "offset": 1}),
                ("DELETE", "/retrievers/executions", {"inputs_hash": "0" * 40, **span}),
            ]
            method, path, body = chance.choice(seeds)
            seen[await send(client, method, path, spoiled(body, chance))] += 1
    assert seen[200] > 20
    assert seen[422] > 20


@pytest.mark.parametrize("seed", range(2))
async def test_resources(tmp_path: Path, seed: int) -> None:
    chance, seen = random.Random(seed), Counter[int]()
    texts = {"text": {"type": "text", "required": True}, "n": {"type": "integer", "default": 3}}
    blob = {"property": "text", "type": "text", "data": "a b c", "metadata": {"q": 1}}
    upload = {"filename": "a.txt", "content_type": "text/plain", "file_size_bytes": 12, "blob_property": "text"}
    asked = {"filters": PRICE, "sort": {"field": "created_at", "direction": "desc"}, "search": "a", "limit": 3}
    async with open_resources(tmp_path) as resources:
        client = resources.http
        client.headers.update(resources.me.headers)
        await resources.me.post("/buckets", {"bucket_name": "b", "bucket_schema": {"properties": texts}})
        for number in range(500):
            bucket = {"bucket_name": f"b{number}", "bucket_schema": {"properties": texts}, "metadata": {"a": 1}}
            key = {"name": f"k{number}", "permissions": ["read"], "expires_at": "2100-01-01T00:00:00Z"}
            namespace = {"namespace_name": f"n{number}", "payload_indexes": [{"field_name": "kind", "type": "keyword"}]}
            seeds: list[tuple[str, str, dict[str, Any]]] = [
                ("POST", "/buckets", bucket),
                ("POST", "/buckets/list", asked),
                ("POST", "/buckets/b/objects", {"blobs": [blob], "metadata": {"kind": "a"}, "key_prefix": "/a"}),
                ("POST", "/buckets/b/objects/batch", {"objects": [{"blobs": [blob]}, {"metadata": {"price": 1}}]}),
                ("POST", "/buckets/b/objects/list", asked),
                ("POST", "/buckets/b/uploads", upload),
                ("POST", "/buckets/b/uploads/batch", {"uploads": [upload, upload]}),
                ("POST", "/organizations/users/admin@localhost/api-keys", key),
                ("POST", "/namespaces", namespace),
                ("POST", "/namespaces/list", asked),
            ]
            method, path, body = chance.choice(seeds)
            seen[await send(client, method, path, spoiled(body, chance))] += 1
    assert seen[200] > 20
    assert seen[422] > 20
