"""API keys: made once, shown once, kept as hashes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, ConflictError, NotFoundError, ValidationError
from tamis.model.client_token import verification_key
from tamis.model.ids import new_id
from tamis.model.organization import ROLE_PERMISSIONS, ApiKey, User
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key, new_secret, visible_prefix
from tamis.services.access.key_scopes import resolve_scopes
from tamis.services.access.users import find_user
from tamis.services.naming import check_name

LONGEST_GRACE_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Created:
    """A key and, this once, the secret itself."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """permissions: empty means read and write."""

    name: str
    permissions: tuple[Permission, ...] = ()
    description: str = ""
    expires_at: datetime | None = None
    scopes: tuple[dict[str, Any], ...] = ()
    rate_limit_override: int | None = None


class KeyService:
    """forget: called after every change, so that no gate remembers what no longer holds."""

    def __init__(self, metadata: Metadata, forget: Callable[[], None]) -> None:
        self._metadata = metadata
        self._forget = forget

    async def create(self, principal: Principal, draft: KeyDraft, email: str | None = None) -> Created:
        """A new key of the user (the organisation's first where none is named).

        Raises: NotFoundError (user), AlreadyExistsError (an active key of that name), ValidationError.
        """
        now = datetime.now(UTC)
        check_name(draft.name, ["body", "name"])
        _check(draft.expires_at, now)

        def write(session: Session) -> Created:
            user = find_user(session, principal, email)
            _check_role(user, draft.permissions)
            scoped = replace(draft, scopes=resolve_scopes(session, principal, draft.scopes))
            if find_key(session, principal, draft.name, user, active_at=now) is not None:
                raise AlreadyExistsError(f"an active key named {draft.name!r} exists", name=draft.name)
            created = make_key(user, scoped, new_secret(), now, principal.user_id or user.user_id)
            session.keys.insert(principal, created.key)
            return created

        return await self._metadata.write(write)

    async def list(
        self, principal: Principal, email: str | None = None, include_revoked: bool = False
    ) -> Sequence[ApiKey]:
        """Keys of one user, or of all, newest first. Raises: NotFoundError (user)."""

        def read(session: Session) -> list[ApiKey]:
            user = find_user(session, principal, email) if email else None
            keys = sorted(session.keys.list(principal), key=lambda key: (key.created_at, key.key_id), reverse=True)
            mine = [key for key in keys if user is None or key.user_id == user.user_id]
            used = session.usage.last_used(principal)
            return [
                replace(key, last_used_at=used.get(key.key_id, key.last_used_at))
                for key in mine
                if include_revoked or key.revoked_at is None
            ]

        return await self._metadata.read(read)

    async def update(
        self, principal: Principal, identifier: str, changes: dict[str, Any], email: str | None = None
    ) -> ApiKey:
        """Change an active key. changes: fields of ApiKey by name.

        Raises: NotFoundError, AlreadyExistsError (name), ConflictError (revoked), ValidationError.
        """
        now = datetime.now(UTC)
        if "name" in changes:
            check_name(changes["name"], ["body", "name"])
        _check(changes.get("expires_at"), now)

        def write(session: Session) -> ApiKey:
            user = find_user(session, principal, email) if email else None
            key = _require(session, principal, identifier, user, now)
            if key.revoked_at is not None:
                raise ConflictError(f"the key {key.name!r} is revoked and stays so; create another")
            name = changes.get("name", key.name)
            if name != key.name and find_key(session, principal, name, user, active_at=now) is not None:
                raise AlreadyExistsError(f"an active key named {name!r} exists", name=name)
            _check_role(_owner(session, principal, key), changes.get("permissions", ()))
            scopes = resolve_scopes(session, principal, changes["scopes"]) if "scopes" in changes else key.scopes
            return _store(session, principal, replace(key, **{**changes, "scopes": scopes}))

        return self._forgetting(await self._metadata.write(write))

    async def revoke(self, principal: Principal, identifier: str, email: str | None = None) -> ApiKey:
        """From now on the key opens nothing; revoking it again changes nothing. Raises: NotFoundError."""
        now = datetime.now(UTC)

        def write(session: Session) -> ApiKey:
            user = find_user(session, principal, email) if email else None
            key = _require(session, principal, identifier, user, now)
            return (
                key
                if key.revoked_at is not None
                else _store(session, principal, key.revoked(principal.user_id or key.user_id, now))
            )

        return self._forgetting(await self._metadata.write(write))

    async def rotate(
        self, principal: Principal, identifier: str, email: str | None = None, grace_s: int = 0
    ) -> Created:
        """Another secret for the same key; the old one goes on opening what it did for `grace_s` seconds.

        Only the last one does: a second rotation ends the grace of the first.
        Raises: NotFoundError, ConflictError (revoked).
        """
        now = datetime.now(UTC)
        secret = new_secret()

        def write(session: Session) -> ApiKey:
            user = find_user(session, principal, email) if email else None
            key = _require(session, principal, identifier, user, now)
            if key.revoked_at is not None:
                raise ConflictError(f"the key {key.name!r} is revoked and cannot be rotated; create another")
            fresh = replace(
                key,
                key_hash=hash_key(secret),
                prefix=visible_prefix(secret),
                token_key=verification_key(secret),
                previous_token_key=key.token_key if grace_s else None,
                previous_hash=key.key_hash if grace_s else None,
                previous_until=now + timedelta(seconds=grace_s) if grace_s else None,
            )
            return _store(session, principal, fresh)

        return Created(self._forgetting(await self._metadata.write(write)), secret)

    def _forgetting(self, key: ApiKey) -> ApiKey:
        self._forget()
        return key


def make_key(user: User, draft: KeyDraft, secret: str, now: datetime, created_by: str) -> Created:
    key = ApiKey(
        key_id=new_id("key"),
        organization_id=user.organization_id,
        user_id=user.user_id,
        name=draft.name,
        key_hash=hash_key(secret),
        token_key=verification_key(secret),
        prefix=visible_prefix(secret),
        permissions=draft.permissions or _usual_permissions(user),
        created_at=now,
        description=draft.description,
        expires_at=draft.expires_at,
        created_by=created_by,
        rate_limit_override=draft.rate_limit_override,
        scopes=draft.scopes,
    )
    return Created(key, secret)


def _usual_permissions(user: User) -> tuple[Permission, ...]:
    usual = (Permission.READ, Permission.WRITE)
    return tuple(permission for permission in usual if permission in ROLE_PERMISSIONS[user.role])


def _check_role(user: User, permissions: Sequence[Permission]) -> None:
    """Raises: ValidationError: a key never does more than its user may, so it does not say so either."""
    beyond = [str(permission) for permission in permissions if permission not in ROLE_PERMISSIONS[user.role]]
    if beyond:
        message = f"the user {user.email} is a {user.role} and may not {' or '.join(beyond)}"
        raise ValidationError.at(["body", "permissions"], message)


def _owner(session: Session, principal: Principal, key: ApiKey) -> User:
    found = [user for user in session.organizations.users(principal) if user.user_id == key.user_id]
    if not found:
        raise NotFoundError.of("user", key.user_id)
    return found[0]


def _check(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise ValidationError.at(["body", "expires_at"], "a moment in the future")


def find_key(
    session: Session, principal: Principal, identifier: str, user: User | None, active_at: datetime | None = None
) -> ApiKey | None:
    """By id or name; of several with one name an active one, else the newest."""
    keys = [
        key
        for key in session.keys.list(principal)
        if identifier in (key.key_id, key.name)
        and (user is None or key.user_id == user.user_id)
        and (active_at is None or key.status(active_at) == "active")
    ]
    return max(keys, key=lambda key: (key.revoked_at is None, key.created_at), default=None)


def _require(session: Session, principal: Principal, identifier: str, user: User | None, now: datetime) -> ApiKey:
    key = find_key(session, principal, identifier, user, active_at=now) or find_key(
        session, principal, identifier, user
    )
    if key is None:
        raise NotFoundError.of("API key", identifier)
    return key


def _store(session: Session, principal: Principal, key: ApiKey) -> ApiKey:
    session.keys.replace(principal, key)
    return key
