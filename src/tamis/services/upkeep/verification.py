"""Whether record, files and index agree, each disagreement by its name; what is derived can be made again."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.index import Point
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.upkeep import ComparableIndex, RecordUpkeep
from tamis.errors import NotFoundError, StorageError
from tamis.model.backup import NamedFile, StoredBlob
from tamis.model.collection import Collection
from tamis.model.fault import Fault
from tamis.model.principal import Principal
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer

_ROWS = 500
_MOST_WAITING = 1000
_NAMES = 5


class FileCheck:
    """The blob store, held against what the record names."""

    def __init__(self, upkeep: RecordUpkeep, blobs: BlobStore) -> None:
        self._upkeep = upkeep
        self._blobs = blobs

    async def faults(self, deep: bool) -> list[Fault]:
        """deep: also each file's hash. What comes and goes while this looks is no fault: it is looked at again."""
        stored = {blob.name: blob async for blob in self._blobs.every()}
        found = [fault for file in self._named() if (fault := await self._fault_of(file, stored, deep))]
        unnamed = stored.keys() - {file.name for file in self._upkeep.named_files()}
        for name in sorted(unnamed):
            problem = f"{stored[name].size_bytes} bytes that nothing names"
            found.append(Fault("unnamed_file", name, problem, is_derived=True))
        return found

    async def mend(self, faults: Sequence[Fault]) -> None:
        """Delete what nothing names; only while no server runs, which may be about to name it."""
        for fault in faults:
            if fault.kind == "unnamed_file":
                organization_id, namespace_id, key = fault.where.split("/", 2)
                await self._blobs.delete(Principal(organization_id, namespace_id), key)

    def _named(self) -> Iterator[NamedFile]:
        seen: set[str] = set()
        for file in self._upkeep.named_files():
            if file.needed and file.name not in seen:
                seen.add(file.name)
                yield file

    async def _fault_of(self, file: NamedFile, stored: dict[str, StoredBlob], deep: bool) -> Fault | None:
        where = f"{file.name} of {file.by}"
        size_bytes = stored[file.name].size_bytes if file.name in stored else await self._size(file)
        if size_bytes is None:
            return None if self._is_gone(file) else Fault("missing_file", where, "it is not in the blob store")
        if file.size_bytes is not None and size_bytes != file.size_bytes:
            return Fault("file_size", where, f"it has {size_bytes} bytes, not {file.size_bytes}")
        if deep and file.sha256 is not None and (digest := await self._digest(file)) != file.sha256:
            return Fault("file_hash", where, f"its SHA-256 is {digest}, not {file.sha256}")
        return None

    async def _size(self, file: NamedFile) -> int | None:
        return await self._blobs.size(_tenant(file), file.key)

    def _is_gone(self, file: NamedFile) -> bool:
        """Whether the record has let it go since it was read."""
        return not any(one.needed and one.name == file.name for one in self._upkeep.named_files())

    async def _digest(self, file: NamedFile) -> str | None:
        digest = hashlib.sha256()
        try:
            async for chunk in self._blobs.stream(_tenant(file), file.key):
                digest.update(chunk)
        except NotFoundError:
            return None
        return digest.hexdigest()


class DeleteCheck:
    """What deletes have left to be done, which a start would do; only while no server runs, which is at it."""

    def __init__(self, metadata: Metadata, clearing: Clearing) -> None:
        self._metadata = metadata
        self._clearing = clearing

    async def faults(self) -> list[Fault]:
        problem = "deleted, and not cleared away yet"
        waiting = await self._metadata.read(lambda session: session.remains.pending(_MOST_WAITING))
        return [
            Fault("pending_delete", f"{who.organization_id}/{who.namespace_id}/{remain.name}", problem, is_derived=True)
            for who, remain in waiting
        ]

    async def mend(self) -> None:
        await self._clearing.clear_all()


@dataclass(frozen=True, slots=True)
class ShardFaults:
    """principal, collection: whose shard is to be made again."""

    principal: Principal
    collection: Collection
    faults: tuple[Fault, ...]


class IndexCheck:
    """The index, held against the record's documents and vectors."""

    def __init__(self, upkeep: RecordUpkeep, metadata: Metadata, index: ComparableIndex, indexer: Indexer) -> None:
        self._upkeep = upkeep
        self._metadata = metadata
        self._index = index
        self._indexer = indexer

    async def faults(self, deep: bool) -> list[ShardFaults]:
        """deep: also each document's fields and vectors. What waits to be indexed is indexed first."""
        await self._indexer.catch_up()
        found = []
        for principal, collection in self._upkeep.collections():
            faults = await self._of(principal, collection, deep)
            if faults:
                found.append(ShardFaults(principal, collection, tuple(faults)))
        return found

    async def strays(self) -> list[Fault]:
        known = [(principal, collection.collection_id) for principal, collection in self._upkeep.collections()]
        problem = "no collection has this shard"
        return [Fault("stray_shard", name, problem, is_derived=True) for name in await self._index.strays(known)]

    async def mend(self, shards: Sequence[ShardFaults], strays: Sequence[Fault]) -> None:
        for shard in shards:
            # Where a document cannot be read, the shard stays as it is, and is told again.
            with contextlib.suppress(StorageError):
                await self._indexer.rebuild(shard.principal, shard.collection.collection_id)
        for stray in strays:
            await self._index.remove_stray(stray.where)

    async def _of(self, principal: Principal, collection: Collection, deep: bool) -> list[Fault]:
        collection_id = collection.collection_id
        where = f"{principal.organization_id}/{principal.namespace_id}/{collection_id} ({collection.name})"
        expected = await self._metadata.read(lambda session: _document_ids(session, principal, collection_id))
        indexed = set(await self._index.document_ids(principal, collection_id))
        info = await self._index.info(principal, collection_id)
        faults = []
        if info.facts.get("needs_rebuild"):
            faults.append(Fault("lost_shard", where, "the shard was damaged and is empty", is_derived=True))
        if missing := sorted(expected - indexed):
            faults.append(Fault("missing_points", where, f"not indexed: {_list(missing)}", is_derived=True))
        if extra := sorted(indexed - expected):
            faults.append(Fault("extra_points", where, f"indexed, and no documents: {_list(extra)}", is_derived=True))
        if deep and (other := await self._differing(principal, collection_id, sorted(expected & indexed))):
            faults.append(Fault("differing_points", where, f"indexed otherwise: {_list(other)}", is_derived=True))
        return faults

    async def _differing(self, principal: Principal, collection_id: str, ids: Sequence[str]) -> list[str]:
        other: list[str] = []
        for start in range(0, len(ids), _ROWS):
            part = ids[start : start + _ROWS]
            other += await self._index.differing(principal, collection_id, await self._points(principal, part))
        return other

    async def _points(self, principal: Principal, document_ids: Sequence[str]) -> list[Point]:
        """Without those that cannot be read, of which the record's own check tells."""
        try:
            return await self._metadata.read(lambda session: _points(session, principal, document_ids))
        except StorageError:
            if len(document_ids) == 1:
                return []
            middle = len(document_ids) // 2
            halves = (document_ids[:middle], document_ids[middle:])
            return [point for half in halves for point in await self._points(principal, half)]


def _document_ids(session: Session, principal: Principal, collection_id: str) -> set[str]:
    return {document.document_id for document in session.documents.scan(principal, collection_id)}


def _points(session: Session, principal: Principal, document_ids: Sequence[str]) -> list[Point]:
    documents = session.documents.get_many(principal, document_ids)
    vectors = session.documents.vectors(principal, document_ids)
    return [Point(one, vectors.get(one, {}), document.view()) for one, document in documents.items()]


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{', '.join(names[:_NAMES])}{more}"


def _tenant(file: NamedFile) -> Principal:
    return Principal(file.organization_id, file.namespace_id)
