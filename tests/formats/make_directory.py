"""Make the sample of a whole data directory as this version leaves it.

    python -m tests.formats.make_directory

runs a server, fills it a little, stops it, and writes `directory-<layout>-<schema>.tar.gz` and, beside it, what every
later version has to read from it. Run it once for each released format; a sample that is there is never made again.
"""

import base64
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tamis.client import Client
from tamis.storage.datadir import LAYOUT
from tamis.storage.metadata.schema import REVISION
from tests.e2e.test_kill import add_objects, make_collection, query, wait_for_batch
from tests.live import LiveServer

HERE = Path(__file__).parent
FILE = bytes(range(256)) * 20


def fill(client: Client) -> dict[str, str]:
    """Texts that are searched, a file, an execution; the ids of what was made."""
    bucket, collection = make_collection(client)
    objects = add_objects(client, bucket, 5)
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": objects})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    assert wait_for_batch(client, bucket, batch) == "COMPLETED"
    schema = {"properties": {"file": {"type": "image"}}}
    files = client.post("buckets", {"bucket_name": "files", "bucket_schema": schema})["bucket_id"]
    data = f"data:image/png;base64,{base64.b64encode(FILE).decode()}"
    held = client.post(f"buckets/{files}/objects", {"blobs": [{"property": "file", "type": "image", "data": data}]})
    execution = client.post("retrievers/execute", query(collection))["execution_id"]
    return {
        "collection": collection,
        "files": files,
        "object": held["object_id"],
        "execution": execution,
    }


def read(client: Client, made: dict[str, str]) -> dict[str, Any]:
    """What is asked of every version."""
    documents = list(client.pages(f"collections/{made['collection']}/documents/list"))
    answer = client.post("retrievers/execute", query(made["collection"]))
    record = client.get(f"retrievers/executions/{made['execution']}")
    return {
        "documents": sorted([one["document_id"], one["number"]] for one in documents),
        "found": [[one["document_id"], round(one["score"], 4)] for one in answer["documents"]],
        "object": client.get(f"buckets/{made['files']}/objects/{made['object']}")["object_id"],
        "execution": [record["execution_id"], record["status"], record["total_returned"]],
    }


def main() -> None:
    target = HERE / f"directory-{LAYOUT}-{REVISION}.tar.gz"
    if target.exists():
        raise SystemExit(f"{target.name} is there already; a sample is never made again")
    with tempfile.TemporaryDirectory() as folder:
        with LiveServer(Path(folder) / "data") as server, server.client() as client:
            made = fill(client)
            expected = {"key": server.key, "made": made, "read": read(client, made)}
        with tarfile.open(target, "w:gz", compresslevel=9) as archive:
            archive.add(Path(folder) / "data", "data")
    target.with_suffix("").with_suffix(".json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
