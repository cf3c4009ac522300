"""Documents with vectors of the caller's own, many in one request, over a real system."""

import base64
import io
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow.parquet
import pytest
import pytest_asyncio

from tamis.app import build_app
from tamis.services.data import document_exports
from tamis.settings import Settings
from tamis.wiring.system import open_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

_KEY = "sk_importer_0123456789abcdef0123456789"
_HEADERS = {"Authorization": f"Bearer {_KEY}", "X-Namespace": "default"}
_VECTORS = {
    "look": {"dimensions": 3},
    "words": {"kind": "sparse", "idf": True},
    "tokens": {"kind": "multi_dense", "dimensions": 2},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    data_dir: Path = tmp_path_factory.mktemp("imports") / "data"
    tiers = {"enterprise": {"documents": 1400}}
    system = await open_system(Settings(data_dir=data_dir, root_key=_KEY, tiers=tiers, max_upload_bytes=1 << 26))
    try:
        app = httpx.ASGITransport(build_app(system))
        async with httpx.AsyncClient(transport=app, base_url="http://localhost/v1", headers=_HEADERS) as client:
            await client.post("/buckets", json={"bucket_name": "own", "bucket_schema": {"properties": {}}})
            yield client
    finally:
        await system.close()


async def made(http: httpx.AsyncClient, name: str, vectors: Mapping[str, Any] = _VECTORS) -> httpx.Response:
    extractor = {
        "feature_extractor_name": "passthrough_extractor",
        "version": "v1",
        "parameters": {"vectors": vectors},
    }
    source = {"type": "bucket", "bucket_ids": ["own"]}
    body = {"collection_name": name, "source": source, "feature_extractor": extractor}
    return await http.post("/collections", json=body)


async def sent(http: httpx.AsyncClient, name: str, *lines: Any, **query: str) -> dict[str, Any]:
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    answer = await http.post(f"/collections/{name}/documents/import", content=body, params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def key(number: int) -> str:
    return f"doc_{number:032x}"


async def found(http: httpx.AsyncClient, name: str, feature: str, value: Any) -> list[str]:
    search = {
        "feature_uri": f"mixpeek://passthrough_extractor@v1/{feature}",
        "query": {"input_mode": "vector", "value": value},
        "top_k": 5,
    }
    stage = {"stage_id": "feature_search", "parameters": {"searches": [search], "final_top_k": 5}}
    body = {"collection_identifiers": [name], "stages": [{"stage_name": "s", "config": stage}], "inputs": {}}
    answer = await http.post("/retrievers/execute", json=body)
    assert answer.status_code == 200, answer.text
    return [hit["document_id"] for hit in answer.json()["documents"]]


async def test_vectors_of_every_kind_come_in_and_are_searched_at_once(http: httpx.AsyncClient) -> None:
    assert (await made(http, "kinds")).status_code == 200
    packed = base64.b64encode(np.asarray([0, 1, 0], "<f4").tobytes()).decode()
    rows = base64.b64encode(np.asarray([[0, 1], [0, 1]], "<f4").tobytes()).decode()
    told = await sent(
        http,
        "kinds",
        {"document_id": key(1), "colour": "red", "vectors": {"look": [1, 0, 0], "tokens": [[1, 0]]}},
        {"document_id": key(2), "metadata": {"colour": "blue"}, "vectors": {"look": packed, "tokens": rows}},
        b"",
        {"document_id": key(3), "vectors": {"words": {"indices": [7, 3], "values": [1.0, 2.0]}}},
    )
    assert told | {"collection_id": ""} == {
        "collection_id": "", "lines": 3, "created": 3, "replaced": 0, "skipped": 0, "failed": 0, "errors": [],
    }  # fmt: skip
    assert await found(http, "kinds", "look", [0, 1, 0.1]) == [key(2), key(1)]
    assert await found(http, "kinds", "tokens", [[1, 0]]) == [key(1), key(2)]
    assert await found(http, "kinds", "words", {"indices": [3], "values": [1.0]}) == [key(3)]
    assert await found(http, "kinds", "words", '{"indices": [9, 7, 7], "values": [1, 1, 1]}') == [key(3)]
    document = (await http.get(f"/collections/kinds/documents/{key(2)}", params={"return_vectors": True})).json()
    assert (document["colour"], document["vectors"]["look"]) == ("blue", [0, 1, 0])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "cannot be read"),
        (b"[1]", "one JSON object"),
        (b'{"x": NaN}', "cannot be read"),
        (b'{"x": "\\ud800"}', "not Unicode"),
        (b'{"vectors": {"look": [1, 0, nope]}}', "cannot be read"),
        (b'{"x": ' + b"[" * 200 + b"]" * 200 + b"}", "nests deeper"),
        ({"vectors": [1, 0, 0]}, "vectors: an object"),
        ({"vectors": {"look": [1, 0]}}, "look has 3 dimensions, not 2"),
        ({"vectors": {"look": "AAAA"}}, "four bytes a number"),
        ({"vectors": {"look": "no base64"}}, "base64 of little-endian float32"),
        ({"vectors": {"look": [1, "a", 0]}}, "numbers are expected"),
        ({"vectors": {"smell": [1]}}, "no feature 'smell'; it has look, words, tokens"),
        ({"vectors": {"words": [1]}}, "'indices'"),
        ({"document_id": "mine"}, "an id such as doc_"),
        ({"document_id": 5}, "document_id: a text"),
        ({"features": []}, "vectors: {name: numbers}"),
        ({"x": 2**70}, "64"),
    ],
)
async def test_a_bad_line_fails_alone_and_says_why(http: httpx.AsyncClient, line: Any, said: str) -> None:
    await made(http, "bad")
    told = await sent(http, "bad", {"document_id": key(10)}, line, {"document_id": key(11)})
    assert (told["lines"], told["created"] + told["replaced"], told["failed"]) == (3, 2, 1)
    assert [error["line"] for error in told["errors"]] == [2]
    assert said in told["errors"][0]["message"]


async def test_what_exists_is_replaced_skipped_or_refused(http: httpx.AsyncClient) -> None:
    await made(http, "twice")
    await made(http, "elsewhere")
    first = {"document_id": key(20), "n": 1, "vectors": {"look": [1, 0, 0]}}
    await sent(http, "twice", first)
    before = (await http.get(f"/collections/twice/documents/{key(20)}")).json()
    skipped = await sent(http, "twice", {**first, "n": 2}, existing="skip")
    refused = await sent(http, "twice", {**first, "n": 3}, existing="fail")
    theirs = await sent(http, "elsewhere", {**first, "n": 4})
    assert (skipped["skipped"], refused["failed"], theirs["failed"]) == (1, 1, 1)
    assert "already" in refused["errors"][0]["message"]
    assert "another collection" in theirs["errors"][0]["message"]
    assert (await http.get(f"/collections/twice/documents/{key(20)}")).json() == before
    replaced = await sent(http, "twice", {**first, "n": 5}, {**first, "n": 6})
    assert (replaced["replaced"], replaced["failed"]) == (2, 0)
    after = (await http.get(f"/collections/twice/documents/{key(20)}")).json()
    assert (after["n"], after.get("created_at")) == (6, before.get("created_at"))


async def test_a_long_body_comes_in_as_it_is_sent_and_a_quota_stops_it(http: httpx.AsyncClient) -> None:
    await made(http, "many")

    async def pieces() -> AsyncIterator[bytes]:
        lines = b"".join(b'{"document_id": "%s"}\n' % key(100 + number).encode() for number in range(2000))
        for start in range(0, len(lines), 999):
            yield lines[start : start + 999]

    answer = await http.post("/collections/many/documents/import", content=pieces())
    assert answer.status_code == 403, answer.text
    error = answer.json()["error"]
    listed = await http.post("/collections/many/documents/list", params={"limit": 1}, json={})
    written = error["details"]["documents_written"]
    assert 0 < written == listed.json()["pagination"]["total"] <= 1400


async def test_what_no_line_can_mend_is_refused_whole(http: httpx.AsyncClient) -> None:
    await made(http, "refused")
    path = "/collections/refused/documents/import"
    assert (await http.post("/collections/none/documents/import", content=b"{}")).status_code == 404
    assert (await http.post(path, content=b"{}", params={"existing": "maybe"})).status_code == 422
    assert (await http.post(path, content=b"{}", headers={"Idempotency-Key": "a"})).status_code == 400
    endless = await http.post(path, content=b'{"x": "' + b"a" * (5 << 20))
    assert (endless.status_code, endless.json()["error"]["details"]["limit_bytes"]) == (413, 4 << 20)
    too_large = await http.post(path, content=b"{}\n" * (1 << 25))
    assert too_large.status_code == 413


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ({"look": {}}, "says its dimensions"),
        ({"look": {"kind": "sparse", "dimensions": 3}}, "says its dimensions"),
        ({"look": {"dimensions": 3, "idf": True}}, "idf is for sparse"),
        ({"Look at": {"dimensions": 3}}, "pattern"),
    ],
)
async def test_a_declaration_that_cannot_be_is_refused(http: httpx.AsyncClient, vectors: Any, said: str) -> None:
    answer = await made(http, "undeclared", vectors)
    assert answer.status_code == 422
    assert said in answer.text


async def test_what_is_exported_is_imported_as_it_was(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_exports, "PAGE", 5)
    await http.delete("/collections/many")  # whose documents are as many as there may be
    for name in ("leaving", "arriving"):
        assert (await made(http, name)).status_code == 200
    lines = [
        {
            "document_id": key(70_000 + number), "source_type": "collection", "source_document_id": key(number),
            "metadata": {"n": number, "created_at": "2020", "deep": [None, {"é": "😀"}]},
            "vectors": {"look": [number, 1, 0], "words": {"indices": [1, number + 2], "values": [0.5, 1]}},
        }
        for number in range(13)
    ]  # fmt: skip
    assert (await sent(http, "leaving", *lines))["created"] == 13
    exported = await http.get("/collections/leaving/documents/export")
    assert (exported.status_code, exported.headers["content-type"]) == (200, "application/x-ndjson")
    whole = exported.content
    assert (await http.post("/collections/leaving/documents/import", content=whole)).json()["replaced"] == 13
    assert (await http.get("/collections/leaving/documents/export")).content == whole

    behind = {"after": key(70_000 + 9)}
    rest = (await http.get("/collections/leaving/documents/export", params=behind)).content
    assert whole.endswith(rest)
    assert rest.count(b"\n") == 3
    few: dict[str, str | bool] = {"filters": '{"field": "n", "operator": "gte", "value": 11}', "vectors": False}
    found = (await http.get("/collections/leaving/documents/export", params=few)).text.splitlines()
    assert [json.loads(line)["metadata"]["n"] for line in found] == [11, 12]
    assert "vectors" not in found[0]
    table = await http.get("/collections/leaving/documents/export", params={"format": "parquet", **few})
    assert pyarrow.parquet.read_table(io.BytesIO(table.content))["metadata.n"].to_pylist() == [11, 12]

    await http.delete("/collections/leaving")
    half = whole[: len(whole) // 2]  # a break in the midst of a line
    assert (await http.post("/collections/arriving/documents/import", content=half)).json()["failed"] == 1
    assert (await http.post("/collections/arriving/documents/import", content=whole)).json()["failed"] == 0
    assert (await http.get("/collections/arriving/documents/export")).content == whole


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"format": "csv"}, "query.format"),
        ({"filters": "[1"}, "query.filters: a filter as JSON"),
        ({"filters": "[1]"}, "query.filters: an object"),
        ({"filters": '{"field": "n", "operator": "near", "value": 1}'}, "query.filters"),
        ({"format": "parquet", "after": "doc_1"}, "query.after: goes with format=jsonl"),
    ],
)
async def test_a_wrong_export_says_so(http: httpx.AsyncClient, query: dict[str, str], said: str) -> None:
    await made(http, "wrongly-exported")
    answer = await http.get("/collections/wrongly-exported/documents/export", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert (await http.get("/collections/nowhere/documents/export")).status_code == 404
