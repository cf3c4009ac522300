"""Ways into storages of others, as they are kept: what opens them sealed."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import and_, bindparam, delete, insert, select, update

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.principal import Principal
from tamis.model.storage_connection import StorageConnection
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.sync_tables import storage_connections

_CODEC = Codec(StorageConnection)
_LABEL = "connection"
_t = storage_connections.c
_mine = _t.organization_id == bindparam("organization_id")
_this = and_(_mine, _t.connection_id == bindparam("identifier"))

_INSERT = insert(storage_connections)
_GET = select(_t.body).where(_this)
_BY_NAME = select(_t.body).where(_mine, _t.name == bindparam("identifier"))
_LIST = select(_t.body).where(_mine).order_by(_t.created_at.desc(), _t.connection_id.desc())
_REPLACE = update(storage_connections).where(_this).values(name=bindparam("new_name"), body=bindparam("new_body"))
_DELETE = delete(storage_connections).where(_this)
_EVERYONES = select(_t.organization_id, _t.body).order_by(_t.organization_id, _t.connection_id)


class SqlStorageConnections:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, connection: StorageConnection) -> None:
        if self.get(principal, connection.name) is not None:
            raise _taken(connection)
        values = {
            "organization_id": principal.organization_id,
            "connection_id": connection.connection_id,
            "name": connection.name,
            "created_at": to_micros(connection.created_at),
            "body": _CODEC.encode(connection),
        }
        self._link.run(_INSERT, values)
        self._audit.changed(principal, _LABEL, connection.connection_id, None, connection)

    def get(self, principal: Principal, identifier: str) -> StorageConnection | None:
        of = _of(principal, identifier)
        body = self._link.value(_GET, of) or self._link.value(_BY_NAME, of)
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal) -> Sequence[StorageConnection]:
        rows = self._link.rows(_LIST, {"organization_id": principal.organization_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def replace(self, principal: Principal, connection: StorageConnection) -> None:
        before = self.get(principal, connection.connection_id)
        if before is None:
            raise NotFoundError.of(_LABEL, connection.connection_id)
        holder = self.get(principal, connection.name)
        if holder is not None and holder.connection_id != connection.connection_id:
            raise _taken(connection)
        state = {"new_name": connection.name, "new_body": _CODEC.encode(connection)}
        self._link.run(_REPLACE, {**_of(principal, connection.connection_id), **state})
        # How attempts to get in went is no change of it.
        like = replace(
            before, last_error=connection.last_error, last_used_at=connection.last_used_at, failures=connection.failures
        )
        if like != connection:
            self._audit.changed(principal, _LABEL, connection.connection_id, before, connection)

    def delete(self, principal: Principal, connection_id: str) -> bool:
        before = self.get(principal, connection_id)
        if before is None:
            return False
        self._link.run(_DELETE, _of(principal, before.connection_id))
        self._audit.changed(principal, _LABEL, before.connection_id, before, None)
        return True

    def everyones(self) -> Sequence[tuple[Principal, StorageConnection]]:
        rows = self._link.rows(_EVERYONES, {})
        return [(Principal(organization), _CODEC.decode(body)) for organization, body in rows]


def _of(principal: Principal, identifier: str) -> dict[str, str]:
    return {"organization_id": principal.organization_id, "identifier": identifier}


def _taken(connection: StorageConnection) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"a connection named {connection.name!r} exists already", resource=_LABEL, name=connection.name
    )
