"""Rows of a snapshot written into a namespace, kind by kind."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from tamis.engine.ports.metadata import Session
from tamis.model.document import Document, DocumentWrite
from tamis.model.ids import derived_id
from tamis.model.principal import Principal
from tamis.model.retriever import version_of
from tamis.services.data.restorations import Restoration, restored_as
from tamis.services.data.snapshot_rows import Row, write_of

_MOST_OF_A_SOURCE = 2000
"""Documents of one source whose places are looked for."""


def put_rows(session: Session, principal: Principal, rows: Sequence[Row], wanted: Restoration) -> None:
    """In their order. Raises: AlreadyExistsError, NotFoundError."""
    for kind, some in groupby(rows, lambda row: row.kind):
        _PUTS[kind](session, principal, wanted, list(some))


def _put_buckets(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    for row in rows:
        session.buckets.insert(principal, row.value)


def _put_taxonomies(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    for row in rows:
        session.taxonomies.insert(principal, row.value)
        session.taxonomy_versions.put(principal, row.value.taxonomy_id, row.value.snapshot)


def _put_collections(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    for row in rows:
        made = replace(row.value, revision=0) if wanted.collection_id is None else restored_as(row.value, wanted)
        session.collections.insert(principal, made)


def _put_objects(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    session.objects.insert(principal, [row.value for row in rows])


def _put_documents(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    by_collection: dict[str, list[DocumentWrite]] = {}
    for row in rows:
        write = write_of(row)
        if wanted.collection_id is not None:
            write = replace(write, document=_moved(write.document, wanted.collection_id))
        by_collection.setdefault(write.document.collection_id, []).append(write)
    for collection_id, writes in by_collection.items():
        session.documents.put(principal, collection_id, writes)


def _put_retrievers(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    for row in rows:
        session.retriever_versions.put(principal, version_of(row.value))
        session.retrievers.insert(principal, row.value)


def _put_nothing(session: Session, principal: Principal, wanted: Restoration, rows: Sequence[Row]) -> None:
    """The namespace is there already."""


_Put: TypeAlias = Callable[[Session, Principal, Restoration, Sequence[Row]], None]
_PUTS: dict[str, _Put] = {
    "namespace": _put_nothing,
    "bucket": _put_buckets,
    "taxonomy": _put_taxonomies,
    "collection": _put_collections,
    "object": _put_objects,
    "document": _put_documents,
    "retriever": _put_retrievers,
}


def _moved(document: Document, collection_id: str) -> Document:
    """In another collection, by the id that extraction would give it there, so that a batch finds it again."""
    source = document.lineage.source_document_id or document.lineage.source_object_id
    before, places = document.collection_id, range(_MOST_OF_A_SOURCE if source else 0)
    place = next((n for n in places if derived_id("doc", before, source or "", n) == document.document_id), None)
    made = derived_id("doc", collection_id, *((document.document_id,) if place is None else (source or "", place)))
    last = next(reversed(document.lineage.chain), None)
    own = () if last is None else (replace(last, collection_id=collection_id, document_id=made),)
    chain = (*document.lineage.chain[:-1], *own)
    return replace(
        document, document_id=made, collection_id=collection_id, lineage=replace(document.lineage, chain=chain)
    )
