"""Whole batches through a real server: objects over HTTP, one batch, its documents committed and searchable."""

import base64
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
from tests.live import LiveServer

from tamis.client import Client

_POLL_S = 0.02
_DONE = ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCELED")
_TYPES = {"image": "image", "document": "document", "audio": "audio", "video": "video", "text": "text"}


class Batches:
    """Of a server that has been started; objects of a medium are sent once and extracted anew in each round."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._client: Client = server.client()
        self._buckets: dict[str, tuple[str, list[str]]] = {}

    def seconds(
        self, name: str, extractor: str, source: str, parameters: dict[str, Any], sources: Sequence[Path | str]
    ) -> float:
        """From the batch's submission until its documents are searchable. source: the extractor's input."""
        bucket, objects = self._sent(name, source, sources)
        body = {
            "collection_name": name,
            "source": {"type": "bucket", "bucket_ids": [bucket]},
            "feature_extractor": {
                "feature_extractor_name": extractor,
                "version": "v1",
                "input_mappings": {source: source},
                "parameters": parameters,
            },
        }
        collection = self._client.post("collections", body)["collection_id"]
        batch = self._client.post(f"buckets/{bucket}/batches", {"object_ids": objects})["batch_id"]
        began = time.perf_counter()
        self._client.post(f"buckets/{bucket}/batches/{batch}/submit")
        while (status := self._client.get(f"buckets/{bucket}/batches/{batch}")["status"]) not in _DONE:
            time.sleep(_POLL_S)
        took_s = time.perf_counter() - began
        if status != "COMPLETED":
            raise RuntimeError(f"the batch of {name} ended as {status}")
        headers = {"Authorization": f"Bearer {self._server.key}", "X-Namespace": "default"}
        httpx.delete(f"{self._server.url}/v1/collections/{collection}", headers=headers).raise_for_status()
        return took_s

    def peak_mb(self) -> dict[str, int]:
        """The most memory of the server and of each of its children so far."""
        processes = [psutil.Process(self._server.pid), *self._server.children()]
        peaks = [peak_kb(process.pid) // 1024 for process in processes]
        return {"server": peaks[0], "largest_child": max(peaks[1:], default=0)}

    def _sent(self, name: str, source: str, sources: Sequence[Path | str]) -> tuple[str, list[str]]:
        if name not in self._buckets:
            schema = {"properties": {source: {"type": _TYPES[source]}}}
            bucket = self._client.post("buckets", {"bucket_name": name, "bucket_schema": schema})["bucket_id"]
            ids = [self._client.post(f"buckets/{bucket}/objects", _object(source, one))["object_id"] for one in sources]
            self._buckets[name] = (bucket, ids)
        return self._buckets[name]


def _object(source: str, content: Path | str) -> dict[str, Any]:
    data = content if isinstance(content, str) else base64.b64encode(content.read_bytes()).decode()
    return {"blobs": [{"property": source, "type": _TYPES[source], "data": data}]}


def peak_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
