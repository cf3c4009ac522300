"""Pictures, documents, sounds and videos of a folder: by what is in them, a bucket and a collection for each kind."""

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tamis.cli.ingest import Ingested, bars, ensure, extracted
from tamis.cli.terminal import fail
from tamis.client import Client
from tamis.decoding.sniffing import content_type

KINDS = ("image", "document", "audio", "video")
_DOCUMENTS = ("application/pdf", "application/vnd.openxmlformats-officedocument.")
_INLINE_BYTES = 4 << 20
"""Larger files are sent by themselves, as uploads, and never held whole."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """path: as the folder has it.  media_type: by what is in the file."""

    file: Path
    path: str
    kind: str
    media_type: str


def media_file(file: Path, path: str) -> MediaFile | None:
    """None for what no extractor of media takes."""
    media_type = content_type(file)
    kind = "document" if media_type.startswith(_DOCUMENTS) else media_type.partition("/")[0]
    return MediaFile(file, path, kind, media_type) if kind in KINDS else None


def load_media(client: Client, name: str, kind: str, files: Iterable[MediaFile]) -> Ingested:
    """Files of one kind, each an object known by its path: loaded again, it is replaced."""
    started, every = time.monotonic(), list(files)
    catalogue = client.get("collections/features/extractors")
    extractor = next((one for one in catalogue if one["feature_extractor_name"] == f"{kind}_extractor"), None)
    if extractor is None:
        fail(f"this server has no {kind}_extractor, which {every[0].path} needs: `pip install 'tamis[media]'` there")
    (needed, *_) = extractor["input_schema"].get("required") or extractor["input_schema"]["properties"]
    schema = {"file": {"type": kind}, "path": {"type": "string"}, "size_bytes": {"type": "integer"}}
    bucket_id = ensure(client, "bucket", name, {
        "bucket_name": name, "bucket_schema": {"properties": schema},
        "unique_key": {"fields": ["path"], "default_policy": "upsert"},
    })  # fmt: skip
    collection_id = ensure(client, "collection", name, {
        "collection_name": name, "source": {"type": "bucket", "bucket_ids": [bucket_id]},
        "feature_extractor": {
            "feature_extractor_name": extractor["feature_extractor_name"], "version": extractor["version"],
            "input_mappings": {needed: "file"},
            "field_passthrough": [{"source_path": "path"}, {"source_path": "size_bytes"}],
        },
    })  # fmt: skip
    with bars() as progress:
        sending = progress.add_task(f"sending {kind} files", total=len(every), note="")
        object_ids = []
        for one in every:
            object_ids.append(_sent(client, bucket_id, one))
            progress.advance(sending)
        return extracted(client, bucket_id, collection_id, object_ids, progress, started)


def _sent(client: Client, bucket_id: str, one: MediaFile) -> str:
    size_bytes = one.file.stat().st_size
    blob: dict[str, Any] = {"property": "file", "type": one.kind}
    if size_bytes <= _INLINE_BYTES:
        blob["data"] = f"data:{one.media_type};base64,{base64.b64encode(one.file.read_bytes()).decode()}"
    else:
        blob["upload_id"] = _uploaded(client, bucket_id, one, size_bytes)
    body = {"blobs": [blob], "path": one.path, "size_bytes": size_bytes}
    return str(client.post(f"buckets/{bucket_id}/objects", body)["object_id"])


def _uploaded(client: Client, bucket_id: str, one: MediaFile, size_bytes: int) -> str:
    announced = client.post(
        f"buckets/{bucket_id}/uploads",
        {
            "filename": one.file.name[-255:], "content_type": one.media_type, "file_size_bytes": size_bytes,
            "create_object_on_confirm": False, "skip_duplicates": False,
        },
    )  # fmt: skip
    client.put_file(announced["presigned_url"], one.file, one.media_type)
    client.post(f"buckets/{bucket_id}/uploads/{announced['upload_id']}/confirm")
    return str(announced["upload_id"])
