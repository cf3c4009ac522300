"""A PDF from an object to the page that answers a question, through a real server."""

import base64
import time
from pathlib import Path
from typing import Any

from tamis.client import Client
from tests.live import LiveServer
from tests.pdf_samples import write_pdf

PAGES = [
    [(60.0, 800.0, "Opening hours"), (60.0, 780.0, "The museum is open from ten to six, closed on Mondays.")],
    [],
    [(60.0, 800.0, "Getting here"), (60.0, 780.0, "Take tram number nine to the harbour and walk along the quay.")],
]


def test_the_page_that_answers_is_found_with_its_picture(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", TAMIS_DECODE_WORKERS="1") as server, Client(server.url, server.key) as client:
        bucket = load(client, [write_pdf(tmp_path / "a.pdf", PAGES).read_bytes(), b"%PDF-1.7 cut off"])
        for query in ("how do I get there by tram", "quay"):
            found = ask(client, query)[0]
            assert (found["page_number"], found["page_count"], found["source"]) == (3, 3, "native")
            assert "tram number nine" in found["text"]
        pages = client.post("collections/leaflets/documents/list", {})["results"]
        assert sorted(page["page_number"] for page in pages) == [1, 2, 3]
        [batch] = client.post(f"buckets/{bucket}/batches/list", {})["batches"]
        assert batch["status"] == "COMPLETED_WITH_ERRORS"
        again = process(client, bucket, batch["object_ids"])
        assert (again["progress"]["sources_done"], again["progress"]["sources_failed"]) == (1, 1)
        assert client.post("collections/leaflets/documents/list", {})["results"] == pages  # and none was made again


def ask(client: Client, query: str) -> list[dict[str, Any]]:
    search = {"feature_uri": "mixpeek://document_extractor@v1/embedding", "query": query, "top_k": 3}
    stage = {"stage_name": "s", "config": {"stage_id": "feature_search", "parameters": {"searches": [search]}}}
    body = {"collection_identifiers": ["leaflets"], "inputs": {"query": query}, "stages": [stage]}
    found: list[dict[str, Any]] = client.post("retrievers/execute", body)["documents"]
    return found


def load(client: Client, files: list[bytes]) -> str:
    schema = {"properties": {"leaflet": {"type": "pdf"}}}
    bucket: str = client.post("buckets", {"bucket_name": "leaflets", "bucket_schema": schema})["bucket_id"]
    extractor = {"feature_extractor_name": "document", "version": "v1"}
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": "leaflets", "source": source, "feature_extractor": extractor})
    objects = [
        {"blobs": [{"property": "leaflet", "type": "pdf", "data": base64.b64encode(data).decode()}]} for data in files
    ]
    ids = [made["object_id"] for made in client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})]
    process(client, bucket, ids)
    return bucket


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
