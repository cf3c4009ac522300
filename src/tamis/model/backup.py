"""What a backup holds, told by its manifest."""

from dataclasses import dataclass

FORMAT = 1
"""Of backups. A version reads its own and those before."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A file of the blob store. version: changes when the file does."""

    organization_id: str
    namespace_id: str
    key: str
    size_bytes: int
    version: str = ""

    @property
    def name(self) -> str:
        return f"{self.organization_id}/{self.namespace_id}/{self.key}"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file of the blob store that something in the record names. size_bytes, sha256: as the record has them, if so.

    by: what names it, for people.  needed: False where it may have gone, as a source's file after its object.
    """

    organization_id: str
    namespace_id: str
    key: str
    by: str
    size_bytes: int | None = None
    sha256: str | None = None
    needed: bool = True

    @property
    def name(self) -> str:
        return f"{self.organization_id}/{self.namespace_id}/{self.key}"


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """sha256: hex, of its content."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """taken_at: the moment that the record is of, RFC 3339.  schema: the record's revision.

    blobs, others: the blob store's files, and those that lie beside the record in the data directory.
    missing: files that the record names and the store did not have.
    """

    format: int
    tamis: str
    schema: str
    taken_at: str
    record: CopiedFile
    blobs: tuple[CopiedFile, ...] = ()
    others: tuple[CopiedFile, ...] = ()
    missing: tuple[str, ...] = ()
