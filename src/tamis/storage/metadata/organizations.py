"""Organisations and their users."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.organization import Organization, User
from tamis.model.principal import Principal
from tamis.storage.metadata import schema
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link

_ORGANIZATION, _USER = Codec(Organization), Codec(User)


def _mine(table: Table) -> ColumnElement[bool]:
    return table.c.organization_id == bindparam("organization")


_orgs, _users = schema.organizations, schema.users
_INSERT_ORGANIZATION = insert(_orgs).on_conflict_do_nothing()
_INSERT_USER = insert(_users).on_conflict_do_nothing()
_GET = select(_orgs.c.body).where(_mine(_orgs))
_REPLACE = update(_orgs).where(_mine(_orgs)).values(body=bindparam("new_body"))
_EVERYONES = select(_orgs.c.body).order_by(_orgs.c.organization_id)
_FIRST = select(_orgs.c.body).order_by(_orgs.c.created_at, _orgs.c.organization_id).limit(1)
_GET_USER = select(_users.c.body).where(_mine(_users), _users.c.user_id == bindparam("user_id"))
_REPLACE_USER = (
    update(_users).where(_mine(_users), _users.c.user_id == bindparam("user_id")).values(body=bindparam("new_body"))
)
_DELETE_USER = delete(_users).where(_mine(_users), _users.c.user_id == bindparam("user_id"))
_USERS = select(_users.c.body).where(_mine(_users)).order_by(_users.c.created_at, _users.c.user_id)


def _user_row(organization_id: str, user: User) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "user_id": user.user_id,
        "created_at": to_micros(user.created_at),
        "body": _USER.encode(user),
    }


class SqlOrganizations:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

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
        here = Principal(organization.organization_id)
        self._audit.changed(here, "organization", organization.organization_id, None, organization)
        self._audit.changed(here, "user", user.user_id, None, user)

    def get(self, principal: Principal) -> Organization | None:
        body = self._link.value(_GET, {"organization": principal.organization_id})
        return None if body is None else _ORGANIZATION.decode(body)

    def replace(self, principal: Principal, organization: Organization) -> None:
        """Raises: NotFoundError."""
        values = {"organization": principal.organization_id, "new_body": _ORGANIZATION.encode(organization)}
        before = self.get(principal)
        if organization.organization_id != principal.organization_id or self._link.run(_REPLACE, values) == 0:
            raise NotFoundError.of("organization", organization.organization_id)
        self._audit.changed(principal, "organization", organization.organization_id, before, organization)

    def users(self, principal: Principal) -> Sequence[User]:
        return [_USER.decode(body) for (body,) in self._link.rows(_USERS, {"organization": principal.organization_id})]

    def add_user(self, principal: Principal, user: User) -> None:
        """Raises: AlreadyExistsError where the id or the address, in whatever case, is taken."""
        taken = any(other.email.casefold() == user.email.casefold() for other in self.users(principal))
        if taken or self._link.run(_INSERT_USER, _user_row(principal.organization_id, user)) == 0:
            raise AlreadyExistsError(f"a user with the address {user.email!r} exists already", email=user.email)
        self._audit.changed(principal, "user", user.user_id, None, user)

    def replace_user(self, principal: Principal, user: User) -> None:
        """Raises: NotFoundError."""
        values = {"organization": principal.organization_id, "user_id": user.user_id, "new_body": _USER.encode(user)}
        before = self._user(principal, user.user_id)
        if self._link.run(_REPLACE_USER, values) == 0:
            raise NotFoundError.of("user", user.email)
        self._audit.changed(principal, "user", user.user_id, before, user)

    def delete_user(self, principal: Principal, user_id: str) -> bool:
        before = self._user(principal, user_id)
        if before is None:
            return False
        self._link.run(_DELETE_USER, {"organization": principal.organization_id, "user_id": user_id})
        self._audit.changed(principal, "user", user_id, before, None)
        return True

    def _user(self, principal: Principal, user_id: str) -> User | None:
        body = self._link.value(_GET_USER, {"organization": principal.organization_id, "user_id": user_id})
        return None if body is None else _USER.decode(body)

    def everyones(self) -> Sequence[Organization]:
        """Of every tenant."""
        return [_ORGANIZATION.decode(body) for (body,) in self._link.rows(_EVERYONES, {})]

    def first(self) -> Organization | None:
        """The organisation that the first start made, if there has been one."""
        body = self._link.value(_FIRST, {})
        return None if body is None else _ORGANIZATION.decode(body)
