"""Secrets as they are kept: sealed."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.stored_secret import StoredSecret
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import secrets

_CODEC = Codec(StoredSecret)
_c = secrets.c
_mine = _c.organization_id == bindparam("organization_id")
_one = (_mine, _c.name == bindparam("name"))

_new = insert(secrets)
_PUT = _new.on_conflict_do_update(index_elements=list(secrets.primary_key), set_={"body": _new.excluded.body})
_GET = select(_c.body).where(*_one)
_LIST = select(_c.body).where(_mine).order_by(_c.name)
_DELETE = delete(secrets).where(*_one)
_EVERYONES = select(_c.organization_id, _c.body).order_by(_c.organization_id, _c.name)


class SqlSecrets:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def put(self, principal: Principal, secret: StoredSecret) -> None:
        """Under its name, in place of one that is there."""
        before = self.get(principal, secret.name)
        values = {**_named(principal, secret.name), "body": _CODEC.encode(secret)}
        self._link.run(_PUT, values)
        # A new value is a change though nothing that may be shown differs.
        shown = None if before is None or before.sealed != secret.sealed else before
        what = "" if before is None else "updated"
        self._audit.changed(principal, "secret", secret.name, shown, secret, what)

    def get(self, principal: Principal, name: str) -> StoredSecret | None:
        body = self._link.value(_GET, _named(principal, name))
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal) -> Sequence[StoredSecret]:
        rows = self._link.rows(_LIST, {"organization_id": principal.organization_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def delete(self, principal: Principal, name: str) -> bool:
        before = self.get(principal, name)
        if before is None:
            return False
        self._link.run(_DELETE, _named(principal, name))
        self._audit.changed(principal, "secret", name, before, None)
        return True

    def everyones(self) -> Sequence[tuple[Principal, StoredSecret]]:
        return [
            (Principal(organization), _CODEC.decode(body)) for organization, body in self._link.rows(_EVERYONES, {})
        ]


def _named(principal: Principal, name: str) -> dict[str, str]:
    return {"organization_id": principal.organization_id, "name": name}
