"""Object stores of others by `obstore`: S3 and what speaks like it, Google Cloud Storage, Azure."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from tamis.errors import StorageConnectionError, ValidationError
from tamis.model.storage_connection import SourceFile, SourceFolder
from tamis.storage.sources.paths import parts_of

_PAGE = 1000
_CHUNK_BYTES = 1 << 20
_PROBE = "tamis-asks-whether-it-is-let-in"
"""No bucket of anybody's, it is to be hoped: that there is none is told to whom the store lets in."""
_STATUS = re.compile(r"status code: (\d{3})\b")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._$-]{1,221}")


class ObjectStoreStorage:
    """Implements OpenStorage. A path begins with the bucket (Azure: the container), as `bucket/prefix`."""

    def __init__(self, bucket_store: Callable[[str], Any]) -> None:
        """bucket_store: obstore's store of a bucket, by its name."""
        self._bucket_store = bucket_store

    async def check(self, path: str = "") -> str:
        store, prefix = self._within(path or _PROBE)
        try:
            async for _ in obstore.list(store, prefix or None, chunk_size=1):
                break
        except (BaseError, OSError, ValueError) as error:
            if path or not _is_missing(error):
                raise _told(path, error) from None
            return "the credentials were accepted; name a bucket to see whether that can be read"
        return f"{path!r} can be listed" if path else "the credentials were accepted"

    async def files(self, path: str) -> AsyncIterator[Sequence[SourceFile]]:
        store, prefix = self._within(path)
        bucket = parts_of(path)[0]
        try:
            async for chunk in obstore.list(store, prefix or None, chunk_size=_PAGE):
                yield [_file(bucket, entry) for entry in chunk]
        except (BaseError, OSError, ValueError) as error:
            raise _told(path, error) from None

    async def folder(self, path: str, most: int) -> SourceFolder:
        store, prefix = self._within(path)
        bucket = parts_of(path)[0]
        try:
            found = await obstore.list_with_delimiter_async(store, prefix or None)
        except (BaseError, OSError, ValueError) as error:
            raise _told(path, error) from None
        folders = tuple(sorted(f"{bucket}/{one}" for one in found["common_prefixes"]))
        files = sorted((_file(bucket, entry) for entry in found["objects"]), key=lambda one: one.path)
        return SourceFolder(folders, tuple(files[:most]), len(files) <= most)

    async def fetch(self, path: str, into: Path, most_bytes: int) -> str:
        store, key = self._within(path)
        digest, size_bytes = hashlib.sha256(), 0
        try:
            result = await obstore.get_async(store, key)
            with into.open("wb") as target:
                async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
                    size_bytes += len(chunk)
                    if size_bytes > most_bytes:
                        raise StorageConnectionError(f"{path!r} is larger than {most_bytes} bytes")
                    digest.update(chunk)
                    target.write(chunk)
        except (BaseError, OSError, ValueError) as error:
            raise _told(path, error) from None
        return digest.hexdigest()

    def _within(self, path: str) -> tuple[Any, str]:
        """Raises: ValidationError."""
        parts = parts_of(path)
        if not parts or not _BUCKET.fullmatch(parts[0]):
            raise ValidationError(f"{path[:80]!r}: a path begins with a bucket or container, as 'my-bucket/prefix'")
        return self._bucket_store(parts[0]), "/".join(parts[1:])


def _file(bucket: str, entry: Any) -> SourceFile:
    modified: datetime = entry["last_modified"].astimezone(UTC)
    told = entry.get("e_tag") or modified.isoformat()
    return SourceFile(f"{bucket}/{entry['path']}", int(entry["size"]), modified, f"{told} {entry['size']}")


def _status(error: BaseException) -> int | None:
    """Of a listing that failed, whatever for, obstore raises one and the same error; its text has the HTTP status."""
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def _is_missing(error: BaseException) -> bool:
    return isinstance(error, FileNotFoundError) or _status(error) == 404


def _told(path: str, error: BaseException) -> StorageConnectionError:
    """What it says itself may hold addresses and what was sent: its kind is all that is told."""
    if isinstance(error, StorageConnectionError):
        return error
    if _is_missing(error):
        return StorageConnectionError(f"the storage has no {path!r}")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError) or _status(error) in (
        401,
        403,
    ):
        return StorageConnectionError(f"the storage refuses these credentials for {path or 'anything'!r}")
    return StorageConnectionError(f"the storage gives no good answer for {path or 'anything'!r}: is its address right?")
