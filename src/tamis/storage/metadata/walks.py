"""Walks over the documents of collections that are under way."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.principal import Principal
from tamis.model.walk import Walk
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.walk_tables import walks

_CODEC = Codec(Walk)

_c = walks.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_this = and_(_mine, _c.task_id == bindparam("identifier"))
_OLDEST = (_c.created_at, _c.task_id)

_INSERT = insert(walks).on_conflict_do_nothing()
_GET = select(_c.body).where(_this)
_OF_COLLECTION = select(_c.body).where(_mine, _c.collection_id == bindparam("of_collection")).order_by(*_OLDEST)
_REPLACE = update(walks).where(_this).values(body=bindparam("new_body"))
_DELETE = delete(walks).where(_this)
_UNFINISHED = select(_c.organization_id, _c.namespace_id, _c.body).order_by(*_OLDEST)


class SqlWalks:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, walk: Walk) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "task_id": walk.task_id,
            "collection_id": walk.collection_id,
            "created_at": to_micros(walk.created_at),
            "body": _CODEC.encode(walk),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the walk {walk.task_id!r} exists already")

    def get(self, principal: Principal, task_id: str) -> Walk | None:
        body = self._link.value(_GET, _of(principal, task_id))
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal, collection_id: str) -> Sequence[Walk]:
        """Of a collection, oldest first."""
        rows = self._link.rows(_OF_COLLECTION, {**scope(principal), "of_collection": collection_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def replace(self, principal: Principal, walk: Walk) -> None:
        """Raises: NotFoundError."""
        if self._link.run(_REPLACE, {**_of(principal, walk.task_id), "new_body": _CODEC.encode(walk)}) == 0:
            raise NotFoundError.of("walk", walk.task_id)

    def delete(self, principal: Principal, task_id: str) -> bool:
        return self._link.run(_DELETE, _of(principal, task_id)) > 0

    def unfinished(self) -> Sequence[tuple[Principal, Walk]]:
        """Of every tenant, oldest first."""
        rows = self._link.rows(_UNFINISHED, {})
        return [(Principal(organization, namespace), _CODEC.decode(body)) for organization, namespace, body in rows]


def _of(principal: Principal, task_id: str) -> dict[str, Any]:
    return {**scope(principal), "identifier": task_id}
