"""Documents as a caller sees them whose Principal is narrowed: what does not match does not exist, and nothing is
written.

With `engine.narrowed_index` the only way to a document, so that whatever asks (a stage, a nested retriever, a query by
a stored document, a direct read) is narrowed without knowing it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tamis.engine.ports.metadata import Documents
from tamis.errors import ForbiddenError
from tamis.model.document import Document, DocumentWrite
from tamis.model.filters import Filter, both
from tamis.model.matching import matches
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.model.vector import Vector


class NarrowedDocuments:
    """A principal that is not narrowed goes straight through to `inner`."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner

    def put(self, principal: Principal, collection_id: str, writes: Sequence[DocumentWrite]) -> int:
        _refuse(principal)
        return self._inner.put(principal, collection_id, writes)

    def put_fields(self, principal: Principal, collection_id: str, documents: Sequence[Document]) -> int:
        _refuse(principal)
        return self._inner.put_fields(principal, collection_id, documents)

    def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> int:
        _refuse(principal)
        return self._inner.delete(principal, collection_id, document_ids)

    def delete_collection(self, principal: Principal, collection_id: str) -> int:
        _refuse(principal)
        return self._inner.delete_collection(principal, collection_id)

    def touch(self, principal: Principal, collection_id: str) -> int:
        _refuse(principal)
        return self._inner.touch(principal, collection_id)

    def get(self, principal: Principal, collection_id: str, document_id: str) -> Document | None:
        found = self._inner.get(principal, collection_id, document_id)
        return found if found is not None and _sees(principal, found) else None

    def get_many(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        found = self._inner.get_many(principal, document_ids)
        if principal.narrowing is None:
            return found
        return {key: document for key, document in found.items() if _sees(principal, document)}

    def vectors(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Mapping[str, Vector]]:
        return self._inner.vectors(principal, self._seen(principal, document_ids))

    def with_vectors(self, principal: Principal, document_ids: Sequence[str]) -> frozenset[str]:
        return self._inner.with_vectors(principal, self._seen(principal, document_ids))

    def page(self, principal: Principal, collection_id: str, listing: Listing) -> Page[Document]:
        if principal.narrowing is not None:
            listing = replace(listing, filter=both(principal.narrowing, listing.filter))
        return self._inner.page(principal, collection_id, listing)

    def scan(
        self, principal: Principal, collection_id: str, matching: Filter | None = None, after: str = ""
    ) -> Iterator[Document]:
        return self._inner.scan(principal, collection_id, both(principal.narrowing, matching), after)

    def following(
        self, principal: Principal, collection_id: str, after: str, limit: int, batch_id: str | None = None
    ) -> Sequence[Document]:
        """Of a narrowed caller only those of the next `limit` that he sees: walks are the server's own."""
        found = self._inner.following(principal, collection_id, after, limit, batch_id)
        return [document for document in found if _sees(principal, document)]

    def scan_writes(self, principal: Principal, collection_id: str) -> Iterator[DocumentWrite]:
        every = self._inner.scan_writes(principal, collection_id)
        return (write for write in every if _sees(principal, write.document))

    def by_source(self, principal: Principal, collection_id: str, source_id: str) -> Sequence[str]:
        return self._seen(principal, self._inner.by_source(principal, collection_id, source_id))

    def by_root(
        self, principal: Principal, object_id: str, collection_ids: Sequence[str] | None = None
    ) -> Sequence[Document]:
        found = self._inner.by_root(principal, object_id, collection_ids)
        return [document for document in found if _sees(principal, document)]

    def find_content(self, principal: Principal, content_keys: Sequence[str]) -> Mapping[str, Sequence[Document]]:
        found = self._inner.find_content(principal, content_keys)
        return {key: [one for one in some if _sees(principal, one)] for key, some in found.items()}

    def count(self, principal: Principal, collection_id: str) -> int:
        if principal.narrowing is None:
            return self._inner.count(principal, collection_id)
        return _length(self.scan(principal, collection_id))

    def count_written(self, principal: Principal, collection_id: str) -> int:
        return self._inner.count_written(principal, collection_id)

    def count_since(self, principal: Principal, collection_id: str, since: datetime) -> int:
        if principal.narrowing is None:
            return self._inner.count_since(principal, collection_id, since)
        return _length(one for one in self.scan(principal, collection_id) if one.created_at > since)

    def _seen(self, principal: Principal, document_ids: Sequence[str]) -> Sequence[str]:
        if principal.narrowing is None:
            return document_ids
        found = self.get_many(principal, document_ids)
        return [document_id for document_id in document_ids if document_id in found]


def _sees(principal: Principal, document: Document) -> bool:
    return principal.narrowing is None or matches(principal.narrowing, document.dated_view())


def _refuse(principal: Principal) -> None:
    if principal.narrowing is not None:
        raise ForbiddenError("who sees only a part of the documents changes none of them")


def _length(some: Iterable[Document]) -> int:
    return sum(1 for _ in some)
