"""Files from an object to the document that answers, and those that are wrong, through a real server."""

import base64
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tamis.client import Client
from tests.live import Room
from tests.media_samples import write_video
from tests.pdf_samples import write_pdf

PAGES = [
    [(60.0, 800.0, "Opening hours"), (60.0, 780.0, "The museum is open from ten to six, closed on Mondays.")],
    [],
    [(60.0, 800.0, "Getting here"), (60.0, 780.0, "Take tram number nine to the harbour and walk along the quay.")],
]
COLOURS = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (10, 20, 240)}


@pytest.fixture(scope="module")
def client(server: Room) -> Iterator[Client]:
    with server.client() as opened:
        yield opened


def test_the_page_that_answers_is_found_with_its_picture(client: Client, tmp_path: Path) -> None:
    files = [write_pdf(tmp_path / "a.pdf", PAGES).read_bytes(), b"%PDF-1.7 cut off"]
    bucket, batch = load(client, "leaflets", "document", files)
    for query in ("how do I get there by tram", "quay"):
        found = ask(client, "leaflets", "document_extractor@v1/embedding", query)[0]
        assert (found["page_number"], found["page_count"], found["source"]) == (3, 3, "native")
        assert "tram number nine" in found["text"]
    pages = client.post("collections/leaflets/documents/list", {})["results"]
    assert sorted(page["page_number"] for page in pages) == [1, 2, 3]
    assert batch["status"] == "COMPLETED_WITH_ERRORS"
    again = process(client, bucket, batch["object_ids"])
    assert (again["progress"]["sources_done"], again["progress"]["sources_failed"]) == (1, 1)
    assert client.post("collections/leaflets/documents/list", {})["results"] == pages  # and none was made again


def test_words_find_pictures_by_a_model_of_the_model_directory(client: Client) -> None:
    load(client, "plains", "image", [encoded(colour) for colour in COLOURS.values()], model="eyes")
    plain = client.post("collections/plains/documents/list", {})["results"]
    for word, colour in COLOURS.items():
        best, second, _ = ask(client, "plains", "image_extractor@v1/visual_embedding", word)
        code = "#{:02x}{:02x}{:02x}".format(*colour)
        assert best["dominant_colors"][0]["color"] == code
        assert best["score"] > 0.9 > 0.2 > second["score"]
        [this] = [one for one in plain if one["dominant_colors"][0]["color"] == code]
        alike = {"input_mode": "document", "document_ref": {"document_id": this["document_id"]}}
        found = ask(client, "plains", "image_extractor@v1/visual_embedding", alike)
        assert found[0]["dominant_colors"] == best["dominant_colors"]


def test_hostile_files_fail_alone_each_with_its_reason(client: Client, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", list(COLOURS.values()), "libx264")
    film, huge, bomb = (tmp_path / "a.mp4").read_bytes(), io.BytesIO(), io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(huge, "PNG")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(97 << 20))
    reasons = {
        huge.getvalue(): "12000 x 12000 pixels", encoded((9, 9, 9))[:60]: "damaged", film: "it is video/mp4",
        b"": "the file is empty", b'<svg xmlns="http://www.w3.org/2000/svg"/>': "no picture",
        bomb.getvalue(): "wordprocessingml",
    }  # fmt: skip
    refused(client, "image", reasons, encoded((9, 9, 9)))
    reasons = {film[:500]: "no sound or video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n": "no sound or video"}
    refused(client, "video", reasons, film)
    refused(client, "document", {bomb.getvalue(): "larger than 96 MiB", film: "video/mp4 by its content"}, b"A note.")
    assert client.get("health")["status"] == "OK"


def refused(client: Client, kind: str, reasons: dict[bytes, str], good: bytes) -> None:
    """All but the good one fail, with these reasons."""
    parameters = {"run_transcription": False} if kind == "video" else {}
    bucket, batch = load(client, f"hostile-{kind}", kind, [good, *reasons], **parameters)
    assert batch["progress"]["sources_done"] == 1
    failed = client.get(f"buckets/{bucket}/batches/{batch['batch_id']}/failed-documents")["failed_documents"]
    told = {one["source_id"]: one["error"] for one in failed}
    for object_id, reason in zip(batch["object_ids"][1:], reasons.values(), strict=True):
        assert reason in told[object_id]


def encoded(colour: tuple[int, int, int]) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(written, "PNG")
    return written.getvalue()


def ask(client: Client, collection: str, feature: str, query: str | dict[str, Any]) -> list[dict[str, Any]]:
    search = {"feature_uri": f"mixpeek://{feature}", "query": query, "top_k": 3}
    stage = {"stage_name": "s", "config": {"stage_id": "feature_search", "parameters": {"searches": [search]}}}
    body = {"collection_identifiers": [collection], "inputs": {}, "stages": [stage]}
    found: list[dict[str, Any]] = client.post("retrievers/execute", body)["documents"]
    return found


def load(client: Client, name: str, kind: str, files: list[bytes], **parameters: Any) -> tuple[str, dict[str, Any]]:
    """The bucket, and the batch at its end."""
    schema = {"properties": {"file": {"type": kind}}}
    bucket: str = client.post("buckets", {"bucket_name": name, "bucket_schema": schema})["bucket_id"]
    extractor = {
        "feature_extractor_name": kind, "version": "v1", "input_mappings": {kind: "file"}, "parameters": parameters,
    }  # fmt: skip
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": name, "source": source, "feature_extractor": extractor})
    objects = [
        {"blobs": [{"property": "file", "type": kind, "data": base64.b64encode(data).decode()}]} for data in files
    ]
    ids = [made["object_id"] for made in client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})]
    return bucket, process(client, bucket, ids)


def process(client: Client, bucket: str, object_ids: list[str]) -> dict[str, Any]:
    batch_id = client.post(f"buckets/{bucket}/batches", {"object_ids": object_ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch_id}/submit")
    deadline = time.monotonic() + 60
    while True:
        batch: dict[str, Any] = client.get(f"buckets/{bucket}/batches/{batch_id}")
        if batch["status"].startswith("COMPLETED"):
            return batch
        assert batch["status"] != "FAILED"
        assert time.monotonic() < deadline, batch["status"]
        time.sleep(0.05)
