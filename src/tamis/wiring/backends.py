"""Which backend answers for each port, by the settings."""

import asyncio
import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from tamis.decoding.pool import DecoderPool
from tamis.engine.local_locks import LocalLocks
from tamis.engine.plugins.extractor_plugins import extractor_plugins
from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.inference import Models
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.upkeep import ComparableIndex
from tamis.engine.ports.web_pages import WebPages
from tamis.errors import ConfigurationError
from tamis.extractors import ExtractorRegistry
from tamis.inference.embedding_endpoints import EmbeddingEndpoint
from tamis.inference.manifest import default_manifest
from tamis.inference.models import LocalModels
from tamis.outside.blocking import BlockingPages
from tamis.settings import EmbeddingService, Settings
from tamis.storage.blobs import open_blobs
from tamis.storage.datadir import DataDirectory
from tamis.storage.index import open_cluster_index, open_edge_index
from tamis.storage.metadata import open_advisory_locks, open_postgres, open_sqlite
from tamis.wiring.outside import outside_of
from tamis.wiring.secrets import secrets_of

_LOG = logging.getLogger("tamis.extractors")


@dataclass(frozen=True, slots=True)
class Backends:
    """What the ports are joined to.  locks: seen by all who write to this record."""

    metadata: Metadata
    index: VectorIndex
    blobs: BlobStore
    models: Models
    extractors: Extractors
    decoding: Decoding
    locks: Locks


def local_models(settings: Settings) -> LocalModels:
    """Raises: ConfigurationError."""
    return LocalModels(
        settings.model_dir,
        settings.model_cache_dir,
        settings.model_downloads,
        settings.model_threads,
        endpoints=[_endpoint(name, one) for name, one in settings.embedding_endpoints.items()],
    )


def _endpoint(name: str, given: EmbeddingService) -> EmbeddingEndpoint:
    if any(model.is_called(name) for model in default_manifest()):
        # Documents embedded by the one would be searched with the other.
        raise ConfigurationError(f"TAMIS_EMBEDDING_ENDPOINTS: {name!r} is a model that Tamis brings; call it otherwise")
    return EmbeddingEndpoint(
        name,
        given.base_url,
        given.model or name,
        given.dimensions,
        given.api_key,
        given.max_tokens,
        given.query_prefix,
        given.document_prefix,
        given.batch,
        given.timeout_s,
        given.retries,
    )


def extractors_of(settings: Settings, models: Models, decoding: Decoding, pages: WebPages) -> ExtractorRegistry:
    """Tamis' own, and those of installed packages. Raises: ConfigurationError."""
    registry = ExtractorRegistry(models, decoding, pages)
    own = [one.name for one in registry.all()]
    for plugin in extractor_plugins(own, settings.extractor_plugins.split(",")):
        _LOG.info("the extractor %s is from %s", plugin.extractor.name, plugin.package)
        registry.add(plugin.extractor)
    return registry


async def open_metadata(settings: Settings, path: Path) -> Metadata:
    """The system of record: the settings' database, else SQLite at `path`."""
    if settings.database_url:
        return await open_postgres(settings.database_url, settings.database_wait_s)
    return await open_sqlite(path, settings.database_wait_s)


def open_locks(settings: Settings) -> Locks:
    """Of the settings' database, else of this process, which alone may open an SQLite record."""
    if settings.database_url:
        return open_advisory_locks(settings.database_url, settings.database_wait_s)
    return LocalLocks()


async def open_index(settings: Settings, root: Path) -> ComparableIndex:
    """The settings' cluster, else the embedded index under `root`."""
    if settings.index_url:
        return await open_cluster_index(settings.index_url, settings.index_api_key)
    return await open_edge_index(root)


async def open_backends(
    settings: Settings, directory: DataDirectory, models: Models, stack: contextlib.AsyncExitStack
) -> Backends:
    """Open every backend; `stack` closes them in the opposite order."""
    metadata = await open_metadata(settings, directory.metadata_path)
    stack.push_async_callback(metadata.close)
    locks = open_locks(settings)
    stack.push_async_callback(locks.close)
    index = await open_index(settings, directory.index_path)
    stack.push_async_callback(index.close)
    blobs = open_blobs(None if settings.blob_url else directory.blob_path, settings.blob_url)
    decoding = decoding_of(settings, directory.work_path / "decoding")
    stack.callback(decoding.close)
    pages = BlockingPages(outside_of(settings, secrets_of(settings)), asyncio.get_running_loop())
    return Backends(metadata, index, blobs, models, extractors_of(settings, models, decoding, pages), decoding, locks)


def decoding_of(settings: Settings, folder: Path) -> Decoding:
    """folder: for what lies on the disk meanwhile."""
    workers = settings.decode_workers or os.cpu_count() or 1
    return DecoderPool(folder, workers, settings.decode_memory_bytes, settings.decode_timeout_s)
