"""Pictures and sounds asked by example over HTTP: by value, by object, more like this, grouped, replayed."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.cli import media_samples
from tamis.client import ApiError, Client
from tests.live import Room

PICTURES = "mixpeek://image_extractor@v1/color_gradient_descriptor"
WORDS = "mixpeek://image@v1/embedding"
SOUNDS = "mixpeek://audio_extractor@v1/sound_descriptor"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def client(server: Room, folder: Path) -> Iterator[Client]:
    with server.client() as client:
        batches = []
        for kind, parameters in (("image", {}), ("audio", {"run_transcription": False})):
            files = {one.name: one.file for one in media_samples.make(folder, [kind])}
            batches.append(submitted(client, kind, files, parameters))
        deadline = time.monotonic() + 60
        while any(client.get(batch)["status"] != "COMPLETED" for batch in batches) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield client


def submitted(client: Client, kind: str, files: dict[str, Path], parameters: dict[str, Any]) -> str:
    """Where the batch is that extracts the files."""
    schema = {"properties": {"file": {"type": kind}, "name": {"type": "string"}}}
    bucket = client.post("buckets", {"bucket_name": kind, "bucket_schema": schema})["bucket_id"]
    mappings = {kind: "file", "title": "name"} if kind == "image" else {kind: "file"}
    extractor = {
        "feature_extractor_name": kind, "version": "v1", "input_mappings": mappings, "parameters": parameters,
        "field_passthrough": [{"source_path": "name"}],
    }  # fmt: skip
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": kind, "source": source, "feature_extractor": extractor})
    objects = [{"name": name, "blobs": [{"property": "file", "type": kind, "data": encoded(path)}]}
               for name, path in files.items()]  # fmt: skip
    ids = [one["object_id"] for one in client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})]
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    return f"buckets/{bucket}/batches/{batch}"


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def pipeline(uri: str, **parameters: Any) -> dict[str, Any]:
    given = {"searches": [{"feature_uri": uri, "query": "{{INPUT.query}}"}], **parameters}
    return {
        "collection_identifiers": ["audio" if uri == SOUNDS else "image"],
        "input_schema": {"query": {"type": "object"}},
        "stages": [{"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": given}}],
    }


def asked(client: Client, uri: str, query: Any, links: bool = False, **parameters: Any) -> dict[str, Any]:
    body = {**pipeline(uri, **parameters), "inputs": {"query": query}, "return_urls": links}
    answer: dict[str, Any] = client.post("retrievers/execute", body)
    return answer


def content(value: str) -> dict[str, str]:
    return {"input_mode": "content", "value": value}


def names(answer: dict[str, Any]) -> list[str]:
    return [one["name"] for one in answer["documents"]]


def test_a_changed_copy_finds_its_picture_and_the_record_answers_again(client: Client, folder: Path) -> None:
    changed = encoded(media_samples.variant(folder / "visitors.png", folder / "variant.jpg"))
    answer = asked(client, PICTURES, content(f"data:image/jpeg;base64,{changed}"))
    assert names(answer)[0] == "visitors"
    execution = answer["execution_id"]
    record = client.get(f"retrievers/executions/{execution}")
    assert "image/jpeg of" in record["query_summary"]
    replay = client.post(f"retrievers/executions/{execution}/replay", {"mode": "frozen"})
    assert replay["verdict"] == "identical"


def test_hits_carry_links_where_they_are_asked_for(client: Client, folder: Path) -> None:
    """To the thumbnail and to the picture; made for each answer, so that the record has none."""
    chart = content(encoded(folder / "costs.png"))
    plain = asked(client, PICTURES, chart)["documents"][0]
    assert "document_blobs" not in plain
    answer = asked(client, PICTURES, chart, links=True)
    found = answer["documents"][0]
    [thumbnail] = found["document_blobs"]
    assert (thumbnail["role"], thumbnail["content_type"]) == ("thumbnail", "image/jpeg")
    assert httpx.get(thumbnail["presigned_url"]).content.startswith(b"\xff\xd8")
    [source] = found["source_blobs"]
    part = httpx.get(source["presigned_url"], headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, (folder / "costs.png").read_bytes()[:8])
    record = client.get(f"retrievers/executions/{answer['execution_id']}/trace")
    assert "/v1/blobs/" not in str(record)


def test_a_saved_execution_is_read_with_links_and_streams_have_them(client: Client, folder: Path) -> None:
    saved = client.post("retrievers", {"retriever_name": "like", **pipeline(PICTURES)})
    retriever = saved.get("retriever", saved)["retriever_id"]
    inputs = {"query": content(encoded(folder / "costs.png"))}
    path = f"retrievers/{retriever}"
    answer = client.post(f"{path}/execute", {"inputs": inputs, "return_presigned_urls": True})
    assert answer["documents"][0]["document_blobs"][0]["presigned_url"]
    detail = f"{path}/executions/{answer['execution_id']}"
    assert "document_blobs" not in client.get(detail)["documents"][0]
    assert client.get(detail, return_urls=True)["documents"][0]["source_blobs"][0]["presigned_url"]
    *_, last = client.stream(f"{path}/execute", {"inputs": inputs, "return_urls": True})
    assert last["documents"][0]["document_blobs"][0]["presigned_url"]


def test_an_object_and_a_stored_document_ask_for_what_is_like_them(client: Client, folder: Path) -> None:
    (best, *_) = asked(client, PICTURES, content(encoded(folder / "costs.png")))["documents"]
    assert best["name"] == "costs"
    assert best["score"] == pytest.approx(1.0, abs=1e-3)
    by_object = asked(client, PICTURES, content(best["root_object_id"]))
    reference = {"document_id": best["document_id"]}
    by_document = asked(client, PICTURES, {"input_mode": "document", "document_ref": reference})
    assert names(by_object) == names(by_document)
    assert names(by_object)[0] == "costs"
    grouped = asked(client, PICTURES, content(best["root_object_id"]), group_by={"field": "root_object_id", "limit": 2})
    assert [one["name"] for one in grouped["documents"]] == names(by_object)[:2]


def test_a_text_asks_titles_and_not_colours(client: Client) -> None:
    assert names(asked(client, WORDS, {"input_mode": "text", "value": "how much it rained"}))[0] == "rainfall"
    with pytest.raises(ApiError, match="cannot be asked by a text: color-gradient-descriptor looks at pictures only"):
        asked(client, PICTURES, {"input_mode": "text", "value": "rain"})


def test_a_sound_finds_its_recording_with_its_seconds(client: Client, folder: Path) -> None:
    heard = encoded(media_samples.excerpt(folder / "orchard.wav", folder / "excerpt.wav"))
    (best, *_) = asked(client, SOUNDS, content(heard))["documents"]
    assert best["name"] == "orchard"
    assert (best["start_time"], best["start_ms"]) == (0, 0)
    assert best["end_ms"] == pytest.approx(best["end_time"] * 1000)
    with pytest.raises(ApiError, match="'sound_descriptor' is asked with a sound or a video; this is image"):
        asked(client, SOUNDS, content(encoded(folder / "costs.png")))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("https://example.org/chart.png", "TAMIS_OUTSIDE_DOMAINS"),
        (base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(80)).decode(), "damaged|no picture"),
        ("obj_" + "0" * 28, "not found|base64"),
    ],
)
def test_what_cannot_be_had_says_why(client: Client, value: str, reason: str) -> None:
    with pytest.raises(ApiError, match=reason) as raised:
        asked(client, PICTURES, content(value))
    assert raised.value.status in (404, 422)
