"""From a backup back to a data directory: checked file by file before anything is in its place."""

import math
import shutil
from pathlib import Path

import msgspec

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.copies import RecordCopies
from tamis.errors import ConflictError, NotFoundError, StorageError
from tamis.model.backup import FORMAT, CopiedFile, Manifest
from tamis.model.principal import Principal
from tamis.services.upkeep.backups import MANIFEST, OTHERS, RECORD, copy_blob, described


class Restore:
    """source: the blob store of the backup at `folder`.  record, target: where it goes."""

    def __init__(self, folder: Path, record: RecordCopies, source: BlobStore, target: BlobStore) -> None:
        self._folder = folder
        self._record = record
        self._source = source
        self._target = target

    async def check(self) -> Manifest:
        """Whether this is a backup, whole, and none of a newer version. Raises: StorageError, ConflictError."""
        manifest = read_manifest(self._folder)
        if not self._record.knows(manifest.schema):
            raise ConflictError(
                f"this backup was written by a newer Tamis ({manifest.tamis}, schema {manifest.schema}); restore it "
                "with that version"
            )
        for found, copied in ((self._folder / RECORD, manifest.record), *self._others(manifest)):
            is_there = found.is_file() and not found.is_symlink()
            _compare(described(found, copied.name) if is_there else None, copied)
        await self._check_none_more(manifest)
        return manifest

    async def put_back(self, manifest: Manifest, data_dir: Path) -> None:
        """data_dir: empty but for what `target` puts there. Raises: StorageError, ConflictError."""
        async for blob in self._target.every():
            raise ConflictError(f"the blob store is not empty: it holds {blob.name}")
        for copied in manifest.blobs:
            organization_id, namespace_id, key = copied.name.split("/", 2)
            principal = Principal(organization_id, namespace_id)
            try:
                found = await copy_blob(self._source, self._target, principal, key, copied.name)
            except NotFoundError:
                raise _damaged(copied.name, "it is missing") from None
            _compare(found, copied)
        for path, copied in self._others(manifest):
            shutil.copy2(path, data_dir / copied.name)
        scratch = data_dir / "record.partial"
        shutil.copyfile(self._folder / RECORD, scratch)
        self._record.put_back(scratch)
        scratch.unlink()

    def _others(self, manifest: Manifest) -> list[tuple[Path, CopiedFile]]:
        return [(self._folder / OTHERS / copied.name, copied) for copied in manifest.others]

    async def _check_none_more(self, manifest: Manifest) -> None:
        known = {copied.name for copied in manifest.blobs}
        async for blob in self._source.every():
            if blob.name not in known:
                raise _damaged(blob.name, "the manifest does not name it")


def read_manifest(folder: Path) -> Manifest:
    """Raises: StorageError where this is no backup, or one of a newer format."""
    path = folder / MANIFEST
    if not path.is_file():
        raise StorageError(f"{folder} is no backup: it has no {MANIFEST}")
    try:
        raw = msgspec.json.decode(path.read_bytes())
        found = raw["format"] if isinstance(raw, dict) else None
        if isinstance(found, int) and found > FORMAT:
            raise StorageError(f"this backup has the format {found}, this version reads up to {FORMAT}")
        manifest = msgspec.convert(raw, Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise _damaged(MANIFEST, str(error)) from error
    _check_names(manifest)
    return manifest


def _check_names(manifest: Manifest) -> None:
    """Who made the manifest may be a stranger: nothing of it goes anywhere but into the new directory."""
    named = [(one.name, 1, 1) for one in manifest.others] + [(one.name, 3, math.inf) for one in manifest.blobs]
    for name, least, most in named:
        parts = name.split("/")
        if not least <= len(parts) <= most or {"", ".", ".."} & set(parts) or "\0" in name:
            raise _damaged(MANIFEST, f"{name!r} is no name of a file of a backup")


def _compare(found: CopiedFile | None, copied: CopiedFile) -> None:
    if found is None:
        raise _damaged(copied.name, "it is missing")
    if found != copied:
        raise _damaged(copied.name, "its content is not what the manifest says")


def _damaged(name: str, reason: str) -> StorageError:
    return StorageError(f"the backup is damaged: {name}: {reason}")
