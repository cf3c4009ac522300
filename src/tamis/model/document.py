"""What an extractor made: a document, where it came from, and its vectors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.files import file_keys
from tamis.model.json import JSON
from tamis.model.vector import Vector


@dataclass(frozen=True, slots=True)
class LineageStep:
    collection_id: str
    feature_extractor_id: str
    timestamp: datetime
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """From the object in a bucket, through the collections in between, to this document."""

    source_type: str = "bucket"
    root_bucket_id: str | None = None
    root_object_id: str | None = None
    source_object_id: str | None = None
    source_collection_id: str | None = None
    source_document_id: str | None = None
    path: str | None = None
    chain: tuple[LineageStep, ...] = ()


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A file that belongs to a document. `url` is ours (`blob://...`) or the caller's; `role` is the contract's."""

    field: str
    url: str
    type: str = "other"
    role: str = "source"
    filename: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    checksum: str | None = None
    source_blob_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessingStep:
    """One time that a batch made this document. source_id: the object's, or the document's, that it was made of."""

    batch_id: str
    tier: int
    collection_id: str
    feature_extractor_id: str
    source_id: str
    processed_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """fields: everything the extractor and the passthrough wrote, nested JSON without the `metadata.` prefix.

    history: oldest first; no part of the view, so nothing filters or searches by it.
    revision: the collection's revision at the write that made this state of the document.
    made_from: what an extraction made it of, by a hash; None once somebody else wrote to it.
    content_key: of the first document of a source, what another source's documents would be copies of; as above.
    passed: fields that the extractor has not made, by their names.
    """

    document_id: str
    collection_id: str
    fields: Mapping[str, JSON]
    created_at: datetime
    updated_at: datetime
    lineage: Lineage = field(default_factory=Lineage)
    blobs: tuple[BlobRef, ...] = ()
    source_blobs: tuple[Mapping[str, JSON], ...] = ()
    revision: int = 0
    history: tuple[ProcessingStep, ...] = ()
    made_from: str | None = None
    content_key: str | None = None
    passed: tuple[str, ...] = ()

    @property
    def file_keys(self) -> frozenset[str]:
        """Of the files that the store keeps by their content, those that this document needs."""
        return file_keys([*(blob.url for blob in self.blobs), *(blob.get("url") for blob in self.source_blobs)])

    def view(self) -> dict[str, JSON]:
        """The document as filters, sorts, templates and groupings see it: its fields and its system fields."""
        lineage = self.lineage
        return {
            **self.fields,
            "document_id": self.document_id,
            "collection_id": self.collection_id,
            "root_bucket_id": lineage.root_bucket_id,
            "root_object_id": lineage.root_object_id,
            "source_type": lineage.source_type,
            "source_object_id": lineage.source_object_id,
            "source_collection_id": lineage.source_collection_id,
            "source_document_id": lineage.source_document_id,
            "lineage_path": lineage.path,
        }

    def dated_view(self) -> dict[str, JSON]:
        """As filters over stored documents see it: `view`, and its times."""
        times = {"created_at": self.created_at.isoformat(), "updated_at": self.updated_at.isoformat()}
        return {**times, **self.view()}

    def part(self, names: frozenset[str]) -> dict[str, JSON]:
        """What of `view` goes by these names."""
        if not _SYSTEM_FIELDS.isdisjoint(names):
            view = self.view()
            return {name: view[name] for name in names if name in view}
        fields = self.fields
        found = {name: fields[name] for name in names if name in fields}
        if "document_id" in names:
            found["document_id"] = self.document_id
        return found


_SYSTEM_FIELDS = frozenset(
    {
        "collection_id",
        "root_bucket_id",
        "root_object_id",
        "source_type",
        "source_object_id",
        "source_collection_id",
        "source_document_id",
        "lineage_path",
    }
)


@dataclass(frozen=True, slots=True)
class DocumentWrite:
    """A document with its vectors by feature name, on its way into the system of record and the index."""

    document: Document
    vectors: Mapping[str, Vector] = field(default_factory=dict)
