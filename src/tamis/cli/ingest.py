"""From rows to documents over the API: a bucket, a collection, objects by the hundred, one batch, progress."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tamis.cli.terminal import out
from tamis.client import ApiError, BrokenStreamError, Client

_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of it. seconds: from the first object sent to the last document searchable.

    error: the first reason why something failed, where something did.
    """

    bucket_id: str
    collection_id: str
    status: str
    objects: int
    documents: int
    failed: int
    seconds: float
    error: str | None = None


def bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"), console=out,
    )  # fmt: skip


def field_type(value: Any) -> str:
    """The contract's type for a JSON value."""
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "string"


def ensure(client: Client, noun: str, name: str, body: dict[str, Any]) -> str:
    """The id of the bucket or collection of that name, made of `body` where there is none."""
    try:
        return str(client.get(f"{noun}s/{name}")[f"{noun}_id"])
    except ApiError as error:
        if error.status != 404:
            raise
    return str(client.post(f"{noun}s", body)[f"{noun}_id"])


def ensure_bucket(client: Client, name: str, schema: dict[str, str]) -> str:
    """The bucket of that name, made where there is none."""
    properties = {field: {"type": kind} for field, kind in schema.items()}
    return ensure(client, "bucket", name, {"bucket_name": name, "bucket_schema": {"properties": properties}})


def ensure_collection(client: Client, name: str, bucket_id: str, passthrough: list[str], parameters: Any = None) -> str:
    """The collection of that name over the bucket's `text`, made where there is none."""
    extractor = {
        "feature_extractor_name": "text_extractor",
        "version": "v1",
        "input_mappings": {"text": "text"},
        "field_passthrough": [{"source_path": path} for path in passthrough],
        "parameters": parameters or {},
    }
    body = {
        "collection_name": name,
        "source": {"type": "bucket", "bucket_ids": [bucket_id]},
        "feature_extractor": extractor,
    }
    return ensure(client, "collection", name, body)


def ingest(client: Client, bucket_id: str, collection_id: str, rows: Iterable[dict[str, Any]], total: int) -> Ingested:
    """Send the rows (each with `text` and fields), submit one batch, and wait until its documents are searchable."""
    started = time.monotonic()
    with bars() as progress:
        sending = progress.add_task("sending objects     ", total=total, note="")
        object_ids: list[str] = []
        for chunk in _chunks(rows, 100):
            created = client.post(f"buckets/{bucket_id}/objects/batch", {"objects": [_object(row) for row in chunk]})
            object_ids += [item["object_id"] for item in created]
            progress.advance(sending, len(chunk))
        return extracted(client, bucket_id, collection_id, object_ids, progress, started)


def extracted(
    client: Client, bucket_id: str, collection_id: str, object_ids: list[str], progress: Progress, started: float
) -> Ingested:
    """One batch of these objects, followed to its end. started: on the monotonic clock, when the first was sent."""
    extracting = progress.add_task("extracting documents", total=len(object_ids), note="")
    batch_id = client.post(f"buckets/{bucket_id}/batches", {"object_ids": object_ids})["batch_id"]
    client.post(f"buckets/{bucket_id}/batches/{batch_id}/submit")
    for facts in _follow(client, f"buckets/{bucket_id}/batches/{batch_id}/events"):
        progress.update(
            extracting,
            completed=_count(facts, "sources_done") + _count(facts, "sources_failed"),
            total=_count(facts, "sources_total") or len(object_ids),
            note=_noted(facts),
        )
    batch = client.get(f"buckets/{bucket_id}/batches/{batch_id}")
    failed = client.get(f"buckets/{bucket_id}/batches/{batch_id}/failed-documents", limit=1)
    documents = client.get(f"collections/{collection_id}")["document_count"]
    return Ingested(
        bucket_id, collection_id, batch["status"], len(object_ids), documents, failed.get("total", 0),
        time.monotonic() - started, batch.get("error"),
    )  # fmt: skip


def _object(row: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in row.items() if name != "text"}
    return {"blobs": [{"property": "text", "type": "text", "data": row["text"]}], **fields}


def _chunks(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _follow(client: Client, path: str) -> Iterator[dict[str, Any]]:
    """What the batch's events say about its progress, until it ends; a stream that breaks is taken up again."""
    while True:
        try:
            for event in client.follow(path):
                yield event["progress"] or {}
            return
        except BrokenStreamError:
            time.sleep(_PAUSE_S)


def _count(facts: dict[str, Any], name: str) -> int:
    return int(facts.get(name) or 0)


def _noted(facts: dict[str, Any]) -> str:
    """The rate, and how many failed, where there is something to say."""
    rate, failed = facts.get("sources_per_s"), _count(facts, "sources_failed")
    said = [f"{rate:.3g}/s"] if rate else []
    return ", ".join([*said, *([f"{failed} failed"] if failed else [])])
