"""Connections to storages of others, by the settings."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tamis.engine.ports.metadata import Metadata
from tamis.errors import ConfigurationError
from tamis.jobs.bucket_syncing import BucketSyncWorker
from tamis.model.ids import looks_like_id
from tamis.outside.gateway import Gateway
from tamis.services.access.storage_connections import StorageConnectionService
from tamis.services.data.bucket_syncs import BucketSyncService
from tamis.services.data.objects import ObjectService
from tamis.services.upkeep.indexing import Indexer
from tamis.settings import Settings
from tamis.storage.sources.folders import AllowedFolder
from tamis.storage.sources.opening import SourceStorages
from tamis.wiring.backends import Backends
from tamis.wiring.clock import SystemClock
from tamis.wiring.outside import rules_of
from tamis.wiring.secrets import key_ring_of


async def open_connections(
    settings: Settings, root: Path, metadata: Metadata, stack: contextlib.AsyncExitStack
) -> StorageConnectionService:
    """root: of the data directory. Raises: ConfigurationError."""
    gateway = Gateway(rules_of(settings))
    await gateway.start()
    stack.push_async_callback(gateway.close)
    own = [root, *(path for path in (settings.model_dir, settings.model_cache_dir) if path is not None)]
    storages = SourceStorages(gateway, folders_of(settings.connection_folders), own)
    connections = StorageConnectionService(metadata, key_ring_of(settings), storages, SystemClock())
    await connections.seal_anew()
    return connections


def folders_of(text: str) -> list[AllowedFolder]:
    """Raises: ConfigurationError."""
    found = []
    for part in (one.strip() for one in text.split(",")):
        if part:
            owner, colon, path = part.partition(":") if not part.startswith("/") else ("", "", part)
            if not path.startswith("/") or (colon and not looks_like_id(owner)):
                raise ConfigurationError(
                    f"TAMIS_CONNECTION_FOLDERS: {part!r} is neither an absolute path nor an organisation's id with one"
                )
            found.append(AllowedFolder(Path(path), owner or None))
    return found


def syncs_of(
    settings: Settings, backends: Backends, connections: StorageConnectionService, objects: ObjectService,
    indexer: Indexer, work_path: Path, submitted: Callable[[], None],
) -> Sequence[Any]:  # fmt: skip
    """work_path: of what is on its way.  submitted: tells the worker that extracts."""
    metadata, clock = backends.metadata, SystemClock()
    worker = BucketSyncWorker(
        metadata, connections, objects, indexer, clock, work_path / "syncs", settings.max_upload_bytes,
        settings.max_queued_batches, submitted, backends.locks,
    )  # fmt: skip
    return worker, BucketSyncService(metadata, connections, clock, worker.wake)
