"""What the first start makes: an organisation, its administrator, a namespace and the first key."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ValidationError
from tamis.model.client_token import verification_key
from tamis.model.ids import new_id
from tamis.model.namespace import ExtractorRef, Namespace
from tamis.model.organization import ApiKey, Organization, User
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key, new_secret
from tamis.services.access.keys import Created, KeyDraft, find_key, make_key
from tamis.services.access.users import check_address, find_user
from tamis.services.naming import check_name

ADMIN_EMAIL = "admin@localhost"
ROOT_KEY_NAME = "root"
_SHORTEST_ROOT_KEY = 24


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
    user = find_user(session, principal, None)
    old = find_key(session, principal, ROOT_KEY_NAME, user, active_at=now)
    if old is not None:
        session.keys.replace(principal, old.revoked(user.user_id, now))
    created = make_key(user, KeyDraft(ROOT_KEY_NAME, (Permission.ADMIN,)), root_key, now, user.user_id)
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
    created = make_key(user, KeyDraft(ROOT_KEY_NAME, (Permission.ADMIN,)), secret, now, user.user_id)
    session.keys.insert(principal, created.key)
    return created


async def add_organization(metadata: Metadata, name: str, email: str) -> tuple[Organization, Created]:
    """Another tenant, with an administrator and a key for all of it, and no namespace yet. Raises: ValidationError."""
    check_name(name, ["name"])
    check_address(email, ["email"])
    now = datetime.now(UTC)
    organization = Organization(new_id("org"), name, now, now)
    user = User(new_id("usr"), organization.organization_id, email, now, name=email, updated_at=now)
    created = make_key(user, KeyDraft(ROOT_KEY_NAME, (Permission.ADMIN,)), new_secret(), now, user.user_id)

    def write(session: Session) -> None:
        session.organizations.insert(organization, user)
        session.keys.insert(Principal(organization.organization_id), created.key)

    await metadata.write(write)
    return organization, created
