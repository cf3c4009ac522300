"""A backup: the record of one moment, and every file that it names.

    manifest.json     what belongs to it, with the hash of each file; written last
    record.sqlite3    the system of record
    files/            the blob store's files
    others/           what lies beside the record in the data directory, such as the key that links are signed with

The index is not in it: it is derived, and made again from the record. The server may go on writing. A file never
changes under its name, so the files are copied first, then the record, then the files that came meanwhile; where one
that the record names has been deleted in between, the record is taken again.
"""

import hashlib
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tamis import __version__
from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.copies import RecordCopies
from tamis.errors import ConflictError, NotFoundError
from tamis.model.backup import FORMAT, CopiedFile, Manifest, StoredBlob
from tamis.model.principal import Principal

MANIFEST, RECORD, FILES, OTHERS = "manifest.json", "record.sqlite3", "files", "others"
_ROUNDS = 20


class Backup:
    """record, source: what is copied.  target: the blob store of the backup.  others: files as they stand."""

    def __init__(self, record: RecordCopies, source: BlobStore, target: BlobStore, others: Sequence[Path]) -> None:
        self._record = record
        self._source = source
        self._target = target
        self._others = others
        self._copied: dict[str, tuple[str, CopiedFile]] = {}

    async def write(self, folder: Path) -> Manifest:
        """folder: empty, and `target` lies in its FILES. Raises: ConflictError, StorageError."""
        await self._copy_blobs()
        schema, missing, taken_at = await self._consistent(folder / RECORD)
        others = copy_others(self._others, folder / OTHERS)
        manifest = Manifest(
            FORMAT,
            __version__,
            schema,
            taken_at.isoformat(),
            described(folder / RECORD, RECORD),
            tuple(copied for _, (_, copied) in sorted(self._copied.items())),
            tuple(others),
            missing,
        )
        write_manifest(folder, manifest)
        return manifest

    async def _consistent(self, record: Path) -> tuple[str, tuple[str, ...], datetime]:
        """The record, taken until all that it names has been copied, or is known not to be there."""
        before: set[str] | None = None
        for _ in range(_ROUNDS):
            taken_at = datetime.now(UTC)
            schema = self._record.take(record)
            await self._copy_blobs()
            needed = {file.name for file in self._record.named_files(record) if file.needed}
            missing = needed - self._copied.keys()
            # What was not there twice was not deleted in between.
            if not missing or missing == before:
                return schema, tuple(sorted(missing)), taken_at
            before = missing
        raise ConflictError("files are deleted faster than the record can be copied; try again at a quieter time")

    async def _copy_blobs(self) -> None:
        """What has not been copied yet, or is another file by now."""
        async for blob in self._source.every():
            known = self._copied.get(blob.name)
            if known is None or known[0] != blob.version:
                await self._copy(blob)

    async def _copy(self, blob: StoredBlob) -> None:
        principal = Principal(blob.organization_id, blob.namespace_id)
        try:
            copied = await copy_blob(self._source, self._target, principal, blob.key, blob.name)
        except NotFoundError:
            return  # deleted since it was listed
        self._copied[blob.name] = (blob.version, copied)


async def copy_blob(source: BlobStore, target: BlobStore, principal: Principal, key: str, name: str) -> CopiedFile:
    """Raises: NotFoundError, StorageError."""
    digest = hashlib.sha256()

    async def hashed() -> AsyncIterator[bytes]:
        async for chunk in source.stream(principal, key):
            digest.update(chunk)
            yield chunk

    size_bytes = await target.put_stream(principal, key, hashed())
    return CopiedFile(name, size_bytes, digest.hexdigest())


def copy_others(paths: Sequence[Path], folder: Path) -> list[CopiedFile]:
    folder.mkdir()
    copied = []
    for path in paths:
        shutil.copy2(path, folder / path.name)
        copied.append(described(folder / path.name, path.name))
    return copied


def described(path: Path, name: str) -> CopiedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CopiedFile(name, path.stat().st_size, digest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
