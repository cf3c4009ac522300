"""What a snapshot is made of: rows of every kind, in the order that they are put back in, and as bytes.

A part is MessagePack: a list of `[kind, body, vectors]`. The body is the resource as JSON text, so that a part reads on
its own; vectors are `{feature: [kind, columns, float32, uint32]}`, little-endian, by row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
import numpy as np

from tamis.engine.ports.metadata import Session
from tamis.errors import StorageError
from tamis.model.bucket import Bucket, BucketObject
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite
from tamis.model.files import OURS
from tamis.model.json_hints import open_json
from tamis.model.namespace import Namespace
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.model.snapshot import Included
from tamis.model.taxonomy import Taxonomy
from tamis.model.vector import Dense, MultiDense, Sparse, Vector, VectorKind

_PART_BYTES, _PART_ROWS = 4 << 20, 500


@dataclass(frozen=True, slots=True)
class Row:
    """kind: of `KINDS`.  value: of its class.  vectors: of a document."""

    kind: str
    value: Any
    vectors: Mapping[str, Vector] | None = None


KINDS: dict[str, type[Any]] = {
    "namespace": Namespace,
    "bucket": Bucket,
    "taxonomy": Taxonomy,
    "collection": Collection,
    "object": BucketObject,
    "document": Document,
    "retriever": Retriever,
}
"""What is told of a kind before what follows from it; retrievers last, so that none runs over what is not whole."""


def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    with open_json(kind):
        return msgspec.json.Decoder(kind)


_DECODERS = {name: _decoder(kind) for name, kind in KINDS.items()}


def rows_of(session: Session, inside: Principal, included: Included, collection_id: str | None = None) -> Iterator[Row]:
    """Of one transaction, and so of one moment. collection_id: only this one, with its documents."""
    if collection_id is not None:
        collection = session.collections.get(inside, collection_id)
        if collection is not None:
            yield Row("collection", collection)
            yield from _documents(session, inside, collection_id)
        return
    namespace = session.namespaces.get(inside, inside.namespace_id)
    if namespace is not None:
        yield Row("namespace", namespace)
    if included.taxonomies:
        yield from (Row("taxonomy", one) for one in _oldest(session.taxonomies.list(inside)))
    if included.collections:
        yield from _of_collections(session, inside, included)
    if included.retrievers:
        yield from (Row("retriever", one) for one in _oldest(session.retrievers.list(inside)))


def _of_collections(session: Session, inside: Principal, included: Included) -> Iterator[Row]:
    buckets, collections = _oldest(session.buckets.list(inside)), _oldest(session.collections.list(inside))
    yield from (Row("bucket", one) for one in buckets)
    # Without taxonomies nothing is there to be applied.
    kept = collections if included.taxonomies else [replace(one, taxonomy_applications=()) for one in collections]
    yield from (Row("collection", replace(one, cluster_applications=(), alert_applications=())) for one in kept)
    if included.data:
        for bucket in buckets:
            yield from (Row("object", one) for one in session.objects.scan(inside, bucket.bucket_id))
        for collection in collections:
            yield from _documents(session, inside, collection.collection_id)


def _documents(session: Session, inside: Principal, collection_id: str) -> Iterator[Row]:
    for write in session.documents.scan_writes(inside, collection_id):
        yield Row("document", write.document, write.vectors)


def _oldest(found: Sequence[Any]) -> list[Any]:
    return list(reversed(found))


def parts_of(rows: Iterator[Row]) -> Iterator[tuple[bytes, Sequence[Row]]]:
    """(a part, its rows): of some megabytes, what is put back in one transaction."""
    encoded: list[Any] = []
    held: list[Row] = []
    size_bytes = 0
    for row in rows:
        one = _encode(row)
        encoded.append(one)
        held.append(row)
        size_bytes += len(one[1]) + sum(len(vector[2]) + len(vector[3]) for vector in (one[2] or {}).values())
        if size_bytes >= _PART_BYTES or len(encoded) >= _PART_ROWS:
            yield msgspec.msgpack.encode(encoded), held
            encoded, held, size_bytes = [], [], 0
    if encoded:
        yield msgspec.msgpack.encode(encoded), held


def decode_part(part: bytes) -> list[Row]:
    """Raises: StorageError."""
    try:
        return [_decode(kind, body, vectors) for kind, body, vectors in msgspec.msgpack.decode(part)]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise StorageError(f"a part of this snapshot cannot be read: {error}") from error


def file_keys_of(row: Row) -> frozenset[str]:
    """Of all files of the blob store that the row names."""
    if row.kind == "object":
        urls = [blob.url for blob in row.value.blobs]
    elif row.kind == "document":
        urls = [*(blob.url for blob in row.value.blobs), *(blob.get("url") for blob in row.value.source_blobs)]
    else:
        return frozenset()
    return frozenset(url.removeprefix(OURS) for url in urls if isinstance(url, str) and url.startswith(OURS))


def with_files(row: Row, keys: Mapping[str, str]) -> Row:
    """keys: what the files are called from now on, by what they were called."""
    urls = {OURS + old: OURS + new for old, new in keys.items()}
    if row.kind == "object":
        blobs = tuple(replace(one, url=urls.get(one.url or "", one.url)) for one in row.value.blobs)
        return replace(row, value=replace(row.value, blobs=blobs, fields=_renamed(row.value.fields, urls)))
    if row.kind == "document":
        document = row.value
        blobs = tuple(replace(one, url=urls.get(one.url, one.url)) for one in document.blobs)
        sources = tuple(_renamed(dict(one), urls) for one in document.source_blobs)
        fields = _renamed(dict(document.fields), urls)
        return replace(row, value=replace(document, blobs=blobs, source_blobs=sources, fields=fields))
    return row


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    return [_renamed(inner, names) for inner in value] if isinstance(value, list) else value


def write_of(row: Row) -> DocumentWrite:
    return DocumentWrite(cast(Document, row.value), row.vectors or {})


def _encode(row: Row) -> list[Any]:
    vectors = None if row.vectors is None else {name: _packed(one) for name, one in row.vectors.items()}
    return [row.kind, msgspec.json.encode(row.value), vectors]


def _decode(kind: str, body: bytes, vectors: Mapping[str, Any] | None) -> Row:
    found = None if vectors is None else {name: _unpacked(*one) for name, one in vectors.items()}
    return Row(kind, _DECODERS[kind].decode(body), found)


def _packed(vector: Vector) -> list[Any]:
    """[kind, columns, values, indices]"""
    values = np.ascontiguousarray(vector.values, "<f4")
    if isinstance(vector, Sparse):
        return [VectorKind.SPARSE.value, 0, values.tobytes(), np.ascontiguousarray(vector.indices, "<u4").tobytes()]
    if isinstance(vector, MultiDense):
        return [VectorKind.MULTI_DENSE.value, vector.values.shape[1], values.tobytes(), b""]
    return [VectorKind.DENSE.value, 0, values.tobytes(), b""]


def _unpacked(kind: str, columns: int, data: bytes, indices: bytes) -> Vector:
    values = np.frombuffer(data, "<f4").astype(np.float32)
    if kind == VectorKind.SPARSE:
        return Sparse(np.frombuffer(indices, "<u4").astype(np.uint32), values)
    return MultiDense(values.reshape(-1, columns)) if kind == VectorKind.MULTI_DENSE else Dense(values)
