"""Published retrievers: one for a retriever, each under a name that is unique in the server."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.principal import Principal
from tamis.model.published import PublishedRetriever
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import published

_CODEC = Codec(PublishedRetriever)
_c = published.c
_organization = _c.organization_id == bindparam("organization_id")
_mine = (_organization, _c.namespace_id == bindparam("namespace_id"))

_INSERT = insert(published).on_conflict_do_nothing()
_BY_RETRIEVER = select(_c.body).where(*_mine, _c.retriever_id == bindparam("retriever_id"))
_LIST = select(_c.body).where(*_mine).order_by(_c.created_at.desc(), _c.public_id)
_COUNT = select(func.count()).select_from(published).where(_organization)
_REPLACE = (
    update(published)
    .where(*_mine, _c.public_id == bindparam("identifier"))
    .values(is_active=bindparam("active"), body=bindparam("new_body"))
)
_DELETE = delete(published).where(*_mine, _c.retriever_id == bindparam("retriever_id"))
_FIND = select(_c.organization_id, _c.namespace_id, _c.body).where(_c.name == bindparam("name"))
_ACTIVE = select(_c.body).where(_c.is_active == 1).order_by(_c.created_at.desc(), _c.public_id)


class SqlPublished:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, one: PublishedRetriever) -> None:
        """Raises: AlreadyExistsError where the name is taken, or the retriever is published already."""
        values = {
            **scope(principal),
            "public_id": one.public_id,
            "retriever_id": one.retriever_id,
            "name": one.name,
            "is_active": int(one.is_active),
            "created_at": to_micros(one.created_at),
            "body": _CODEC.encode(one),
        }
        if self._link.run(_INSERT, values) == 0:
            if self.of_retriever(principal, one.retriever_id) is not None:
                raise AlreadyExistsError("this retriever is published already; change that, or unpublish it first")
            raise AlreadyExistsError(f"the public name {one.name!r} is taken; choose another", name=one.name)
        self._audit.changed(principal, "published retriever", one.public_id, None, one)

    def of_retriever(self, principal: Principal, retriever_id: str) -> PublishedRetriever | None:
        body = self._link.value(_BY_RETRIEVER, {**scope(principal), "retriever_id": retriever_id})
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal) -> Sequence[PublishedRetriever]:
        """Of the namespace, newest first."""
        return [_CODEC.decode(body) for (body,) in self._link.rows(_LIST, scope(principal))]

    def count(self, principal: Principal) -> int:
        """In all namespaces of the organisation."""
        return int(self._link.value(_COUNT, {"organization_id": principal.organization_id}))

    def replace(self, principal: Principal, one: PublishedRetriever) -> None:
        """Its name and its retriever stay. Raises: NotFoundError."""
        values: dict[str, Any] = {
            **scope(principal),
            "identifier": one.public_id,
            "active": int(one.is_active),
            "new_body": _CODEC.encode(one),
        }
        before = self.of_retriever(principal, one.retriever_id)
        if self._link.run(_REPLACE, values) == 0:
            raise NotFoundError.of("published retriever", one.public_id)
        self._audit.changed(principal, "published retriever", one.public_id, before, one)

    def delete(self, principal: Principal, retriever_id: str) -> bool:
        before = self.of_retriever(principal, retriever_id)
        if before is None:
            return False
        self._link.run(_DELETE, {**scope(principal), "retriever_id": retriever_id})
        self._audit.changed(principal, "published retriever", before.public_id, before, None)
        return True

    def find(self, name: str) -> tuple[Principal, PublishedRetriever] | None:
        """The look-up that a visitor begins with: it is how his Principal, which has no permission yet, is made."""
        row = self._link.row(_FIND, {"name": name})
        return None if row is None else (Principal(row[0], row[1]), _CODEC.decode(row[2]))

    def active(self) -> Sequence[PublishedRetriever]:
        """Of every tenant, newest first: what the server shows to the public."""
        return [_CODEC.decode(body) for (body,) in self._link.rows(_ACTIVE, {})]
