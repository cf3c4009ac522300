"""Documents and collections as they were before they were replaced or deleted.

A state's key is its id and revision as one text, so that a look-up of many reads no other state of the same documents.
States move within the database: however many documents a collection has, none of them passes through Python.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Select, and_, bindparam, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import INTEGER, TEXT, collections, documents, execution_counts, history
from tamis.storage.metadata.spans import DAY_S

T = TypeVar("T", Document, Collection)

_DOCUMENTS: Codec[Document] = Codec(Document)
_COLLECTIONS: Codec[Collection] = Codec(Collection)
_DOCUMENT, _COLLECTION = "document", "collection"

_c, _d = history.c, documents.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_inside = and_(
    _d.organization_id == bindparam("organization_id"),
    _d.namespace_id == bindparam("namespace_id"),
    _d.collection_id == bindparam("of_collection"),
)


class _key_of(ColumnElement[str]):  # noqa: N801 - reads as the SQL expression that it is
    """`<document id>:<revision>` of a row of documents."""

    inherit_cache = True
    type = TEXT


@compiles(_key_of, "sqlite")
def _key_in_sqlite(_element: _key_of, _compiler: SQLCompiler, **_options: Any) -> str:
    return "documents.document_id || ':' || json_extract(documents.body, '$.revision')"


@compiles(_key_of, "postgresql")
def _key_in_postgres(_element: _key_of, _compiler: SQLCompiler, **_options: Any) -> str:
    return "documents.document_id || ':' || (documents.body::json ->> 'revision')"


_STATE: Select[Any] = select(
    _d.organization_id,
    _d.namespace_id,
    literal(_DOCUMENT, TEXT),
    _key_of(),
    bindparam("replaced_at", type_=INTEGER),
    _d.body,
).where(_inside)
_COLUMNS = ("organization_id", "namespace_id", "kind", "version", "replaced_at", "body")
_KEEP = insert(history).from_select(_COLUMNS, _STATE.where(one_of(_d.document_id, "ids"))).on_conflict_do_nothing()
_KEEP_ALL = insert(history).from_select(_COLUMNS, _STATE).on_conflict_do_nothing()
_PUT = insert(history).on_conflict_do_nothing()
_GET = select(_c.version, _c.body).where(_mine, _c.kind == bindparam("kind"), one_of(_c.version, "versions"))
_OLDEST = (
    select(_c.kind, _c.version)
    .where(_mine, _c.replaced_at < bindparam("before"))
    .order_by(_c.replaced_at)
    .limit(bindparam("limit"))
)
# The day of the oldest record: from the counters, which are few, where the records are not.
_OLDEST_DAY = select(func.min(execution_counts.c.start_at)).where(
    execution_counts.c.span_s == DAY_S,
    execution_counts.c.organization_id == bindparam("organization_id"),
    execution_counts.c.namespace_id == bindparam("namespace_id"),
    execution_counts.c["count"] > 0,
)
_FORGET = delete(history).where(_mine, _c.kind == bindparam("kind"), one_of(_c.version, "versions"))
_CURRENT = select(_d.body).where(
    _d.organization_id == bindparam("organization_id"),
    _d.namespace_id == bindparam("namespace_id"),
    one_of(_d.document_id, "ids"),
)
_CURRENT_COLLECTIONS = select(collections.c.body, collections.c.revision).where(
    collections.c.organization_id == bindparam("organization_id"),
    collections.c.namespace_id == bindparam("namespace_id"),
    one_of(collections.c.collection_id, "ids"),
)


class SqlHistory:
    def __init__(self, link: Link, settle: Callable[[], None]) -> None:
        """settle: called before counters of executions are read, so that nothing waits to be counted."""
        self._link = link
        self._settle = settle

    def keep(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
        """The present state of those of the documents that there are: a write is about to end it."""
        if document_ids:
            self._link.run(_KEEP, {**_leaving(principal, collection_id), "ids": self._link.array(document_ids)})

    def keep_all(self, principal: Principal, collection_id: str) -> None:
        """Cost: O(documents of the collection), in the database alone."""
        self._link.run(_KEEP_ALL, _leaving(principal, collection_id))

    def keep_collection(self, principal: Principal, collection: Collection) -> None:
        values = {
            **scope(principal),
            "kind": _COLLECTION,
            "version": _key(collection.collection_id, collection.version),
            "replaced_at": to_micros(datetime.now(UTC)),
            "body": _COLLECTIONS.encode(collection),
        }
        self._link.run(_PUT, values)

    def documents(
        self, principal: Principal, versions: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Document]:
        """By (document id, revision), each state that is still known, be it today's or an earlier one."""
        rows = self._link.rows(_CURRENT, {**scope(principal), "ids": self._ids(versions)})
        current = [_DOCUMENTS.decode(body) for (body,) in rows]
        found = {(one.document_id, one.revision): one for one in current}
        earlier = self._earlier(principal, _DOCUMENT, _DOCUMENTS, [one for one in versions if one not in found])
        wanted = set(versions)
        return {**{key: one for key, one in found.items() if key in wanted}, **earlier}

    def collections(
        self, principal: Principal, versions: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Collection]:
        """By (collection id, version), each state that is still known, be it today's or an earlier one."""
        rows = self._link.rows(_CURRENT_COLLECTIONS, {**scope(principal), "ids": self._ids(versions)})
        current = [_COLLECTIONS.decode(body) for body, _ in rows]
        found = {(one.collection_id, one.version): one for one in current}
        earlier = self._earlier(principal, _COLLECTION, _COLLECTIONS, [one for one in versions if one not in found])
        wanted = set(versions)
        return {**{key: one for key, one in found.items() if key in wanted}, **earlier}

    def forget(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete, of what was replaced before then and before the oldest record that is kept began, at most `limit`
        states, the oldest first; how many there were.
        """
        mine = scope(principal)
        if not self._link.rows(_OLDEST, {**mine, "before": to_micros(before), "limit": 1}):
            return 0
        self._settle()
        first = self._link.value(_OLDEST_DAY, mine)
        bound = to_micros(before) if first is None else min(to_micros(before), int(first))
        rows = self._link.rows(_OLDEST, {**mine, "before": bound, "limit": limit})
        for kind in (_DOCUMENT, _COLLECTION):
            versions = [version for of_kind, version in rows if of_kind == kind]
            if versions:
                bounds = {**scope(principal), "kind": kind, "versions": self._link.array(versions)}
                self._link.run(_FORGET, bounds)
        return len(rows)

    def _earlier(
        self, principal: Principal, kind: str, codec: Codec[T], versions: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], T]:
        if not versions:
            return {}
        keys = {_key(*one): one for one in versions}
        bounds = {**scope(principal), "kind": kind, "versions": self._link.array(list(keys))}
        return {keys[version]: codec.decode(body) for version, body in self._link.rows(_GET, bounds)}

    def _ids(self, versions: Sequence[tuple[str, int]]) -> Any:
        return self._link.array(list({one for one, _ in versions}))


def _key(identifier: str, version: int) -> str:
    return f"{identifier}:{version}"


def _leaving(principal: Principal, collection_id: str) -> dict[str, Any]:
    return {**scope(principal), "of_collection": collection_id, "replaced_at": to_micros(datetime.now(UTC))}
