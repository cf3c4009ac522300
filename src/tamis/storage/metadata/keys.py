"""API keys: found by the hash of their secret, and for a while by that of the one before."""

from collections.abc import Sequence

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.organization import ApiKey, Holder, Organization, User
from tamis.model.principal import Principal
from tamis.storage.metadata import schema
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link

_ORGANIZATION, _USER, _KEY = Codec(Organization), Codec(User), Codec(ApiKey)
_orgs, _users, _keys, _rotated = schema.organizations, schema.users, schema.api_keys, schema.rotated_keys


def _mine(table: Table) -> ColumnElement[bool]:
    return table.c.organization_id == bindparam("organization")


_GET_USER = select(_users.c.body).where(_mine(_users), _users.c.user_id == bindparam("user_id"))
_INSERT_KEY = insert(_keys).on_conflict_do_nothing()
_FIND_KEY = (
    select(_keys.c.body, _orgs.c.body)
    .join_from(_keys, _orgs, _keys.c.organization_id == _orgs.c.organization_id)
    .where(_keys.c.key_hash == bindparam("key_hash"))
)
_FIND_ROTATED = (
    select(_keys.c.body, _orgs.c.body)
    .join_from(
        _rotated, _keys, (_rotated.c.organization_id == _keys.c.organization_id) & (_rotated.c.key_id == _keys.c.key_id)
    )
    .join(_orgs, _keys.c.organization_id == _orgs.c.organization_id)
    .where(_rotated.c.key_hash == bindparam("key_hash"))
)
_KEEP_ROTATED = insert(_rotated)
_FORGET_ROTATED = delete(_rotated).where(_mine(_rotated), _rotated.c.key_id == bindparam("identifier"))
_GET_KEY = select(_keys.c.body).where(_mine(_keys), _keys.c.key_id == bindparam("identifier"))
_KEYS = select(_keys.c.body).where(_mine(_keys)).order_by(_keys.c.created_at.desc(), _keys.c.key_id)
_REPLACE_KEY = (
    update(_keys)
    .where(_mine(_keys), _keys.c.key_id == bindparam("identifier"))
    .values(key_hash=bindparam("new_hash"), body=bindparam("new_body"))
)


class SqlKeys:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, key: ApiKey) -> None:
        """Raises: AlreadyExistsError where the id or the hash is taken."""
        values = {
            "organization_id": principal.organization_id,
            "key_id": key.key_id,
            "key_hash": key.key_hash,
            "created_at": to_micros(key.created_at),
            "body": _KEY.encode(key),
        }
        if self._link.run(_INSERT_KEY, values) == 0:
            raise AlreadyExistsError(f"the key {key.name!r} exists already", name=key.name)
        self._audit.changed(principal, "api key", key.key_id, None, key)

    def find_hash(self, key_hash: str) -> Holder | None:
        """The one look-up without a Principal: it is how a Principal is made."""
        hashed = {"key_hash": key_hash}
        row = self._link.row(_FIND_KEY, hashed) or self._link.row(_FIND_ROTATED, hashed)
        if row is None:
            return None
        key = _KEY.decode(row[0])
        user = self._link.value(_GET_USER, {"organization": key.organization_id, "user_id": key.user_id})
        return Holder(key, _ORGANIZATION.decode(row[1]), None if user is None else _USER.decode(user))

    def list(self, principal: Principal) -> Sequence[ApiKey]:
        """Newest first."""
        return [_KEY.decode(body) for (body,) in self._link.rows(_KEYS, {"organization": principal.organization_id})]

    def replace(self, principal: Principal, key: ApiKey) -> None:
        """Its former secret is found too, as long as the key names one. Raises: NotFoundError."""
        identity = {"organization": principal.organization_id, "identifier": key.key_id}
        body = self._link.value(_GET_KEY, identity)
        if body is None:
            raise NotFoundError.of("key", key.key_id)
        before = _KEY.decode(body)
        self._link.run(_REPLACE_KEY, {**identity, "new_hash": key.key_hash, "new_body": _KEY.encode(key)})
        if key.previous_hash != before.previous_hash:
            self._link.run(_FORGET_ROTATED, identity)
            if key.previous_hash is not None:
                values = {
                    "organization_id": principal.organization_id,
                    "key_id": key.key_id,
                    "key_hash": key.previous_hash,
                }
                self._link.run(_KEEP_ROTATED, values)
        self._audit.changed(principal, "api key", key.key_id, before, key, _what_changed(before, key))


def _what_changed(before: ApiKey, after: ApiKey) -> str:
    """The most telling of the contract's actions."""
    if before.key_hash != after.key_hash:
        return "rotated"
    if before.revoked_at is None and after.revoked_at is not None:
        return "revoked"
    if before.permissions != after.permissions:
        return "permission_updated"
    return "api_key_scope_updated" if before.scopes != after.scopes else "updated"
