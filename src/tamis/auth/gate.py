"""Key in, Principal out."""

import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from tamis.auth.tokens import Tokens
from tamis.engine.ports.metadata import Metadata
from tamis.errors import BadRequestError, ForbiddenError, NotFoundError, UnauthorizedError
from tamis.model.client_token import is_client_token
from tamis.model.organization import ROLE_PERMISSIONS, ApiKey, Holder, UserStatus
from tamis.model.principal import NamespaceOperation, Permission, Principal
from tamis.model.secret import hash_key

_REMEMBER_S = 5.0
_Asked: TypeAlias = tuple[str, str | None, bool, NamespaceOperation]
"""Hash of the secret, namespace as it was sent, whether single retrievers will do, and what is to be done."""


@dataclass(slots=True)
class _Remembered:
    key: ApiKey
    principal: Principal
    until: float

    def opens_always(self, hashed: str) -> bool:
        """Whether no moment of the time until then can change what this secret opens."""
        return self.key.expires_at is None and hmac.compare_digest(self.key.key_hash, hashed)


class Gate:
    """Turns the `Authorization` and `X-Namespace` headers into a Principal.

    A key is remembered for a few seconds so that the hot path asks no storage; `forget` drops it at once on revocation.
    """

    def __init__(self, metadata: Metadata, tokens: Tokens | None = None) -> None:
        self._metadata = metadata
        self._tokens = tokens or Tokens()
        self._keys: dict[str, _Remembered] = {}
        self._namespaces: dict[tuple[str, str], tuple[str, float]] = {}
        self._searching: dict[_Asked, tuple[Principal, float]] = {}

    def forget(self) -> None:
        """Call after any change of keys, users, organisations or namespaces."""
        self._keys.clear()
        self._namespaces.clear()
        self._searching.clear()

    async def recognize(self, authorization: str | None) -> Principal:
        """Whose key it is, whatever it may do. Raises: UnauthorizedError."""
        bearer = _bearer(authorization)
        if is_client_token(bearer):
            return await self._tokens.recognize(bearer, self._opened)
        _, principal = await self._opened(hash_key(bearer))
        return principal

    async def recognize_within(self, authorization: str | None, namespace: str | None) -> Principal:
        """As `recognize`, inside a namespace. Raises also: BadRequestError, NotFoundError, ForbiddenError."""
        bearer = _bearer(authorization)
        if is_client_token(bearer):
            return await self._tokens.enter(bearer, namespace, self._opened, self._namespace_id)
        principal = await self.recognize(authorization)
        return principal.within(await self._namespace_id(principal, namespace))

    async def caller(self, authorization: str | None, namespace: str | None) -> Principal:
        """Whose limits count for a request: the key's holder, or whom he lets. Raises: as `enter_searching`."""
        if is_client_token(_bearer(authorization)):
            return await self.enter_searching(authorization, namespace, partly=True)
        return await self.recognize(authorization)

    async def identify(
        self, authorization: str | None, permission: Permission, operation: NamespaceOperation | None = None
    ) -> Principal:
        """Outside of any namespace; what scopes leave out is not listed. Raises: UnauthorizedError, ForbiddenError.

        operation: what is to be done, which scopes may be limited to; those that are for others do not count.
        """
        return _doing(await self._permitted(authorization, permission), operation)

    async def _permitted(self, authorization: str | None, permission: Permission) -> Principal:
        principal = await self.recognize(authorization)
        if principal.client is not None:
            raise ForbiddenError("a client token may search and read documents, and this is something else: use a key")
        if not principal.may(permission):
            raise ForbiddenError(f"this key lacks the permission '{permission}'", permission=str(permission))
        return principal

    async def rule(self, authorization: str | None, permission: Permission) -> Principal:
        """As `identify`, for what concerns the whole organisation: a key with scopes is refused."""
        principal = await self._permitted(authorization, permission)
        if principal.scopes:
            raise ForbiddenError("this key has scopes, and this concerns the whole organisation")
        return principal

    async def enter(
        self,
        authorization: str | None,
        namespace: str | None,
        permission: Permission,
        operation: NamespaceOperation | None = None,
    ) -> Principal:
        """As `identify`, inside a namespace given by id or name. Raises also: BadRequestError, NotFoundError."""
        return _seeing_all(await self.enter_partly(authorization, namespace, permission, operation))

    async def enter_partly(
        self,
        authorization: str | None,
        namespace: str | None,
        permission: Permission,
        operation: NamespaceOperation | None = None,
    ) -> Principal:
        """As `enter`, also with a key to single retrievers: for operations that ask `Principal.may_retriever`."""
        principal = await self._permitted(authorization, permission)
        namespace_id = await self._namespace_id(principal, namespace)
        doing = _doing(principal, operation)
        if not doing.enters(namespace_id):
            raise _not_for(operation)
        return doing.within(namespace_id)

    async def enter_searching(
        self,
        authorization: str | None,
        namespace: str | None,
        partly: bool = False,
        operation: NamespaceOperation = NamespaceOperation.EXECUTE_RETRIEVER,
    ) -> Principal:
        """As `enter` to read, or with `partly` as `enter_partly`; also with a client token.

        For operations that search, or that read documents and nothing else.
        """
        bearer = _bearer(authorization)
        if is_client_token(bearer):
            principal = _doing(await self.recognize_within(authorization, namespace), operation)
            if not partly and not principal.sees_namespace(principal.namespace_id):
                raise ForbiddenError("this client token is for single retrievers; it may run those")
            return principal
        asked = hash_key(bearer), namespace, partly, operation
        entered = self._searching.get(asked)
        if entered is not None and entered[1] > time.monotonic():
            return entered[0]
        principal = await self.enter_partly(authorization, namespace, Permission.READ, operation)
        if not partly:
            principal = _seeing_all(principal.searching())
        self._remember_searching(asked, principal)
        return principal

    def _remember_searching(self, asked: _Asked, principal: Principal) -> None:
        """No longer than what it follows from is remembered: the hot path makes the same Principal of it each time."""
        hashed, namespace, _, operation = asked
        key, found = self._keys.get(hashed), self._namespaces.get(_namespace_key(principal, namespace))
        if key is None or found is None or not key.opens_always(hashed):
            return
        doing = key.principal.doing(operation)
        if doing is not None and doing.within(found[0]) == principal:  # else it was changed while this was found out
            self._searching[asked] = principal, min(key.until, found[1])

    async def _opened(self, hashed: str) -> tuple[ApiKey, Principal]:
        """The key with a secret of this hash, where that opens anything. Raises: UnauthorizedError."""
        monotonic, now = time.monotonic(), datetime.now(UTC)
        known = self._keys.get(hashed)
        if known is None or known.until < monotonic:
            known = self._keys[hashed] = await self._find(hashed, monotonic + _REMEMBER_S)
        if not known.key.opens_with(hashed, now):
            raise UnauthorizedError("this API key was rotated: its former secret opens nothing any more")
        status = known.key.status(now)
        if status != "active":
            raise UnauthorizedError(f"this API key is {status}")
        return known.key, known.principal

    async def _find(self, hashed: str, until: float) -> _Remembered:
        holder = await self._metadata.read_now(lambda session: session.keys.find_hash(hashed))
        if holder is None:
            self._keys.pop(hashed, None)
            raise UnauthorizedError("unknown API key")
        status = "gone" if holder.user is None else holder.user.status
        if status != UserStatus.ACTIVE:
            raise UnauthorizedError(f"the user of this API key is {status}")
        return _Remembered(holder.key, _principal_of(holder), until)

    async def _namespace_id(self, principal: Principal, namespace: str | None) -> str:
        cache_key = _namespace_key(principal, namespace)
        known = self._namespaces.get(cache_key)
        if known is None or known[1] < time.monotonic():
            found = await self._find_namespace(principal, namespace)
            known = self._namespaces[cache_key] = (found, time.monotonic() + _REMEMBER_S)
        if not principal.enters(known[0]):
            raise NotFoundError.of("namespace", namespace or known[0])
        return known[0]

    async def _find_namespace(self, principal: Principal, namespace: str | None) -> str:
        anyone = principal.unscoped()
        if namespace:
            found = await self._metadata.read_now(lambda session: session.namespaces.get(anyone, namespace))
            if found is None:
                raise NotFoundError.of("namespace", namespace)
            return found.namespace_id
        every = await self._metadata.read(lambda session: session.namespaces.list(anyone))
        entered = [each.namespace_id for each in every if principal.enters(each.namespace_id)]
        if len(entered) != 1:
            raise BadRequestError("send the header X-Namespace with a namespace's id or name", header="X-Namespace")
        return entered[0]


def _doing(principal: Principal, operation: NamespaceOperation | None) -> Principal:
    doing = principal.doing(operation)
    if doing is None:
        raise _not_for(operation)
    return doing


def _seeing_all(principal: Principal) -> Principal:
    if principal.sees_namespace(principal.namespace_id):
        return principal
    raise ForbiddenError(
        "this key is scoped to parts of the namespace: it may run and read single retrievers, and search and read the "
        "documents of single collections"
    )


def _not_for(operation: NamespaceOperation | None) -> ForbiddenError:
    asked = "asked" if operation is None else f"'{operation}'"
    return ForbiddenError(f"no scope of this key is for the operation {asked} here", operation=operation)


def _principal_of(holder: Holder) -> Principal:
    """A key may never do more than its user's role lets it."""
    key, user = holder.key, holder.user
    own = frozenset(Permission) if Permission.ADMIN in key.permissions else frozenset(key.permissions)
    return Principal(
        organization_id=key.organization_id,
        permissions=own & ROLE_PERMISSIONS[user.role] if user is not None else frozenset(),
        user_id=key.user_id,
        key_id=key.key_id,
        scopes=key.limits(),
        tier=holder.organization.tier,
        rate_limit_override=key.rate_limit_override,
        rate_limits=holder.organization.rate_limits,
    )


def _namespace_key(principal: Principal, namespace: str | None) -> tuple[str, str]:
    """What "the only one" is depends on the key's scopes."""
    return principal.organization_id, namespace or f"\0{principal.key_id}"


def _bearer(authorization: str | None) -> str:
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise UnauthorizedError
    return secret.strip()
