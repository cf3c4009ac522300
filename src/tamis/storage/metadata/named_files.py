"""Which files of the blob store the record names, and what it knows of them."""

from collections.abc import Iterator

from sqlalchemy import Connection, Table, select

from tamis.model.backup import NamedFile
from tamis.model.bucket import BucketObject, Upload
from tamis.model.document import Document
from tamis.model.files import FILES, OURS
from tamis.model.snapshot import Snapshot, SnapshotStatus
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.schema import documents, files, objects, snapshots, uploads

_OBJECTS, _UPLOADS, _DOCUMENTS, _SNAPSHOTS = Codec(BucketObject), Codec(Upload), Codec(Document), Codec(Snapshot)
_ROWS = 500


def named_files(connection: Connection) -> Iterator[NamedFile]:
    """Of every tenant. A row that cannot be read names nothing: `verify` says so."""
    for organization_id, namespace_id, body in _bodies(connection, objects):
        yield from _of_object(organization_id, namespace_id, _OBJECTS.decode(body))
    for organization_id, namespace_id, body in _bodies(connection, uploads):
        upload = _UPLOADS.decode(body)
        if upload.etag is not None and upload.duplicate_of_upload_id is None:
            by = f"upload {upload.upload_id}"
            size, digest = upload.file_size_bytes, upload.file_hash
            yield NamedFile(organization_id, namespace_id, upload.blob_key, by, size, digest)
    for organization_id, namespace_id, body in _bodies(connection, documents):
        yield from _of_document(organization_id, namespace_id, _DOCUMENTS.decode(body))
    for organization_id, namespace_id, body in _bodies(connection, snapshots):
        snapshot = _SNAPSHOTS.decode(body)
        for key in snapshot.blob_keys():
            by, is_whole = f"snapshot {snapshot.snapshot_id}", snapshot.status is SnapshotStatus.COMPLETED
            yield NamedFile(organization_id, namespace_id, key, by, needed=is_whole)
    # One is entered before it is stored, and leaves its row after it is deleted.
    for row in connection.execute(select(files.c.organization_id, files.c.namespace_id, files.c.key)):
        yield NamedFile(*row, by="the count of files", needed=False)


def _bodies(connection: Connection, table: Table) -> Iterator[tuple[str, str, str]]:
    wanted = select(table.c.organization_id, table.c.namespace_id, table.c.body)
    for row in connection.execution_options(yield_per=_ROWS).execute(wanted):
        yield row.organization_id, row.namespace_id, row.body


def _of_object(organization_id: str, namespace_id: str, found: BucketObject) -> Iterator[NamedFile]:
    for blob in found.blobs:
        if blob.url is not None and blob.url.startswith(OURS):
            key, digest = blob.url.removeprefix(OURS), _sha256(blob.hash)
            yield NamedFile(organization_id, namespace_id, key, f"object {found.object_id}", blob.size_bytes, digest)


def _of_document(organization_id: str, namespace_id: str, found: Document) -> Iterator[NamedFile]:
    by = f"document {found.document_id}"
    for blob in found.blobs:
        if blob.url.startswith(OURS):
            key = blob.url.removeprefix(OURS)
            yield NamedFile(organization_id, namespace_id, key, by, blob.size_bytes, _sha256(blob.checksum))
    for source in found.source_blobs:
        url, size = source.get("url"), source.get("size_bytes")
        if isinstance(url, str) and url.startswith(OURS):
            key, known = url.removeprefix(OURS), size if isinstance(size, int) else None
            # What is counted is kept for the document's sake; other files go with the object that they came with.
            yield NamedFile(organization_id, namespace_id, key, by, known, needed=key.startswith(FILES))


def _sha256(told: str | None) -> str | None:
    return told.removeprefix("sha256:") if told else None
