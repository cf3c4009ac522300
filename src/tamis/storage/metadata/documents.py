"""Documents and their vectors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import md5
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, literal, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import ItemStatus
from tamis.model.document import Document, DocumentWrite
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.model.vector import Vector
from tamis.model.webhook import EventType
from tamis.storage.metadata.audit import Events
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.files import SqlFiles
from tamis.storage.metadata.history import SqlHistory
from tamis.storage.metadata.index_queue import SqlIndexQueue
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.listing import is_plain, matching_only, window
from tamis.storage.metadata.schema import (
    batch_items,
    collections,
    document_contents,
    document_vectors,
    documents,
    index_queue,
    taxonomy_assignments,
)
from tamis.storage.metadata.vectors import EMPTY_SIZE_BYTES, decode_vectors, encode_vectors

_CODEC = Codec(Document)
_CHUNK = 500
_MOST_TOLD = 100
_LATEST = 2**62

_c, _v, _k, _i = documents.c, document_vectors.c, document_contents.c, batch_items.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_inside = and_(_mine, _c.collection_id == bindparam("of_collection"))
_NEWEST = (_c.created_at.desc(), _c.document_id)
_NEXT_TIE = and_(_c.created_at == bindparam("at"), _c.document_id > bindparam("after"))
_STATE = ("source_id", "root_object_id", "created_at", "body")

_RAISE_REVISION = (
    update(collections)
    .where(
        collections.c.organization_id == bindparam("organization"),
        collections.c.namespace_id == bindparam("namespace"),
        collections.c.collection_id == bindparam("of_collection"),
    )
    .values(revision=collections.c.revision + 1)
    .returning(collections.c.revision)
)
_new = insert(documents)
# An id that is another collection's stays there: then fewer rows are touched than were given.
_PUT = _new.on_conflict_do_update(
    index_elements=[_c.organization_id, _c.namespace_id, _c.document_id],
    set_={name: _new.excluded[name] for name in _STATE},
    where=_c.collection_id == _new.excluded.collection_id,
)
_new_vectors = insert(document_vectors)
_PUT_VECTORS = _new_vectors.on_conflict_do_update(
    index_elements=[_v.organization_id, _v.namespace_id, _v.document_id],
    set_={"vectors": _new_vectors.excluded.vectors},
)
_PUT_FIELDS = (
    update(documents)
    .where(_inside, _c.document_id == bindparam("identifier"))
    .values({name: bindparam(f"new_{name}") for name in _STATE})
)
_new_contents = insert(document_contents)
_PUT_CONTENTS = _new_contents.on_conflict_do_update(
    index_elements=[_k.organization_id, _k.namespace_id, _k.document_id],
    set_={"content_key": _new_contents.excluded.content_key},
)
_my_contents = and_(_k.organization_id == bindparam("organization_id"), _k.namespace_id == bindparam("namespace_id"))
_DROP_CONTENTS = delete(document_contents).where(_my_contents, one_of(_k.document_id, "ids"))
_BY_CONTENT = (  # the key has the tenant in it
    select(_k.document_id).where(_k.content_key == bindparam("content_key")).order_by(_k.document_id).limit(2)
)
_ASSIGNED = delete(taxonomy_assignments).where(
    taxonomy_assignments.c.organization_id == bindparam("organization_id"),
    taxonomy_assignments.c.namespace_id == bindparam("namespace_id"),
    one_of(taxonomy_assignments.c.document_id, "ids"),
)
_PRESENT = select(_c.document_id).where(_inside, one_of(_c.document_id, "ids")).order_by(_c.document_id)
_DELETE = delete(documents).where(_inside, one_of(_c.document_id, "ids"))
_DELETE_ALL = delete(documents).where(_inside)
_QUEUE_ALL = plain_insert(index_queue).from_select(
    ["organization_id", "namespace_id", "collection_id", "document_id", "is_delete"],
    select(_c.organization_id, _c.namespace_id, _c.collection_id, _c.document_id, literal(1)).where(_inside),
)
_GET = select(_c.body).where(_inside, _c.document_id == bindparam("identifier"))
_GET_MANY = select(_c.document_id, _c.body).where(_mine, one_of(_c.document_id, "ids"))
_these = and_(
    _v.organization_id == bindparam("organization_id"),
    _v.namespace_id == bindparam("namespace_id"),
    one_of(_v.document_id, "ids"),
)
_VECTORS = select(_v.document_id, _v.vectors).where(_these)
_WITH_VECTORS = select(_v.document_id).where(_these, func.length(_v.vectors) > EMPTY_SIZE_BYTES)
_PAGE = select(_c.body).where(_inside).order_by(*_NEWEST).limit(bindparam("limit")).offset(bindparam("offset"))
_SCAN_NEWEST = (
    select(_c.created_at, _c.document_id, _c.body)
    .where(_inside, _c.created_at <= bindparam("at"), or_(_c.created_at < bindparam("at"), _NEXT_TIE))
    .order_by(*_NEWEST)
    .limit(_CHUNK)
)
_SCAN = (
    select(_c.document_id, _c.body)
    .where(_inside, _c.document_id > bindparam("after"))
    .order_by(_c.document_id)
    .limit(_CHUNK)
)
_FOLLOWING = (
    select(_c.body)
    .where(_inside, _c.document_id > bindparam("after"))
    .order_by(_c.document_id)
    .limit(bindparam("limit"))
)
_FOLLOWING_OF_BATCH = _FOLLOWING.where(
    _c.source_id == _i.source_id,
    _i.organization_id == bindparam("organization_id"),
    _i.namespace_id == bindparam("namespace_id"),
    _i.batch_id == bindparam("of_batch"),
    _i.status == ItemStatus.DONE.value,
    _i.collection_id == bindparam("of_collection"),
)
_BY_SOURCE = select(_c.document_id).where(_inside, _c.source_id == bindparam("source_id")).order_by(_c.document_id)
_of_root = and_(_mine, _c.root_object_id == bindparam("root_object_id"))
_BY_ROOT = select(_c.body).where(_of_root).order_by(_c.collection_id, _c.document_id)
_BY_ROOT_INSIDE = _BY_ROOT.where(one_of(_c.collection_id, "collection_ids"))
_COUNT = select(func.count()).select_from(documents).where(_inside)
_COUNT_WRITTEN = _COUNT.where(_c.source_id.is_(None))
_COUNT_SINCE = _COUNT.where(_c.created_at > bindparam("since"))


class SqlDocuments:
    """Every write first locks its collection by raising the revision: two writes of one collection never interleave."""

    def __init__(self, link: Link, queue: SqlIndexQueue, history: SqlHistory, files: SqlFiles, events: Events) -> None:
        self._link = link
        self._events = events
        self._queue = queue
        self._history = history
        self._files = files

    def put(self, principal: Principal, collection_id: str, writes: Sequence[DocumentWrite]) -> int:
        """Insert or replace whole documents with their vectors; returns the collection's new revision.

        Raises: NotFoundError (collection), AlreadyExistsError where an id is another collection's document.
        """
        revision = self._raise_revision(principal, collection_id)
        mine = scope(principal)
        rows = [
            {
                **mine,
                "document_id": write.document.document_id,
                "collection_id": collection_id,
                **_state(write.document, collection_id, revision),
            }
            for write in writes
        ]
        vectors = [
            {**mine, "document_id": write.document.document_id, "vectors": encode_vectors(write.vectors)}
            for write in writes
        ]
        with self._link.savepoint():
            self._history.keep(principal, collection_id, [row["document_id"] for row in rows])
            if self._link.run_many(_PUT, rows) != len(rows):
                raise AlreadyExistsError("a document with this id exists in another collection")
            self._link.run_many(_PUT_VECTORS, vectors)
            self._put_contents(principal, [write.document for write in writes])
            self._link.run(_ASSIGNED, {**mine, "ids": self._link.array([row["document_id"] for row in rows])})
            self._files.own(principal, {write.document.document_id: write.document.file_keys for write in writes})
            self._queue.add(principal, collection_id, [row["document_id"] for row in rows], delete=False)
            self._tell(principal, collection_id, revision, [row["document_id"] for row in rows])
        return revision

    def put_fields(self, principal: Principal, collection_id: str, documents: Sequence[Document]) -> int:
        """Replace documents, keep their vectors; one that is gone stays gone. Raises: NotFoundError (collection)."""
        revision = self._raise_revision(principal, collection_id)
        bounds = _collection(principal, collection_id)
        rows = [
            {
                **bounds,
                "identifier": document.document_id,
                **{f"new_{name}": value for name, value in _state(document, collection_id, revision).items()},
            }
            for document in documents
        ]
        self._history.keep(principal, collection_id, [document.document_id for document in documents])
        self._link.run_many(_PUT_FIELDS, rows)
        self._put_contents(principal, documents)
        ids = [document.document_id for document in documents]
        self._queue.add(principal, collection_id, ids, delete=False)
        self._tell(principal, collection_id, revision, ids)
        return revision

    def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> int:
        """How many there were."""
        bounds = {**_collection(principal, collection_id), "ids": self._link.array(document_ids)}
        self._try_raise_revision(principal, collection_id)
        present = [document_id for (document_id,) in self._link.rows(_PRESENT, bounds)]
        self._history.keep(principal, collection_id, present)
        self._link.run(_DELETE, bounds)
        self._files.own(principal, dict.fromkeys(present, ()))
        self._queue.add(principal, collection_id, present, delete=True)
        return len(present)

    def delete_collection(self, principal: Principal, collection_id: str) -> int:
        bounds = _collection(principal, collection_id)
        self._try_raise_revision(principal, collection_id)
        self._link.run(_QUEUE_ALL, bounds)
        self._history.keep_all(principal, collection_id)
        self._files.disown_collection(principal, collection_id)
        return self._link.run(_DELETE_ALL, bounds)

    def touch(self, principal: Principal, collection_id: str) -> int:
        """Raise the revision though no document changed. Raises: NotFoundError (collection)."""
        return self._raise_revision(principal, collection_id)

    def get(self, principal: Principal, collection_id: str, document_id: str) -> Document | None:
        body = self._link.value(_GET, {**_collection(principal, collection_id), "identifier": document_id})
        return None if body is None else _CODEC.decode(body)

    def get_many(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        """Of any collection of the namespace; absent ones are left out. The hot path of every search."""
        rows = self._link.rows(_GET_MANY, {**scope(principal), "ids": self._link.array(document_ids)})
        decode = _CODEC.decode
        return {document_id: decode(body) for document_id, body in rows}

    def vectors(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Mapping[str, Vector]]:
        rows = self._link.rows(_VECTORS, {**scope(principal), "ids": self._link.array(document_ids)})
        return {document_id: decode_vectors(bytes(data)) for document_id, data in rows}

    def with_vectors(self, principal: Principal, document_ids: Sequence[str]) -> frozenset[str]:
        """Those of the documents that have a vector, without reading one."""
        rows = self._link.rows(_WITH_VECTORS, {**scope(principal), "ids": self._link.array(document_ids)})
        return frozenset(document_id for (document_id,) in rows)

    def page(self, principal: Principal, collection_id: str, listing: Listing) -> Page[Document]:
        if not is_plain(listing):
            rows = self._newest(principal, collection_id)
            return window(rows, Document.dated_view, lambda each: each.document_id, listing)
        bounds = {**_collection(principal, collection_id), "limit": listing.limit, "offset": listing.offset}
        found = [_CODEC.decode(body) for (body,) in self._link.rows(_PAGE, bounds)]
        return Page(found, self.count(principal, collection_id), listing.limit, listing.offset)

    def scan(
        self, principal: Principal, collection_id: str, matching: Filter | None = None, after: str = ""
    ) -> Iterator[Document]:
        """All of a collection, by id, without holding it in memory. after: only those with a greater id."""
        every = (document for chunk in self._chunks(principal, collection_id, after) for document in chunk)
        return matching_only(every, Document.dated_view, matching)

    def following(
        self, principal: Principal, collection_id: str, after: str, limit: int, batch_id: str | None = None
    ) -> Sequence[Document]:
        """By id, those that come after this one. batch_id: only those made of what the batch has done."""
        bounds = {**_collection(principal, collection_id), "after": after, "limit": limit}
        if batch_id is not None:
            bounds["of_batch"] = batch_id
        statement = _FOLLOWING if batch_id is None else _FOLLOWING_OF_BATCH
        return [_CODEC.decode(body) for (body,) in self._link.rows(statement, bounds)]

    def scan_writes(self, principal: Principal, collection_id: str) -> Iterator[DocumentWrite]:
        """As `scan`, with vectors: what an index is rebuilt from."""
        for chunk in self._chunks(principal, collection_id):
            vectors = self.vectors(principal, [document.document_id for document in chunk])
            for document in chunk:
                yield DocumentWrite(document, vectors.get(document.document_id, {}))

    def by_source(self, principal: Principal, collection_id: str, source_id: str) -> Sequence[str]:
        """Ids of the documents made of this object (or of this document of the collection before)."""
        rows = self._link.rows(_BY_SOURCE, {**_collection(principal, collection_id), "source_id": source_id})
        return [document_id for (document_id,) in rows]

    def by_root(
        self, principal: Principal, object_id: str, collection_ids: Sequence[str] | None = None
    ) -> Sequence[Document]:
        """All documents, in any collection of the namespace, that go back to this object."""
        bounds = {**scope(principal), "root_object_id": object_id}
        if collection_ids is not None:
            bounds["collection_ids"] = self._link.array(collection_ids)
        statement = _BY_ROOT if collection_ids is None else _BY_ROOT_INSIDE
        return [_CODEC.decode(body) for (body,) in self._link.rows(statement, bounds)]

    def find_content(self, principal: Principal, content_keys: Sequence[str]) -> Mapping[str, Sequence[Document]]:
        """By content key, the first documents of sources that were made of that content: at most two of them."""
        ids = {
            key: [found for (found,) in self._link.rows(_BY_CONTENT, {"content_key": _short_key(principal, key)})]
            for key in content_keys
        }
        known = self.get_many(principal, [document_id for each in ids.values() for document_id in each])
        found = {
            key: [known[each] for each in ids[key] if each in known and known[each].content_key == key] for key in ids
        }
        return {key: documents for key, documents in found.items() if documents}

    def count(self, principal: Principal, collection_id: str) -> int:
        return int(self._link.value(_COUNT, _collection(principal, collection_id)))

    def count_written(self, principal: Principal, collection_id: str) -> int:
        return int(self._link.value(_COUNT_WRITTEN, _collection(principal, collection_id)))

    def count_since(self, principal: Principal, collection_id: str, since: datetime) -> int:
        bounds = {**_collection(principal, collection_id), "since": to_micros(since)}
        return int(self._link.value(_COUNT_SINCE, bounds))

    def _tell(self, principal: Principal, collection_id: str, revision: int, ids: Sequence[str]) -> None:
        """One event a write, whose ids are cut at a hundred: a webhook is no export."""
        said: dict[str, JSON] = {"revision": revision, "count": len(ids), "document_ids": [*ids[:_MOST_TOLD]]}
        if ids:
            self._events.happened(principal, EventType.DOCUMENTS_WRITTEN, lambda: {collection_id: said})

    def _raise_revision(self, principal: Principal, collection_id: str) -> int:
        revision = self._try_raise_revision(principal, collection_id)
        if revision is None:
            raise NotFoundError.of("collection", collection_id)
        return revision

    def _try_raise_revision(self, principal: Principal, collection_id: str) -> int | None:
        bounds = {
            "organization": principal.organization_id,
            "namespace": principal.namespace_id,
            "of_collection": collection_id,
        }
        found = self._link.value(_RAISE_REVISION, bounds)
        return None if found is None else int(found)

    def _put_contents(self, principal: Principal, documents: Sequence[Document]) -> None:
        mine = scope(principal)
        without = [document.document_id for document in documents if document.content_key is None]
        if without:
            self._link.run(_DROP_CONTENTS, {**mine, "ids": self._link.array(without)})
        self._link.run_many(
            _PUT_CONTENTS,
            [
                {**mine, "document_id": each.document_id, "content_key": _short_key(principal, each.content_key)}
                for each in documents
                if each.content_key is not None
            ],
        )

    def _chunks(self, principal: Principal, collection_id: str, after: str = "") -> Iterator[list[Document]]:
        bounds = _collection(principal, collection_id)
        while rows := self._link.rows(_SCAN, {**bounds, "after": after}):
            yield [_CODEC.decode(body) for _, body in rows]
            after = rows[-1][0]

    def _newest(self, principal: Principal, collection_id: str) -> Iterable[Document]:
        bounds, at, after = _collection(principal, collection_id), _LATEST, ""
        while rows := self._link.rows(_SCAN_NEWEST, {**bounds, "at": at, "after": after}):
            yield from (_CODEC.decode(body) for _, _, body in rows)
            at, after, _ = rows[-1]


def _collection(principal: Principal, collection_id: str) -> dict[str, Any]:
    return {**scope(principal), "of_collection": collection_id}


def _state(document: Document, collection_id: str, revision: int) -> dict[str, Any]:
    lineage = document.lineage
    return {
        "source_id": lineage.source_document_id or lineage.source_object_id,
        "root_object_id": lineage.root_object_id or lineage.source_object_id,
        "created_at": to_micros(document.created_at),
        "body": _CODEC.encode(replace(document, collection_id=collection_id, revision=revision)),
    }


def _short_key(principal: Principal, content_key: str) -> int:
    """64 bits of the tenant and the key; the document has all of it."""
    text = f"{principal.organization_id} {principal.namespace_id} {content_key}"
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:8], "big", signed=True)
