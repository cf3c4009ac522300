"""API keys: made once, shown once, kept as hashes; and the first start, which makes the first of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, ConflictError, NotBuiltError, NotFoundError, ValidationError
from tamis.model.client_token import verification_key
from tamis.model.ids import new_id
from tamis.model.namespace import ExtractorRef, Namespace
from tamis.model.organization import ROLE_PERMISSIONS, ApiKey, Organization, User
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key, new_secret, visible_prefix
from tamis.services.key_scopes import resolve_scopes
from tamis.services.naming import check_name

ADMIN_EMAIL = "admin@localhost"
ROOT_KEY_NAME = "root"
_SHORTEST_ROOT_KEY = 24


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

        Raises: NotFoundError (user), AlreadyExistsError (an active key of that name), ValidationError, NotBuiltError.
        """
        now = datetime.now(UTC)
        check_name(draft.name, ["body", "name"])
        _check(draft.rate_limit_override, draft.expires_at, now)

        def write(session: Session) -> Created:
            user = _user(session, principal, email)
            _check_role(user, draft.permissions)
            scoped = replace(draft, scopes=resolve_scopes(session, principal, draft.scopes))
            if _find(session, principal, draft.name, user, active_at=now) is not None:
                raise AlreadyExistsError(f"an active key named {draft.name!r} exists", name=draft.name)
            created = _make(user, scoped, new_secret(), now, principal.user_id or user.user_id)
            session.keys.insert(principal, created.key)
            return created

        return await self._metadata.write(write)

    async def list(
        self, principal: Principal, email: str | None = None, include_revoked: bool = False
    ) -> Sequence[ApiKey]:
        """Keys of one user, or of all, newest first. Raises: NotFoundError (user)."""

        def read(session: Session) -> list[ApiKey]:
            user = _user(session, principal, email) if email else None
            keys = sorted(session.keys.list(principal), key=lambda key: (key.created_at, key.key_id), reverse=True)
            mine = [key for key in keys if user is None or key.user_id == user.user_id]
            return [key for key in mine if include_revoked or key.revoked_at is None]

        return await self._metadata.read(read)

    async def update(
        self, principal: Principal, identifier: str, changes: dict[str, Any], email: str | None = None
    ) -> ApiKey:
        """Change an active key. changes: fields of ApiKey by name.

        Raises: NotFoundError, AlreadyExistsError (name), ConflictError (revoked), ValidationError, NotBuiltError.
        """
        now = datetime.now(UTC)
        if "name" in changes:
            check_name(changes["name"], ["body", "name"])
        _check(changes.get("rate_limit_override"), changes.get("expires_at"), now)

        def write(session: Session) -> ApiKey:
            user = _user(session, principal, email) if email else None
            key = _require(session, principal, identifier, user, now)
            if key.revoked_at is not None:
                raise ConflictError(f"the key {key.name!r} is revoked and stays so; create another")
            name = changes.get("name", key.name)
            if name != key.name and _find(session, principal, name, user, active_at=now) is not None:
                raise AlreadyExistsError(f"an active key named {name!r} exists", name=name)
            _check_role(_owner(session, principal, key), changes.get("permissions", ()))
            scopes = resolve_scopes(session, principal, changes["scopes"]) if "scopes" in changes else key.scopes
            return _store(session, principal, replace(key, **{**changes, "scopes": scopes}))

        return self._forgetting(await self._metadata.write(write))

    async def revoke(self, principal: Principal, identifier: str, email: str | None = None) -> ApiKey:
        """From now on the key opens nothing; revoking it again changes nothing. Raises: NotFoundError."""
        now = datetime.now(UTC)

        def write(session: Session) -> ApiKey:
            user = _user(session, principal, email) if email else None
            key = _require(session, principal, identifier, user, now)
            return key if key.revoked_at is not None else _store(session, principal, _revoked(key, principal, now))

        return self._forgetting(await self._metadata.write(write))

    async def rotate(self, principal: Principal, identifier: str, email: str | None = None) -> Created:
        """Another secret for the same key; the old one opens nothing any more.

        Raises: NotFoundError, ConflictError (revoked).
        """
        now = datetime.now(UTC)
        secret = new_secret()

        def write(session: Session) -> ApiKey:
            user = _user(session, principal, email) if email else None
            key = _require(session, principal, identifier, user, now)
            if key.revoked_at is not None:
                raise ConflictError(f"the key {key.name!r} is revoked and cannot be rotated; create another")
            fresh = replace(
                key,
                key_hash=hash_key(secret),
                prefix=visible_prefix(secret),
                last_used_at=None,
                token_key=verification_key(secret),
                previous_token_key=key.token_key,
            )
            return _store(session, principal, fresh)

        return Created(self._forgetting(await self._metadata.write(write)), secret)

    def _forgetting(self, key: ApiKey) -> ApiKey:
        self._forget()
        return key


async def bootstrap(
    metadata: Metadata, root_key: str | None = None, extractors: Sequence[ExtractorRef] = ()
) -> Created | None:
    """Make the first start's organisation, user, namespace `default` and admin key; None where they are there.

    root_key: the admin key to use. Where it changes from one start to the next, the new one replaces the old; one
    that was revoked stays so. extractors: those that the namespace `default` is open to.
    Raises: ValidationError where the root key is too short to be safe.
    """
    if root_key is not None and len(root_key) < _SHORTEST_ROOT_KEY:
        raise ValidationError(f"the root key has fewer than {_SHORTEST_ROOT_KEY} characters; take a longer one")
    return await metadata.write(lambda session: _bootstrap(session, root_key, extractors, datetime.now(UTC)))


def _bootstrap(
    session: Session, root_key: str | None, extractors: Sequence[ExtractorRef], now: datetime
) -> Created | None:
    organization = session.organizations.first()
    if organization is None:
        return _first_start(session, root_key or new_secret(), extractors, now)
    if root_key is None:
        return None
    known = session.keys.find_hash(hash_key(root_key))
    if known is not None:
        _let_sign(session, known.key, root_key)
        return None
    principal = Principal(organization.organization_id, permissions=frozenset({Permission.ADMIN}))
    user = _user(session, principal, None)
    old = _find(session, principal, ROOT_KEY_NAME, user, active_at=now)
    if old is not None:
        _store(session, principal, _revoked(old, principal, now))
    created = _make(user, KeyDraft(ROOT_KEY_NAME, (Permission.ADMIN,)), root_key, now, user.user_id)
    session.keys.insert(principal, created.key)
    return created


def _let_sign(session: Session, key: ApiKey, secret: str) -> None:
    """A key from before there were client tokens may sign them once its secret is seen again."""
    if key.token_key is None and key.key_hash == hash_key(secret):
        session.keys.replace(Principal(key.organization_id), replace(key, token_key=verification_key(secret)))


def _first_start(session: Session, secret: str, extractors: Sequence[ExtractorRef], now: datetime) -> Created:
    organization = Organization(new_id("org"), "Tamis", now, now)
    user = User(new_id("usr"), organization.organization_id, ADMIN_EMAIL, now)
    session.organizations.insert(organization, user)
    principal = Principal(organization.organization_id, permissions=frozenset({Permission.ADMIN}))
    namespace = Namespace(new_id("ns"), "default", now, now, feature_extractors=tuple(extractors))
    session.namespaces.insert(principal, namespace)
    created = _make(user, KeyDraft(ROOT_KEY_NAME, (Permission.ADMIN,)), secret, now, user.user_id)
    session.keys.insert(principal, created.key)
    return created


def _make(user: User, draft: KeyDraft, secret: str, now: datetime, created_by: str) -> Created:
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


def _check(rate_limit_override: Any, expires_at: datetime | None, now: datetime) -> None:
    """What would not be enforced is not accepted: a key must never be wider than it says."""
    if rate_limit_override is not None:
        raise NotBuiltError("rate limits of keys are not built in this version; leave 'rate_limit_override' out")
    if expires_at is not None and expires_at <= now:
        raise ValidationError.at(["body", "expires_at"], "a moment in the future")


def _user(session: Session, principal: Principal, email: str | None) -> User:
    users = session.organizations.users(principal)
    found = [user for user in users if email is None or user.email.casefold() == email.casefold()]
    if not found:
        raise NotFoundError.of("user", email or ADMIN_EMAIL)
    return min(found, key=lambda user: user.created_at)


def _find(
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
    key = _find(session, principal, identifier, user, active_at=now) or _find(session, principal, identifier, user)
    if key is None:
        raise NotFoundError.of("API key", identifier)
    return key


def _revoked(key: ApiKey, principal: Principal, now: datetime) -> ApiKey:
    return replace(key, revoked_at=now, revoked_by=principal.user_id or key.user_id)


def _store(session: Session, principal: Principal, key: ApiKey) -> ApiKey:
    session.keys.replace(principal, key)
    return key
