"""Backups and restores, by the settings."""

from pathlib import Path

from tamis.errors import ConflictError
from tamis.model.backup import Manifest
from tamis.services.upkeep.backups import FILES, Backup
from tamis.services.upkeep.restores import Restore, read_manifest
from tamis.services.upkeep.whole_directory import check_empty, made_whole
from tamis.settings import Settings
from tamis.storage.blobs import open_blobs
from tamis.storage.datadir import DataPaths
from tamis.storage.metadata.copies import SqlCopies
from tamis.wiring.operation import rebuild_indexes


async def write_backup(settings: Settings, target: Path) -> Manifest:
    """Of this installation, beside a running server or without one. Raises: ConflictError, StorageError."""
    paths = DataPaths(settings.data_dir)
    _check_paths(paths.root, target)
    with made_whole(target) as folder:
        record = SqlCopies(paths.metadata_path, settings.database_url)
        source = open_blobs(None if settings.blob_url else paths.blob_path, settings.blob_url)
        return await Backup(record, source, open_blobs(folder / FILES, None), paths.others()).write(folder)


async def restore_backup(settings: Settings, backup: Path, with_index: bool = True) -> Manifest:
    """Into an empty data directory, and an empty database and blob store where the settings name them.

    with_index: make the index of every collection again; else the first start does.
    Raises: ConflictError, StorageError.
    """
    read_manifest(backup)
    check_empty(settings.data_dir)
    with made_whole(settings.data_dir) as root:
        paths = DataPaths(root)
        record = SqlCopies(paths.metadata_path, settings.database_url)
        target = open_blobs(None if settings.blob_url else paths.blob_path, settings.blob_url)
        folder = backup / FILES
        restore = Restore(backup, record, open_blobs(folder, None), target)
        manifest = await restore.check()
        await restore.put_back(manifest, root)
    if with_index:
        await rebuild_indexes(settings)
    return manifest


def _check_paths(root: Path, target: Path) -> None:
    if not root.is_dir():
        raise ConflictError(f"{root} holds no data yet: start the server once with `tamis serve`")
    if target.resolve().is_relative_to(root):
        raise ConflictError(f"{target} lies in the data directory; choose a path outside of it")
