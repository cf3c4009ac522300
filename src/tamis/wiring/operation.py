"""What an operator does beside the API: keys from the data directory, the index made again, the models at hand."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.inference.artifacts import how_to_get
from tamis.inference.manifest import EMBEDDING
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.services.upkeep.indexing import Indexer
from tamis.settings import Settings
from tamis.storage.datadir import DataDirectory
from tamis.wiring.backends import local_models, open_index, open_locks, open_metadata


async def rebuild_indexes(settings: Settings, only: str | None = None) -> list[tuple[str, int]]:
    """Make the index of every collection (or of the one called `only`) again; (name, documents) of each.

    Raises: DataDirectoryInUse while a server runs, NotFoundError where nothing is called `only`.
    """
    async with contextlib.AsyncExitStack() as stack:
        directory = DataDirectory(settings.data_dir)
        stack.callback(directory.close)
        metadata = await open_metadata(settings, directory.metadata_path)
        stack.push_async_callback(metadata.close)
        index = await open_index(settings, directory.index_path)
        stack.push_async_callback(index.close)
        locks = open_locks(settings)
        stack.push_async_callback(locks.close)
        indexer = Indexer(metadata, index, locks=locks)
        done = []
        for principal, collection in await _collections(metadata):
            if only in (None, collection.collection_id, collection.name):
                await indexer.rebuild(principal, collection.collection_id)
                done.append((collection.name, await _count(metadata, principal, collection)))
        if only is not None and not done:
            raise NotFoundError.of("collection", only)
        return done


async def _collections(metadata: Metadata) -> list[tuple[Principal, Collection]]:
    """Of every tenant."""

    def read(session: Session) -> list[tuple[Principal, Collection]]:
        return [
            (inside, collection)
            for inside, _ in session.every_namespace()
            for collection in session.collections.list(inside)
        ]

    return await metadata.read(read)


async def _count(metadata: Metadata, principal: Principal, collection: Collection) -> int:
    return await metadata.read(lambda session: session.documents.count(principal, collection.collection_id))


@dataclass(frozen=True, slots=True)
class ModelFile:
    """where: None while it is missing. is_needed: nothing can be searched without it."""

    name: str
    size_bytes: int
    license: str
    where: Path | None
    how_to_get: str
    is_needed: bool


def model_report(settings: Settings) -> list[ModelFile]:
    """Each file of each default model: at hand or not; nothing is fetched."""
    return [
        ModelFile(f"{status.model.name}/{file.artifact.name}", file.artifact.size_bytes, file.artifact.license,
                  file.path, how_to_get(status.model), status.model.task == EMBEDDING)
        for status in local_models(settings).inspect()
        for file in status.files
    ]  # fmt: skip
