"""Key in, Principal out."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from tamis.engine.ports.metadata import Metadata
from tamis.errors import BadRequestError, ForbiddenError, NotFoundError, UnauthorizedError
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key

_REMEMBER_S = 5.0


@dataclass(slots=True)
class _Remembered:
    key: ApiKey
    until: float


class Gate:
    """Turns the `Authorization` and `X-Namespace` headers into a Principal.

    A key is remembered for a few seconds so that the hot path asks no storage; `forget` drops it at once on revocation.
    """

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._keys: dict[str, _Remembered] = {}
        self._namespaces: dict[tuple[str, str], tuple[str, float]] = {}

    def forget(self) -> None:
        """Call after any change of keys or namespaces."""
        self._keys.clear()
        self._namespaces.clear()

    async def identify(self, authorization: str | None, permission: Permission) -> Principal:
        """Raises: UnauthorizedError, ForbiddenError."""
        key = await self._key(_bearer(authorization))
        principal = Principal(
            organization_id=key.organization_id,
            permissions=frozenset(key.permissions),
            user_id=key.user_id,
            key_id=key.key_id,
        )
        if not principal.may(permission):
            raise ForbiddenError(f"this key lacks the permission '{permission}'", permission=str(permission))
        return principal

    async def enter(self, authorization: str | None, namespace: str | None, permission: Permission) -> Principal:
        """As `identify`, inside a namespace given by id or name. Raises also: BadRequestError, NotFoundError."""
        principal = await self.identify(authorization, permission)
        return principal.within(await self._namespace_id(principal, namespace))

    async def _key(self, secret: str) -> ApiKey:
        hashed = hash_key(secret)
        now = time.monotonic()
        known = self._keys.get(hashed)
        if known is None or known.until < now:
            found = await self._metadata.read_now(lambda session: session.keys.find_hash(hashed))
            if found is None:
                raise UnauthorizedError("unknown API key")
            known = self._keys[hashed] = _Remembered(found[0], now + _REMEMBER_S)
        status = known.key.status(datetime.now(UTC))
        if status != "active":
            raise UnauthorizedError(f"this API key is {status}")
        return known.key

    async def _namespace_id(self, principal: Principal, namespace: str | None) -> str:
        cache_key = (principal.organization_id, namespace or "")
        known = self._namespaces.get(cache_key)
        if known is not None and known[1] >= time.monotonic():
            return known[0]
        namespace_id = await self._find_namespace(principal, namespace)
        self._namespaces[cache_key] = (namespace_id, time.monotonic() + _REMEMBER_S)
        return namespace_id

    async def _find_namespace(self, principal: Principal, namespace: str | None) -> str:
        if namespace:
            found = await self._metadata.read_now(lambda session: session.namespaces.get(principal, namespace))
            if found is None:
                raise NotFoundError.of("namespace", namespace)
            return found.namespace_id
        every = await self._metadata.read(lambda session: session.namespaces.list(principal))
        if len(every) != 1:
            raise BadRequestError("send the header X-Namespace with a namespace's id or name", header="X-Namespace")
        return every[0].namespace_id


def _bearer(authorization: str | None) -> str:
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise UnauthorizedError
    return secret.strip()
