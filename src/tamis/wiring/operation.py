"""What an operator does beside the API: keys from the data directory, the index made again, the models at hand."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError
from tamis.inference.artifacts import how_to_get
from tamis.inference.manifest import EMBEDDING
from tamis.model.collection import Collection
from tamis.model.principal import Permission, Principal
from tamis.services.indexing import Indexer
from tamis.services.keys import Created, KeyDraft, KeyService
from tamis.settings import Settings
from tamis.storage.datadir import DataDirectory
from tamis.wiring.backends import local_models, open_index, open_metadata


@dataclass(frozen=True, slots=True)
class KeyRow:
    key_id: str
    name: str
    prefix: str
    permissions: tuple[Permission, ...]
    status: str
    created_at: datetime


class KeyDesk:
    """Keys of the organisation that the first start made."""

    def __init__(self, keys: KeyService, principal: Principal) -> None:
        self._keys = keys
        self._principal = principal

    async def create(self, name: str, permissions: Sequence[Permission]) -> Created:
        return await self._keys.create(self._principal, KeyDraft(name, tuple(permissions)))

    async def list(self) -> list[KeyRow]:
        now = datetime.now(UTC)
        return [
            KeyRow(key.key_id, key.name, key.prefix, key.permissions, key.status(now), key.created_at)
            for key in await self._keys.list(self._principal, include_revoked=True)
        ]

    async def revoke(self, identifier: str) -> bool:
        """False where there is no such key."""
        try:
            await self._keys.revoke(self._principal, identifier)
        except NotFoundError:
            return False
        return True


@contextlib.asynccontextmanager
async def open_key_desk(settings: Settings) -> AsyncIterator[KeyDesk]:
    """Straight to the system of record, beside a running server or without one.

    Raises: ConflictError before the first start.
    """
    path = settings.data_dir / "tamis.sqlite3"
    if settings.database_url is None and not path.exists():
        raise ConflictError(f"{settings.data_dir} holds no data yet: start the server once with `tamis serve`")
    metadata = await open_metadata(settings, path)
    try:
        yield KeyDesk(KeyService(metadata, lambda: None), await _operator(metadata))
    finally:
        await metadata.close()


async def _operator(metadata: Metadata) -> Principal:
    organization = await metadata.read(lambda session: session.organizations.first())
    if organization is None:
        raise ConflictError("there is no organisation yet: start the server once with `tamis serve`")
    return Principal(organization.organization_id, permissions=frozenset({Permission.ADMIN}))


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
        indexer = Indexer(metadata, index)
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
