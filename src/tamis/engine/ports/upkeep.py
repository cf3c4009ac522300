"""What looks after stored data as a whole, of every tenant: an operator's commands call these, no request does."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from tamis.engine.ports.index import Point, VectorIndex
from tamis.model.backup import NamedFile
from tamis.model.collection import Collection
from tamis.model.fault import Fault
from tamis.model.principal import Principal


class RecordUpkeep(Protocol):
    """The system of record, by connections of its own, on no event loop: they block. Raises: StorageError."""

    def faults(self, deep: bool) -> Iterator[Fault]:
        """What the record does not agree with itself in, as of one moment. deep: also every byte of large values."""
        ...

    def mend(self) -> None:
        """Make again what is derived within the record: counters, uses, columns; remove what nothing can reach."""
        ...

    def named_files(self) -> Iterator[NamedFile]:
        """Every file of the blob store that the record names now."""
        ...

    def collections(self) -> Sequence[tuple[Principal, Collection]]:
        """Of every tenant."""
        ...


class ComparableIndex(VectorIndex, Protocol):
    """An index that can be held against the record. Raises: IndexUnavailableError."""

    async def document_ids(self, principal: Principal, collection_id: str) -> Sequence[str]:
        """Every document that the shard has."""
        ...

    async def differing(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> Sequence[str]:
        """Those of the points, by document id, that the shard has otherwise: with other vectors or other fields."""
        ...

    async def strays(self, known: Sequence[tuple[Principal, str]]) -> Sequence[str]:
        """Names of shards that belong to none of these (tenant, collection id)."""
        ...

    async def remove_stray(self, name: str) -> None: ...
