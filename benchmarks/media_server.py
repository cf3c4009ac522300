"""Whole batches through a real server: objects over HTTP, one batch, its documents committed and searchable."""

import base64
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from tests.live import LiveServer

from benchmarks.media_kinds import Medium, Sources
from tamis.client import Client

_POLL_S = 0.2
"""Asking costs the server some milliseconds, and what it costs is counted."""
_DONE = ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCELED")
_TYPES = {"image": "image", "document": "document", "audio": "audio", "video": "video", "text": "text"}


class Batches:
    """Of a server that has been started."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._client: Client = server.client()
        self._made: list[str] = []

    def send(self, medium: Medium, sources: Sources) -> str:
        """A bucket, a collection and a batch of the sources, not submitted yet; its path."""
        name = f"{medium.name}-{len(self._made)}"
        schema = {"properties": {medium.source: {"type": _TYPES[medium.source]}}}
        bucket = self._client.post("buckets", {"bucket_name": name, "bucket_schema": schema})["bucket_id"]
        self._made.append(f"buckets/{bucket}")
        body = {
            "collection_name": name,
            "source": {"type": "bucket", "bucket_ids": [bucket]},
            "feature_extractor": {
                "feature_extractor_name": medium.extractor.name,
                "version": "v1",
                "input_mappings": {medium.source: medium.source},
                "parameters": medium.parameters,
            },
        }
        self._made.append(f"collections/{self._client.post('collections', body)['collection_id']}")
        objects = [
            self._client.post(f"buckets/{bucket}/objects", _object(medium.source, one))["object_id"] for one in sources
        ]
        batch = self._client.post(f"buckets/{bucket}/batches", {"object_ids": objects})["batch_id"]
        return f"buckets/{bucket}/batches/{batch}"

    def run(self, batch: str) -> None:
        """From its submission until its documents are searchable."""
        self._client.post(f"{batch}/submit")
        while (status := self._client.get(batch)["status"]) not in _DONE:
            time.sleep(_POLL_S)
        if status != "COMPLETED":
            raise RuntimeError(f"{batch} ended as {status}: {self._client.get(batch).get('error')}")

    def cpu_s(self) -> float:
        """Of the server and all that it started, all threads."""
        return sum(sum(process.cpu_times()[:4]) for process in self._processes())

    def forget_peak(self) -> None:
        for process in self._processes():
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    def peak_mb(self) -> tuple[int, int]:
        """The most memory of the server, and of the largest of its children, since `forget_peak`."""
        server, *children = (peak_kb(process.pid) // 1024 for process in self._processes())
        return server, max(children, default=0)

    def clear(self) -> None:
        """Delete what was made, so that the next medium meets an empty server."""
        for path in reversed(self._made):
            self._client.delete(path)
        self._made = []

    def _processes(self) -> Iterator[psutil.Process]:
        yield psutil.Process(self._server.pid)
        for process in self._server.children():
            with suppress(psutil.NoSuchProcess):
                process.cpu_times()
                yield process


def _object(source: str, content: Path | str) -> dict[str, Any]:
    data = content if isinstance(content, str) else base64.b64encode(content.read_bytes()).decode()
    return {"blobs": [{"property": source, "type": _TYPES[source], "data": data}]}


def peak_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
