"""Where documents come from, and what became of an object."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.bucket import BucketObject
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.principal import Principal
from tamis.services.data.batch_tiers import fed_by
from tamis.services.data.collections import require_collection
from tamis.services.data.documents import require_document


@dataclass(frozen=True, slots=True)
class DocumentLineage:
    """root: None where the object is gone, or there never was one.  ancestors: from the root's side down to it.

    derived: what other collections made of this document, directly.
    """

    document: Document
    root: BucketObject | None
    ancestors: tuple[Document, ...]
    derived: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One collection's part of what became of an object."""

    collection: Collection
    document_ids: tuple[str, ...]
    children: tuple["Branch", ...]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """documents: of all branches."""

    object_id: str
    root: BucketObject | None
    branches: tuple[Branch, ...]
    documents: int


class LineageService:
    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def lineage(self, principal: Principal, collection: str, document_id: str) -> DocumentLineage:
        """Raises: NotFoundError."""

        def read(session: Session) -> DocumentLineage:
            found = require_collection(session, principal, collection)
            document = require_document(session, principal, found, document_id)
            root_id = document.lineage.root_object_id
            return DocumentLineage(
                document=document,
                root=session.objects.get(principal, root_id) if root_id else None,
                ancestors=_ancestors(session, principal, document),
                derived=_derived(session, principal, document),
            )

        return await self._metadata.read(read)

    async def documents_of(
        self, principal: Principal, object_id: str, collections: Sequence[str] | None = None
    ) -> list[Document]:
        """All documents that go back to an object. Raises: NotFoundError where there is no such object either."""

        def read(session: Session) -> list[Document]:
            ids = None
            if collections:
                ids = [require_collection(session, principal, name).collection_id for name in collections]
            documents = list(session.documents.by_root(principal, object_id, ids))
            if not documents and session.objects.get(principal, object_id) is None:
                raise NotFoundError.of("object", object_id)
            return documents

        return await self._metadata.read(read)

    async def decomposition(self, principal: Principal, object_id: str) -> Decomposition:
        """Raises: NotFoundError."""

        def read(session: Session) -> Decomposition:
            root = session.objects.get(principal, object_id)
            documents = session.documents.by_root(principal, object_id)
            if root is None and not documents:
                raise NotFoundError.of("object", object_id)
            return Decomposition(
                object_id, root, _branches(session.collections.list(principal), documents), len(documents)
            )

        return await self._metadata.read(read)


def _ancestors(session: Session, principal: Principal, document: Document) -> tuple[Document, ...]:
    found: list[Document] = []
    above = document.lineage.source_document_id
    while above and above not in {each.document_id for each in found}:
        parent = session.documents.get_many(principal, [above]).get(above)
        if parent is None:
            break
        found.append(parent)
        above = parent.lineage.source_document_id
    return tuple(reversed(found))


def _derived(session: Session, principal: Principal, document: Document) -> tuple[Document, ...]:
    below = fed_by(session.collections.list(principal), document.collection_id)
    ids = [
        document_id
        for collection in below
        for document_id in session.documents.by_source(principal, collection.collection_id, document.document_id)
    ]
    return tuple(session.documents.get_many(principal, ids).values())


def _branches(collections: Sequence[Collection], documents: Sequence[Document]) -> tuple[Branch, ...]:
    """The tree by collection: at the top those fed by the bucket, below each those that it fed."""
    by_id = {collection.collection_id: collection for collection in collections}
    ids: dict[tuple[str | None, str], list[str]] = {}
    for document in documents:
        key = (document.lineage.source_collection_id, document.collection_id)
        ids.setdefault(key, []).append(document.document_id)

    def below(parent: str | None, seen: frozenset[str]) -> tuple[Branch, ...]:
        return tuple(
            Branch(by_id[own], tuple(sorted(members)), below(own, seen | {own}))
            for (above, own), members in sorted(ids.items(), key=lambda entry: entry[0][1])
            if above == parent and own in by_id and own not in seen
        )

    return below(None, frozenset())
