"""Client token in, Principal out: never more than the key that signed it may, and read only."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tamis.errors import BadRequestError, ForbiddenError, UnauthorizedError
from tamis.model.client_token import LEEWAY_S, Claims, ClientToken, key_hash_of, verify
from tamis.model.organization import ApiKey
from tamis.model.principal import Client, Permission, Principal, Scope

LONGEST_S = 86_400.0
_REMEMBERED = 4096
_REMEMBER_S = 5.0

FindKey = Callable[[str], Awaitable[tuple[ApiKey, Principal]]]
FindNamespace = Callable[[Principal, str | None], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Known:
    token: ClientToken
    until: float


class Tokens:
    """longest_s: the most that a token may live.

    A signature is checked once in a while, not at each request; the key behind it is asked for at each.
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._known: dict[str, _Known] = {}

    async def recognize(self, token: str, find_key: FindKey) -> Principal:
        """Who it is for, outside of any namespace. find_key: by hash; raises where it opens nothing.

        Raises: UnauthorizedError.
        """
        key, holder, verified = await self._read(token, find_key)
        return replace(
            holder,
            permissions=frozenset({Permission.READ}) if holder.may(Permission.READ) else frozenset(),
            narrowing=verified.narrowing,
            client=_client(key.key_id, verified.claims),
        )

    async def enter(self, token: str, namespace: str | None, find_key: FindKey, find: FindNamespace) -> Principal:
        """As `recognize`, inside a namespace: the token's, else that of the header.

        Raises: UnauthorizedError, ForbiddenError, BadRequestError, NotFoundError.
        """
        _, holder, verified = await self._read(token, find_key)
        if not holder.may(Permission.READ):
            raise ForbiddenError("the key that signed this token lacks the permission 'read'", permission="read")
        claims = verified.claims
        namespace_id = await find(holder, claims.namespace or namespace)
        if claims.namespace and namespace and await find(holder, namespace) != namespace_id:
            raise BadRequestError("this client token is for another namespace than X-Namespace", header="X-Namespace")
        scopes = _scopes(holder.within(namespace_id), claims)
        return replace(await self.recognize(token, find_key), namespace_id=namespace_id, scopes=scopes)

    async def _read(self, token: str, find_key: FindKey) -> tuple[ApiKey, Principal, ClientToken]:
        key_hash = key_hash_of(token)
        key, holder = await find_key(key_hash)
        verified = self._verified(token, key, key_hash)
        if verified.expires_at + LEEWAY_S <= time.time():
            raise UnauthorizedError("this client token has expired")
        return key, holder, verified

    def _verified(self, token: str, key: ApiKey, key_hash: str) -> ClientToken:
        known = self._known.get(token)
        if known is not None and known.until > time.monotonic():
            return known.token
        public_key = key.verifies_with(key_hash)
        if public_key is None:
            raise UnauthorizedError("the key of this client token is from before there were any: rotate it once")
        verified = verify(token, public_key, self._longest_s)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[token] = _Known(verified, time.monotonic() + _REMEMBER_S)
        return verified


def _scopes(holder: Principal, claims: Claims) -> tuple[Scope, ...]:
    """What both the key and the token allow, in this namespace."""
    inside = tuple(scope for scope in holder.scopes if scope.namespace_id == holder.namespace_id)
    if claims.retrievers is None:
        return inside or (Scope(holder.namespace_id),)
    allowed = [
        Scope(holder.namespace_id, one, scope.operations)
        for one in claims.retrievers
        for scope in inside or (Scope(holder.namespace_id),)
        if scope.retriever_id in ("", one) and not scope.collection_id
    ]
    return tuple(allowed) or (Scope(holder.namespace_id, "none"),)


def _client(key_id: str, claims: Claims) -> Client:
    """Two keys' visitors of one name are two."""
    return Client(
        visitor=f"{key_id}:{claims.sub or ''}",
        credits_per_day=claims.credits_per_day,
        requests_per_minute=claims.requests_per_minute,
        may_send_pipelines=claims.pipelines,
    )
