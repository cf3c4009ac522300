"""Documents: read, listed, grouped and counted; written so that the next search sees it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.groups.aggregation import Aggregation, Rows, aggregate
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError, ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite, Lineage
from tamis.model.filters import Filter
from tamis.model.ids import looks_like_id, new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.vector import Vector
from tamis.services.data.collections import require_collection
from tamis.services.data.document_groups import Group, group_page
from tamis.services.data.document_writes import given_vectors, merged_fields, written_fields
from tamis.services.listing import ListQuery
from tamis.services.upkeep.indexing import Indexer

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class DocumentDetails:
    """vectors: by feature name, where they were asked for. has_vectors: told in lists."""

    document: Document
    vectors: Mapping[str, Vector] | None = None
    has_vectors: bool = False


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document that a caller brings himself. body: its fields as sent.  features: with their vectors."""

    body: Mapping[str, Any]
    features: tuple[Mapping[str, Any], ...] = ()
    lineage: Lineage = field(default_factory=Lineage)
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentGroups:
    """groups: a window of all. documents: of these groups, by id."""

    page: Page[Group]
    documents: Mapping[str, DocumentDetails]


class DocumentService:
    def __init__(self, metadata: Metadata, indexer: Indexer) -> None:
        self._metadata = metadata
        self._indexer = indexer

    async def create(self, principal: Principal, collection: str, draft: DocumentDraft) -> DocumentDetails:
        """Raises: NotFoundError, AlreadyExistsError, ValidationError naming the place, DimensionMismatch."""
        document_id = draft.document_id or new_id("doc")
        if not document_id.startswith("doc_") or not looks_like_id(document_id):
            raise ValidationError.at(["body", "document_id"], "an id such as doc_... with 20 or more of 0-9 and a-z")

        def create(session: Session) -> DocumentDetails:
            found = require_collection(session, principal, collection)
            if document_id in session.documents.get_many(principal, [document_id]):
                raise AlreadyExistsError(f"document {document_id!r} exists already", document_id=document_id)
            vectors = given_vectors(found, draft.features)
            payloads = [feature.get("payload") or {} for feature in draft.features]
            fields = {name: value for payload in payloads for name, value in payload.items()}
            now = datetime.now(UTC)
            document = Document(
                document_id=document_id,
                collection_id=found.collection_id,
                fields={**fields, **written_fields(draft.body)},
                created_at=now,
                updated_at=now,
                lineage=draft.lineage,
            )
            session.documents.put(principal, found.collection_id, [DocumentWrite(document, vectors)])
            return DocumentDetails(document, vectors)

        return await self._write(principal, create)

    async def get(
        self, principal: Principal, collection: str, document_id: str, with_vectors: bool = False
    ) -> DocumentDetails:
        def read(session: Session) -> DocumentDetails:
            found = require_collection(session, principal, collection)
            document = require_document(session, principal, found, document_id)
            return _detailed(session, principal, [document], with_vectors)[0]

        return await self._metadata.read(read)

    async def list(
        self, principal: Principal, collection: str, query: ListQuery, with_vectors: bool = False
    ) -> Page[DocumentDetails]:
        def read(session: Session) -> Page[DocumentDetails]:
            found = require_collection(session, principal, collection)
            page = session.documents.page(principal, found.collection_id, query.window)
            items = _listed(session, principal, page.items, with_vectors)
            return Page(items, total=page.total, limit=query.limit, offset=query.offset)

        return await self._metadata.read(read)

    async def groups(
        self, principal: Principal, collection: str, path: str, query: ListQuery, with_vectors: bool = False
    ) -> DocumentGroups:
        """Groups of documents with the same value at `path`, the largest first; limit and offset count groups."""

        def read(session: Session) -> DocumentGroups:
            found = require_collection(session, principal, collection)
            page = group_page(session, principal, found.collection_id, path, query)
            ids = [document_id for group in page.items for document_id in group.document_ids]
            documents = list(session.documents.get_many(principal, ids).values())
            details = _listed(session, principal, documents, with_vectors)
            return DocumentGroups(page, {each.document.document_id: each for each in details})

        return await self._metadata.read(read)

    async def replace(
        self,
        principal: Principal,
        collection: str,
        document_id: str,
        body: Mapping[str, Any],
        features: Sequence[Mapping[str, Any]] = (),
    ) -> DocumentDetails:
        """All fields are those of the body; vectors stay unless `features` brings others."""

        def put(session: Session) -> DocumentDetails:
            found = require_collection(session, principal, collection)
            before = require_document(session, principal, found, document_id)
            return _store(session, principal, found, before, written_fields(body), features)

        return await self._write(principal, put)

    async def patch(
        self,
        principal: Principal,
        collection: str,
        document_id: str,
        body: Mapping[str, Any],
        features: Sequence[Mapping[str, Any]] = (),
    ) -> DocumentDetails:
        """The fields named in the body are replaced, the others kept."""

        def patch(session: Session) -> DocumentDetails:
            found = require_collection(session, principal, collection)
            before = require_document(session, principal, found, document_id)
            return _store(session, principal, found, before, merged_fields(before.fields, body), features)

        return await self._write(principal, patch)

    async def patch_each(
        self, principal: Principal, collection: str, updates: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> tuple[Sequence[str | None], int]:
        """Patch documents one by one. Returns for each None or why not, and how many were changed."""

        def patch(session: Session) -> tuple[Collection, list[str | None]]:
            found = require_collection(session, principal, collection)
            known = _inside(session, principal, found, [document_id for document_id, _ in updates])
            errors: list[str | None] = []
            for document_id, body in updates:
                if document_id not in known:
                    errors.append(f"document {document_id!r} was not found")
                    continue
                try:
                    known[document_id] = _patched(known[document_id], body)
                    errors.append(None)
                except ValidationError as error:
                    errors.append(error.message)
            changed = {key for (key, _), error in zip(updates, errors, strict=True) if error is None}
            if changed:
                session.documents.put_fields(principal, found.collection_id, [known[key] for key in sorted(changed)])
            return found, errors

        found, errors = await self._metadata.write(patch)
        await self._indexer.apply(principal, found.collection_id)
        return errors, sum(error is None for error in errors)

    async def patch_matching(
        self, principal: Principal, collection: str, matching: Filter | None, body: Mapping[str, Any]
    ) -> int:
        """Patch every document that the filter lets in (all, without one); returns how many."""
        found, ids = await self._matching(principal, collection, matching)
        merged_fields({}, body)  # a bad body is refused before anything is written

        def patch(chunk: Sequence[str]) -> Callable[[Session], int]:
            def write(session: Session) -> int:
                known = _inside(session, principal, found, chunk)
                if known:
                    documents = [_patched(document, body) for document in known.values()]
                    session.documents.put_fields(principal, found.collection_id, documents)
                return len(known)

            return write

        return await self._in_chunks(principal, found, ids, patch)

    async def delete(self, principal: Principal, collection: str, document_id: str) -> None:
        """Raises: NotFoundError."""
        missing, _ = await self.delete_each(principal, collection, [document_id])
        if missing:
            raise NotFoundError.of("document", document_id)

    async def delete_each(
        self, principal: Principal, collection: str, document_ids: Sequence[str]
    ) -> tuple[frozenset[str], int]:
        """Returns the ids that were not there, and how many documents were deleted."""

        def delete(session: Session) -> tuple[Collection, frozenset[str], int]:
            found = require_collection(session, principal, collection)
            known = _inside(session, principal, found, document_ids)
            count = session.documents.delete(principal, found.collection_id, list(known)) if known else 0
            return found, frozenset(document_ids) - frozenset(known), count

        found, missing, count = await self._metadata.write(delete)
        await self._indexer.apply(principal, found.collection_id)
        return missing, count

    async def delete_matching(self, principal: Principal, collection: str, matching: Filter | None) -> Sequence[str]:
        """Delete every document that the filter lets in; returns their ids."""
        found, ids = await self._matching(principal, collection, matching)

        def delete(chunk: Sequence[str]) -> Callable[[Session], int]:
            return lambda session: session.documents.delete(principal, found.collection_id, chunk)

        await self._in_chunks(principal, found, ids, delete)
        return ids

    async def aggregate(
        self, principal: Principal, collection: str, matching: Filter | None, wanted: Aggregation
    ) -> Rows:
        """Raises: NotFoundError, ValidationError.   Cost: one pass over the collection."""

        def read(session: Session) -> Rows:
            found = require_collection(session, principal, collection)
            documents = session.documents.scan(principal, found.collection_id, matching)
            return aggregate((document.view() for document in documents), wanted)

        return await self._metadata.read(read)

    async def _matching(
        self, principal: Principal, collection: str, matching: Filter | None
    ) -> tuple[Collection, Sequence[str]]:
        def read(session: Session) -> tuple[Collection, list[str]]:
            found = require_collection(session, principal, collection)
            documents = session.documents.scan(principal, found.collection_id, matching)
            return found, [document.document_id for document in documents]

        return await self._metadata.read(read)

    async def _in_chunks(
        self,
        principal: Principal,
        collection: Collection,
        ids: Sequence[str],
        change: Callable[[Sequence[str]], Callable[[Session], int]],
    ) -> int:
        """Large changes go in several transactions, so that other writers are not held up."""
        count = 0
        for begin in range(0, len(ids), _CHUNK):
            count += await self._metadata.write(change(ids[begin : begin + _CHUNK]))
        await self._indexer.apply(principal, collection.collection_id)
        return count

    async def _write(self, principal: Principal, function: Callable[[Session], DocumentDetails]) -> DocumentDetails:
        details = await self._metadata.write(function)
        await self._indexer.apply(principal, details.document.collection_id)
        return details


def require_document(session: Session, principal: Principal, collection: Collection, document_id: str) -> Document:
    document = session.documents.get(principal, collection.collection_id, document_id)
    if document is None:
        raise NotFoundError.of("document", document_id)
    return document


def _inside(
    session: Session, principal: Principal, collection: Collection, document_ids: Sequence[str]
) -> dict[str, Document]:
    """Those of the ids that are this collection's."""
    found = session.documents.get_many(principal, document_ids)
    return {key: document for key, document in found.items() if document.collection_id == collection.collection_id}


def _detailed(
    session: Session, principal: Principal, documents: Sequence[Document], with_vectors: bool
) -> list[DocumentDetails]:
    if not with_vectors:
        return [DocumentDetails(document) for document in documents]
    vectors = session.documents.vectors(principal, [document.document_id for document in documents])
    return [DocumentDetails(document, vectors.get(document.document_id, {})) for document in documents]


def _listed(
    session: Session, principal: Principal, documents: Sequence[Document], with_vectors: bool
) -> list[DocumentDetails]:
    bearing = session.documents.with_vectors(principal, [document.document_id for document in documents])
    details = _detailed(session, principal, documents, with_vectors)
    return [replace(each, has_vectors=each.document.document_id in bearing) for each in details]


def _patched(document: Document, body: Mapping[str, Any]) -> Document:
    return _rewritten(document, merged_fields(document.fields, body))


def _rewritten(document: Document, fields: Mapping[str, JSON]) -> Document:
    """No longer what an extraction made."""
    now = datetime.now(UTC)
    return replace(document, fields=fields, updated_at=now, made_from=None, content_key=None, passed=())


def _store(
    session: Session,
    principal: Principal,
    collection: Collection,
    before: Document,
    fields: Mapping[str, JSON],
    features: Sequence[Mapping[str, Any]],
) -> DocumentDetails:
    document = _rewritten(before, fields)
    brought = given_vectors(collection, features)
    if brought:
        kept = session.documents.vectors(principal, [before.document_id]).get(before.document_id, {})
        write = DocumentWrite(document, {**kept, **brought})
        session.documents.put(principal, collection.collection_id, [write])
    else:
        session.documents.put_fields(principal, collection.collection_id, [document])
    return DocumentDetails(document)
