"""The outbox between the system of record and the index."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, func, insert, select

from tamis.engine.ports.metadata import IndexWork
from tamis.model.principal import Principal
from tamis.storage.metadata.link import Link, Row, scope
from tamis.storage.metadata.schema import index_queue

_c = index_queue.c
_of_collection = and_(
    _c.organization_id == bindparam("organization_id"),
    _c.namespace_id == bindparam("namespace_id"),
    _c.collection_id == bindparam("of_collection"),
)
_WORK = (_c.sequence, _c.organization_id, _c.namespace_id, _c.collection_id, _c.document_id, _c.is_delete)

_ADD = insert(index_queue).values(
    {name: bindparam(name) for name in ("organization_id", "namespace_id", "collection_id", "document_id", "is_delete")}
)
_PENDING = select(*_WORK).order_by(_c.sequence).limit(bindparam("limit"))
_PENDING_IN = select(*_WORK).where(_of_collection).order_by(_c.sequence).limit(bindparam("limit"))
_COUNT = select(func.count()).select_from(index_queue).where(_of_collection)
_ACKNOWLEDGE = delete(index_queue).where(_of_collection, _c.sequence == bindparam("done"))


class SqlIndexQueue:
    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, principal: Principal, collection_id: str, document_ids: Sequence[str], *, delete: bool) -> None:
        """Queue the index's part of a write, within the write's own transaction."""
        work = {**scope(principal), "collection_id": collection_id, "is_delete": int(delete)}
        self._link.run_many(_ADD, [{**work, "document_id": document_id} for document_id in document_ids])

    def pending(self, limit: int) -> Sequence[IndexWork]:
        """Of every tenant, oldest first."""
        return [_work(row) for row in self._link.rows(_PENDING, {"limit": limit})]

    def pending_in(self, principal: Principal, collection_id: str, limit: int) -> Sequence[IndexWork]:
        """Of one collection, oldest first."""
        bounds = {**scope(principal), "of_collection": collection_id}
        whose = Principal(principal.organization_id, principal.namespace_id)
        rows = self._link.rows(_PENDING_IN, {**bounds, "limit": limit})
        return [IndexWork(row[0], whose, collection_id, row[4], bool(row[5])) for row in rows]

    def pending_for(self, principal: Principal, collection_id: str) -> int:
        return int(self._link.value(_COUNT, {**scope(principal), "of_collection": collection_id}))

    def acknowledge(self, principal: Principal, collection_id: str, sequences: Sequence[int]) -> None:
        """Drop exactly these; work that came later for the same document stays."""
        bounds = {**scope(principal), "of_collection": collection_id}
        self._link.run_many(_ACKNOWLEDGE, [{**bounds, "done": sequence} for sequence in sequences])


def _work(row: Row) -> IndexWork:
    sequence, organization_id, namespace_id, collection_id, document_id, is_delete = row
    return IndexWork(sequence, Principal(organization_id, namespace_id), collection_id, document_id, bool(is_delete))
