"""Token vectors from an object to a ranking, through a real server with the real model and index."""

import time

from tamis.client import Client
from tests.live import Room

URI = "mixpeek://text_extractor@v1/token_vectors"
TEXTS = ("A lighthouse warns ships at night.", "Bread is baked from flour and water.", "The tide rises twice a day.")


def test_token_vectors_are_stored_searched_and_compared(server: Room) -> None:
    with server.client() as client:
        load(client)
        query = "how is bread baked"
        search = {"feature_uri": URI, "query": query, "top_k": 3}
        body = {
            "collection_identifiers": ["tokens"],
            "inputs": {"query": query},
            "stages": [
                {
                    "stage_name": "search",
                    "config": {"stage_id": "feature_search", "parameters": {"searches": [search]}},
                },
                {
                    "stage_name": "late",
                    "config": {"stage_id": "maxsim_rerank", "parameters": {"feature_uri": URI}},
                },
            ],
        }
        found = client.post("retrievers/execute", body)["documents"]
        assert len(found) == 3
        assert found[0]["text"] == TEXTS[1]
        # Index and stage work the same sum out, the one in its own arithmetic.
        assert all(abs(one["scores"]["search"] - one["scores"]["late"]) < 0.05 for one in found)


def load(client: Client) -> None:
    schema = {"properties": {"text": {"type": "text"}}}
    bucket = client.post("buckets", {"bucket_name": "tokens", "bucket_schema": schema})["bucket_id"]
    extractor = {
        "feature_extractor_name": "text_extractor",
        "version": "v1",
        "input_mappings": {"text": "text"},
        "parameters": {"token_vectors": True},
    }
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": "tokens", "source": source, "feature_extractor": extractor})
    objects = [{"blobs": [{"property": "text", "type": "text", "data": text}]} for text in TEXTS]
    ids = [made["object_id"] for made in client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})]
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    deadline = time.monotonic() + 60
    while (status := client.get(f"buckets/{bucket}/batches/{batch}")["status"]) != "COMPLETED":
        assert status != "FAILED"
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
