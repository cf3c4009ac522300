"""Which files a sync brings, and what object of its bucket each becomes. Nothing is stored here."""

import fnmatch
import mimetypes
import re
from collections.abc import Callable, Mapping
from typing import Any

from tamis.errors import ValidationError
from tamis.model.bucket import Bucket
from tamis.model.bucket_sync import BucketSync, FileFilters, FileState, SyncedFile
from tamis.model.json import JSON
from tamis.model.storage_connection import SourceFile
from tamis.services.data.blob_intake import BlobDraft, LocalFile
from tamis.services.data.bucket_schema import FILE_TYPES, TEXT_TYPES, fits, properties
from tamis.services.data.object_design import ObjectDraft
from tamis.services.listing import timestamp

MOST_ATTEMPTS = 3
"""At a file that does not change; then it is left alone."""
_BY_MIME = {
    "application/pdf": "pdf",
    "application/json": "text",
    "application/msword": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "application/vnd.ms-excel": "spreadsheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "spreadsheet",
    "application/vnd.ms-powerpoint": "presentation",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "presentation",
}
_BY_FAMILY = {"image": "image", "audio": "audio", "video": "video", "text": "text"}


def mime_type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def passing(filters: FileFilters | None, source_path: str) -> Callable[[SourceFile], bool]:
    """Whether a file is brought."""
    if filters is None:
        return lambda file: True
    included, excluded = _globs(filters.include_patterns), _globs(filters.exclude_patterns)
    types = _globs(filters.mime_types)
    root = source_path.strip("/")

    def passes(file: SourceFile) -> bool:
        below = file.path.removeprefix(root).lstrip("/")
        return (
            (not included or _any(included, below))
            and not _any(excluded, below)
            and (not types or any(one.match(mime_type_of(file.name)) for _, one in types))
            and _within(file, filters)
        )

    return passes


def is_to_be_read(file: SourceFile, known: SyncedFile | None) -> bool:
    if known is None or known.fingerprint != file.fingerprint:
        return True
    return known.state is FileState.FAILED and known.attempts < MOST_ATTEMPTS


def draft_of(bucket: Bucket, sync: BucketSync, file: SourceFile, copy: LocalFile) -> ObjectDraft:
    """The same file of the same sync gives the same object. Raises: ValidationError where no property takes it."""
    name, kind = _property(bucket.schema, _kind(copy.mime_type or ""))
    folder = file.path.rpartition("/")[0]
    fields: dict[str, JSON] = {"source_path": file.path, "source_modified_at": timestamp(file.modified_at)}
    return ObjectDraft(
        blobs=(BlobDraft(name, kind, file=copy),),
        fields=fields,
        key_prefix=f"/{folder}" if folder else None,
        idempotency_key=f"{sync.sync_id}\0{file.path}",
    )


def _globs(patterns: tuple[str, ...]) -> list[tuple[bool, re.Pattern[str]]]:
    """Each with whether it is of a path. `fnmatch` makes atomic groups: no pattern takes long."""
    return [("/" in one, re.compile(fnmatch.translate(one))) for one in patterns]


def _any(patterns: list[tuple[bool, re.Pattern[str]]], path: str) -> bool:
    name = path.rpartition("/")[2]
    return any(one.match(path) or one.match(f"/{path}") if deep else one.match(name) for deep, one in patterns)


def _within(file: SourceFile, filters: FileFilters) -> bool:
    return (
        (filters.min_size_bytes is None or file.size_bytes >= filters.min_size_bytes)
        and (filters.max_size_bytes is None or file.size_bytes <= filters.max_size_bytes)
        and (filters.modified_after is None or file.modified_at > filters.modified_after)
        and (filters.modified_before is None or file.modified_at < filters.modified_before)
    )


def _kind(mime_type: str) -> str:
    return _BY_MIME.get(mime_type) or _BY_FAMILY.get(mime_type.partition("/")[0], "file")


def _property(schema: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """The first that is of this kind, else the first that takes it; and what the blob is called there."""
    declared = {name: str(one["type"]) for name, one in properties(schema).items()}
    if not declared:
        return "content", kind
    wanted = TEXT_TYPES if kind == "text" else {kind}
    exact = [name for name, of in declared.items() if of in wanted]
    # Text is a file too, where nothing takes it as text.
    also = [name for name, of in declared.items() if of in FILE_TYPES | {"automatic"} and fits(_as_file(kind), of)]
    for name in (*exact, *also):
        of = declared[name]
        return name, of if of in TEXT_TYPES else kind if of == "automatic" else _as_file(kind)
    names = ", ".join(f"{name} ({of})" for name, of in declared.items())
    raise ValidationError(f"the bucket's schema has no property that takes {kind}; it has {names}")


def _as_file(kind: str) -> str:
    return "file" if kind == "text" else kind
