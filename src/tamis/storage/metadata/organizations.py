"""Organisations, their users and their keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.organization import ApiKey, Holder, Organization, User
from tamis.model.principal import Principal
from tamis.storage.metadata import schema
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link

_ORGANIZATION, _USER, _KEY = Codec(Organization), Codec(User), Codec(ApiKey)


def _mine(table: Table) -> ColumnElement[bool]:
    return table.c.organization_id == bindparam("organization")


_orgs, _users, _keys = schema.organizations, schema.users, schema.api_keys
_INSERT_ORGANIZATION = insert(_orgs).on_conflict_do_nothing()
_INSERT_USER = insert(_users).on_conflict_do_nothing()
_GET = select(_orgs.c.body).where(_mine(_orgs))
_REPLACE = update(_orgs).where(_mine(_orgs)).values(body=bindparam("new_body"))
_FIRST = select(_orgs.c.body).order_by(_orgs.c.created_at, _orgs.c.organization_id).limit(1)
_GET_USER = select(_users.c.body).where(_mine(_users), _users.c.user_id == bindparam("user_id"))
_REPLACE_USER = (
    update(_users).where(_mine(_users), _users.c.user_id == bindparam("user_id")).values(body=bindparam("new_body"))
)
_DELETE_USER = delete(_users).where(_mine(_users), _users.c.user_id == bindparam("user_id"))
_USERS = select(_users.c.body).where(_mine(_users)).order_by(_users.c.created_at, _users.c.user_id)

_INSERT_KEY = insert(_keys).on_conflict_do_nothing()
_FIND_KEY = (
    select(_keys.c.body, _orgs.c.body)
    .join_from(_keys, _orgs, _keys.c.organization_id == _orgs.c.organization_id)
    .where(_keys.c.key_hash == bindparam("key_hash"))
)
_KEYS = select(_keys.c.body).where(_mine(_keys)).order_by(_keys.c.created_at.desc(), _keys.c.key_id)
_REPLACE_KEY = (
    update(_keys)
    .where(_mine(_keys), _keys.c.key_id == bindparam("identifier"))
    .values(key_hash=bindparam("new_hash"), body=bindparam("new_body"))
)


def _user_row(organization_id: str, user: User) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "user_id": user.user_id,
        "created_at": to_micros(user.created_at),
        "body": _USER.encode(user),
    }


class SqlOrganizations:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, organization: Organization, user: User) -> None:
        """Raises: AlreadyExistsError where the id is taken."""
        values = {
            "organization_id": organization.organization_id,
            "created_at": to_micros(organization.created_at),
            "body": _ORGANIZATION.encode(organization),
        }
        if self._link.run(_INSERT_ORGANIZATION, values) == 0:
            raise AlreadyExistsError(f"the organisation {organization.organization_id!r} exists already")
        self._link.run(_INSERT_USER, _user_row(user.organization_id, user))

    def get(self, principal: Principal) -> Organization | None:
        body = self._link.value(_GET, {"organization": principal.organization_id})
        return None if body is None else _ORGANIZATION.decode(body)

    def replace(self, principal: Principal, organization: Organization) -> None:
        """Raises: NotFoundError."""
        values = {"organization": principal.organization_id, "new_body": _ORGANIZATION.encode(organization)}
        if organization.organization_id != principal.organization_id or self._link.run(_REPLACE, values) == 0:
            raise NotFoundError.of("organization", organization.organization_id)

    def users(self, principal: Principal) -> Sequence[User]:
        return [_USER.decode(body) for (body,) in self._link.rows(_USERS, {"organization": principal.organization_id})]

    def add_user(self, principal: Principal, user: User) -> None:
        """Raises: AlreadyExistsError where the id or the address, in whatever case, is taken."""
        taken = any(other.email.casefold() == user.email.casefold() for other in self.users(principal))
        if taken or self._link.run(_INSERT_USER, _user_row(principal.organization_id, user)) == 0:
            raise AlreadyExistsError(f"a user with the address {user.email!r} exists already", email=user.email)

    def replace_user(self, principal: Principal, user: User) -> None:
        """Raises: NotFoundError."""
        values = {"organization": principal.organization_id, "user_id": user.user_id, "new_body": _USER.encode(user)}
        if self._link.run(_REPLACE_USER, values) == 0:
            raise NotFoundError.of("user", user.email)

    def delete_user(self, principal: Principal, user_id: str) -> bool:
        return self._link.run(_DELETE_USER, {"organization": principal.organization_id, "user_id": user_id}) > 0

    def first(self) -> Organization | None:
        """The organisation that the first start made, if there has been one."""
        body = self._link.value(_FIRST, {})
        return None if body is None else _ORGANIZATION.decode(body)


class SqlKeys:
    def __init__(self, link: Link) -> None:
        self._link = link

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

    def find_hash(self, key_hash: str) -> Holder | None:
        """The one look-up without a Principal: it is how a Principal is made."""
        row = self._link.row(_FIND_KEY, {"key_hash": key_hash})
        if row is None:
            return None
        key = _KEY.decode(row[0])
        user = self._link.value(_GET_USER, {"organization": key.organization_id, "user_id": key.user_id})
        return Holder(key, _ORGANIZATION.decode(row[1]), None if user is None else _USER.decode(user))

    def list(self, principal: Principal) -> Sequence[ApiKey]:
        """Newest first."""
        return [_KEY.decode(body) for (body,) in self._link.rows(_KEYS, {"organization": principal.organization_id})]

    def replace(self, principal: Principal, key: ApiKey) -> None:
        """Raises: NotFoundError."""
        values = {
            "organization": principal.organization_id,
            "identifier": key.key_id,
            "new_hash": key.key_hash,
            "new_body": _KEY.encode(key),
        }
        if self._link.run(_REPLACE_KEY, values) == 0:
            raise NotFoundError.of("key", key.key_id)
