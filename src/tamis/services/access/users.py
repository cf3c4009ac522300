"""An organisation's users: who holds its keys, and the most that those may do."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.ids import derived_id
from tamis.model.json import JSON
from tamis.model.organization import User, UserRole, UserStatus
from tamis.model.principal import Principal
from tamis.services.json_values import check_json

_ADDRESS = re.compile(r"[^\s@/\\]{1,64}@[^\s@/\\]{1,255}")


@dataclass(frozen=True, slots=True)
class UserDraft:
    email: str
    name: str
    role: UserRole = UserRole.MEMBER
    avatar_url: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)


class UserService:
    """forget: called after every change, so that no gate remembers what no longer holds."""

    def __init__(self, metadata: Metadata, forget: Callable[[], None]) -> None:
        self._metadata = metadata
        self._forget = forget

    async def create(self, principal: Principal, draft: UserDraft) -> User:
        """Raises: ValidationError, AlreadyExistsError (the address, in whatever case)."""
        check_address(draft.email, ["body", "email"])
        check_json(draft.metadata, ["body", "metadata"])
        now = datetime.now(UTC)
        user = User(
            # Of the address, so that two who make the same user at once make one.
            user_id=derived_id("usr", principal.organization_id, draft.email.casefold()),
            organization_id=principal.organization_id,
            email=draft.email,
            created_at=now,
            name=draft.name,
            role=draft.role,
            updated_at=now,
            avatar_url=draft.avatar_url,
            metadata=draft.metadata,
        )
        await self._metadata.write(lambda session: session.organizations.add_user(principal, user))
        return user

    async def list(
        self, principal: Principal, role: UserRole | None = None, status: UserStatus | None = None
    ) -> Sequence[User]:
        """The oldest first."""
        every = await self._metadata.read(lambda session: session.organizations.users(principal))
        return [user for user in every if role in (None, user.role) and status in (None, user.status)]

    async def get(self, principal: Principal, email: str) -> User:
        """Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_user(session, principal, email))

    async def update(self, principal: Principal, email: str, changes: dict[str, Any]) -> User:
        """changes: fields of User by name. What a user's keys may do follows at once.

        Raises: NotFoundError, ValidationError, ConflictError where no active administrator would be left.
        """
        check_json(changes.get("metadata"), ["body", "metadata"])

        def write(session: Session) -> User:
            before = find_user(session, principal, email)
            after = replace(before, **changes, updated_at=datetime.now(UTC))
            _check_administrators(session, principal, before, after)
            session.organizations.replace_user(principal, after)
            return after

        changed = await self._metadata.write(write)
        self._forget()
        return changed

    async def delete(self, principal: Principal, email: str) -> User:
        """With the user every key of theirs is revoked. Raises: NotFoundError, ConflictError as `update`."""
        now = datetime.now(UTC)

        def write(session: Session) -> User:
            user = find_user(session, principal, email)
            _check_administrators(session, principal, user, None)
            for key in session.keys.list(principal):
                if key.user_id == user.user_id and key.revoked_at is None:
                    session.keys.replace(principal, key.revoked(principal.user_id or user.user_id, now))
            session.organizations.delete_user(principal, user.user_id)
            return user

        deleted = await self._metadata.write(write)
        self._forget()
        return deleted


def check_address(email: str, loc: list[str | int]) -> None:
    """Raises: ValidationError at `loc`."""
    if not _ADDRESS.fullmatch(email) or not email.isprintable():
        raise ValidationError.at(loc, "an e-mail address, as name@example.com")


def find_user(session: Session, principal: Principal, email: str | None) -> User:
    """By address in whatever case, or by id; the organisation's first where none is named. Raises: NotFoundError."""
    users = session.organizations.users(principal)
    asked = None if email is None else email.casefold()
    found = [user for user in users if asked in (None, user.email.casefold(), user.user_id)]
    if not found:
        raise NotFoundError.of("user", email or "")
    return min(found, key=lambda user: user.created_at)


def _check_administrators(session: Session, principal: Principal, before: User, after: User | None) -> None:
    users = [after if user.user_id == before.user_id else user for user in session.organizations.users(principal)]
    if _administers(before) and not any(user is not None and _administers(user) for user in users):
        raise ConflictError(f"{before.email} is the last active administrator; make another one first")


def _administers(user: User) -> bool:
    return user.role is UserRole.ADMIN and user.status is UserStatus.ACTIVE
