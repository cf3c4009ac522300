"""Snapshots: a namespace, or one of its collections, as it was at one moment."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

FORMAT = 1


class SnapshotStatus(StrEnum):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (SnapshotStatus.COMPLETED, SnapshotStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Included:
    """What of a namespace is taken. Buckets come with collections, objects and documents with data."""

    collections: bool = True
    retrievers: bool = True
    taxonomies: bool = True
    data: bool = True


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A stored file that rows name. key: it lay under it in the namespace.  content: its SHA-256 in hex."""

    key: str
    content: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """collection_id: the one that it holds; None is the whole namespace.  taken_at: the moment that it shows.

    source_id: the namespace that it is of, where that is another than the one it lies in: a clone's.
    parts: of its rows, in the order that they are put back in.  counts: by kind, how many rows it holds.
    missing: files that rows name and the store has not.  requested_by: user and key.
    """

    snapshot_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    task_id: str
    status: SnapshotStatus = SnapshotStatus.PENDING
    description: str | None = None
    collection_id: str | None = None
    source_id: str | None = None
    included: Included = field(default_factory=Included)
    taken_at: datetime | None = None
    parts: int = 0
    files: int = 0
    size_bytes: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    error: str | None = None
    requested_by: tuple[str, str] = ("", "")
    format: int = FORMAT

    @property
    def prefix(self) -> str:
        """Where its blobs' keys begin."""
        return f"snapshots/{self.snapshot_id}"

    def part_key(self, number: int) -> str:
        return f"{self.prefix}/parts/{number:06}"

    def file_key(self, number: int) -> str:
        return f"{self.prefix}/files/{number:06}"

    @property
    def index_key(self) -> str:
        """Of the list of its files."""
        return f"{self.prefix}/files.json"

    def blob_keys(self) -> list[str]:
        """Of all its blobs; before it is whole, of those that may be there."""
        if self.status in (SnapshotStatus.PENDING, SnapshotStatus.FAILED):
            return []
        numbered = [self.part_key(number) for number in range(self.parts)]
        return [*numbered, *(self.file_key(number) for number in range(self.files)), self.index_key]
