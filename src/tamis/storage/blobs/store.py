"""Blobs on anything that `obstore` speaks to: a local folder, memory, S3, Google Cloud Storage, Azure."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from tamis.errors import NotFoundError, StorageError, StorageFullError, ValidationError
from tamis.model.backup import StoredBlob
from tamis.model.principal import Principal
from tamis.storage.space import is_out_of_space

_MAX_KEY_BYTES = 700
_PLAIN = re.compile(r"^[A-Za-z0-9_./-]+\Z")
_CHUNK_BYTES = 256 * 1024
_SEGMENT = re.compile(r"^[^\x00-\x1f\x7f/\\]{1,200}\Z")


class ObstoreBlobs:
    """Implements BlobStore. Keys lie under `<organisation>/<namespace>/`, so that no key reaches another tenant's.

    What `put_stream` stores becomes visible whole, at its end: a file is renamed into place, a multipart upload
    completed. Durable against a kill of the process; a folder is not flushed to the disk on each write.
    """

    def __init__(self, store: Any, root: Path | None = None) -> None:
        """root: the folder, where `store` is one."""
        self._store = store
        self._root = root
        self._keeps_types = not isinstance(store, LocalStore)

    async def put(self, principal: Principal, key: str, data: bytes, content_type: str | None = None) -> None:
        """Raises: ValidationError (key), StorageError."""
        await self._put(_path(principal, key), data, content_type)

    async def put_stream(self, principal: Principal, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Raises: ValidationError (key), StorageError, and whatever `chunks` raises; then nothing is stored."""
        size_bytes = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size_bytes
            async for chunk in chunks:
                size_bytes += len(chunk)
                yield chunk

        await self._put(_path(principal, key), counted(), None)
        return size_bytes

    async def get(self, principal: Principal, key: str) -> bytes:
        try:
            result = await obstore.get_async(self._store, _path(principal, key))
            return bytes(await result.bytes_async())
        except FileNotFoundError:
            raise NotFoundError.of("blob", key) from None
        except (BaseError, OSError) as error:
            raise _failed("read", key, error) from error

    async def stream(
        self, principal: Principal, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        if end is not None and end <= start:
            return
        options: Any = {"range": {"offset": start} if end is None else (start, end)} if start or end else None
        try:
            result = await obstore.get_async(self._store, _path(principal, key), options=options)
            async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)
        except FileNotFoundError:
            raise NotFoundError.of("blob", key) from None
        except (BaseError, OSError) as error:
            raise _failed("read", key, error) from error

    def path(self, principal: Principal, key: str) -> Path | None:
        # Other characters are written differently on disk.
        if self._root is None or not _PLAIN.match(key):
            return None
        found = self._root / _path(principal, key)
        return found if found.is_file() else None

    async def size(self, principal: Principal, key: str) -> int | None:
        try:
            return int((await obstore.head_async(self._store, _path(principal, key)))["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _failed("read", key, error) from error

    async def delete(self, principal: Principal, key: str) -> None:
        """Nothing where there is nothing."""
        await self._delete([_path(principal, key)])

    async def delete_prefix(self, principal: Principal, prefix: str) -> None:
        """Everything under `prefix/`; the empty prefix is the whole namespace."""
        try:
            async for chunk in obstore.list(self._store, _path(principal, prefix) if prefix else _root(principal)):
                await self._delete([entry["path"] for entry in chunk])
        except (BaseError, OSError) as error:
            raise _failed("deleted", prefix, error) from error

    async def every(self) -> AsyncIterator[StoredBlob]:
        """Raises: StorageError."""
        try:
            async for chunk in obstore.list(self._store):
                for entry in chunk:
                    parts = entry["path"].split("/", 2)
                    if len(parts) == 3:
                        version = f"{entry.get('e_tag') or ''} {entry['last_modified'].isoformat()}"
                        yield StoredBlob(parts[0], parts[1], parts[2], int(entry["size"]), version)
        except (BaseError, OSError) as error:
            raise _failed("listed", "*", error) from error

    async def health(self) -> bool:
        """Whether a write goes through."""
        try:
            await obstore.put_async(self._store, "health", b"ok")
        except (BaseError, OSError):
            return False
        return True

    async def answers(self) -> bool:
        """Whether a read goes through."""
        try:
            await obstore.head_async(self._store, "health")
        except FileNotFoundError:
            return True
        except (BaseError, OSError):
            return False
        return True

    async def _put(self, path: str, data: bytes | AsyncIterator[bytes], content_type: str | None) -> None:
        attributes = {"Content-Type": content_type} if content_type and self._keeps_types else None
        try:
            await obstore.put_async(self._store, path, data, attributes=attributes)
        except BaseError as error:
            raise _failed("written", path, error) from error

    async def _delete(self, paths: list[str]) -> None:
        for path in paths:
            try:
                await obstore.delete_async(self._store, path)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise _failed("deleted", path, error) from error


def open_blobs(root: Path | None, url: str | None) -> ObstoreBlobs:
    """The store behind `url` (`s3://bucket/prefix`, credentials from the environment), else the folder `root`.

    Raises: StorageError where neither can be opened.
    """
    try:
        if url:
            return ObstoreBlobs(from_url(url))
        if root is None:
            raise StorageError("blobs need a folder or a URL")
        return ObstoreBlobs(LocalStore(root, mkdir=True, automatic_cleanup=True), root.resolve())
    except (BaseError, ValueError, OSError) as error:
        raise StorageError(f"the blob store cannot be opened: {error}") from error


def _root(principal: Principal) -> str:
    if not principal.organization_id or not principal.namespace_id:
        raise StorageError("blobs belong to a namespace of an organisation")
    return f"{principal.organization_id}/{principal.namespace_id}"


def _path(principal: Principal, key: str) -> str:
    segments = key.split("/")
    safe = all(_SEGMENT.match(segment) and segment not in (".", "..") for segment in segments)
    if not safe or len(key.encode()) > _MAX_KEY_BYTES:
        raise ValidationError(f"{key[:80]!r} is no blob key: relative, parts joined by '/', none of them '.' or '..'")
    return f"{_root(principal)}/{key}"


def _failed(verb: str, key: str, error: BaseException) -> StorageError:
    if is_out_of_space(error):
        return StorageFullError()
    return StorageError(f"the blob store failed: {key!r} could not be {verb}")
