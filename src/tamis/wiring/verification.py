"""Verification by the settings: all of it where no server runs, the record and the files beside one that does."""

import contextlib
from dataclasses import dataclass

from tamis.errors import ConflictError, DataDirectoryInUse
from tamis.model.fault import Fault
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer
from tamis.services.upkeep.verification import DeleteCheck, FileCheck, IndexCheck
from tamis.settings import Settings
from tamis.storage.blobs import open_blobs
from tamis.storage.datadir import DataDirectory, DataPaths
from tamis.storage.metadata.upkeep import SqlUpkeep
from tamis.wiring.backends import open_index, open_locks, open_metadata


@dataclass(frozen=True, slots=True)
class Report:
    """faults: as found.  left: what is still wrong after a repair.  skipped: what was not looked at, and why."""

    faults: tuple[Fault, ...]
    left: tuple[Fault, ...]
    skipped: str | None = None


async def verify(settings: Settings, deep: bool = False, repair: bool = False) -> Report:
    """deep: also every byte.  repair: make again what is derived; no server may run then.

    Raises: ConflictError where there is nothing to verify, DataDirectoryInUse, StorageError, IndexUnavailableError.
    """
    async with contextlib.AsyncExitStack() as stack:
        if not _is_there(settings):
            raise ConflictError(f"{settings.data_dir} holds no data: start the server once with `tamis serve`")
        try:
            directory = DataDirectory(settings.data_dir)
        except DataDirectoryInUse:
            if repair:
                raise
            return await _beside(settings, deep)
        stack.callback(directory.close)
        upkeep = SqlUpkeep(directory.metadata_path, settings.database_url)
        first = list(upkeep.faults(deep))
        if any(not fault.is_derived and fault.kind == "database" for fault in first):
            return Report(tuple(first), tuple(first), "a database file that is damaged: restore a backup")
        if repair:
            upkeep.mend()
        metadata = await open_metadata(settings, directory.metadata_path)
        stack.push_async_callback(metadata.close)
        index = await open_index(settings, directory.index_path)
        stack.push_async_callback(index.close)
        locks = open_locks(settings)
        stack.push_async_callback(locks.close)
        blobs, indexer = open_blobs(*_store(settings, directory)), Indexer(metadata, index, locks=locks)
        deletes = DeleteCheck(metadata, Clearing(metadata, indexer, blobs))
        pending = await deletes.faults()
        if repair:
            await deletes.mend()
        files, indexed = FileCheck(upkeep, blobs), IndexCheck(upkeep, metadata, index, indexer)
        strays = await indexed.strays()
        lost, shards = await files.faults(deep), await indexed.faults(deep)
        found = (*first, *pending, *lost, *strays, *(fault for shard in shards for fault in shard.faults))
        if not repair:
            return Report(found, found)
        await files.mend(lost)
        await indexed.mend(shards, strays)
        still = (*upkeep.faults(deep), *await deletes.faults(), *await files.faults(deep), *await indexed.strays())
        unmended = tuple(fault for shard in await indexed.faults(deep) for fault in shard.faults)
        return Report(found, (*still, *unmended))


async def _beside(settings: Settings, deep: bool) -> Report:
    """Read only. What nothing names is not told: it may be about to be named."""
    paths = DataPaths(settings.data_dir)
    upkeep = SqlUpkeep(paths.metadata_path, settings.database_url)
    files = FileCheck(upkeep, open_blobs(*_store(settings, paths)))
    found = list(upkeep.faults(deep))
    found += [fault for fault in await files.faults(deep) if fault.kind != "unnamed_file"]
    skipped = "the index, which the running server has: it heals it by itself; stop the server to have it compared"
    return Report(tuple(found), tuple(found), skipped)


def _is_there(settings: Settings) -> bool:
    return settings.data_dir.is_dir() and bool(
        settings.database_url or DataPaths(settings.data_dir).metadata_path.exists()
    )


def _store(settings: Settings, paths: DataPaths) -> tuple[None, str] | tuple[object, None]:
    return (None, settings.blob_url) if settings.blob_url else (paths.blob_path, None)
