"""Client tokens: what a key's holder lets somebody else see, signed without asking the server.

A JSON Web Token (RFC 7519) under EdDSA. Its Ed25519 key (RFC 8032) is made of the API key itself, so that the holder
needs nothing but the key to sign. The server keeps the public half beside the key's hash: who steals its database can
neither use a key nor sign for it. `kid` is that hash, by which the key is found; a key that is revoked, expired or
rotated takes its tokens along.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tamis.errors import UnauthorizedError, ValidationError
from tamis.model.filters import Filter, has_regex, parse_filter
from tamis.model.ids import looks_like_id
from tamis.model.json import JSON
from tamis.model.secret import hash_key

_ALGORITHM = "EdDSA"
_PURPOSE = b"tamis client token v1"
_LONGEST = 16 * 1024
LEEWAY_S = 10
"""What clocks may differ by."""
_REGISTERED = frozenset({"exp", "iat", "nbf", "jti"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token may say. Anything else in it is refused: a misspelt filter must not be none.

    filter: the contract's LogicalOperator; every search and every read of documents is AND-ed with it.
    namespace: by id or name; None leaves the choice to the header.  retrievers: ids; None lets all of the namespace.
    pipelines: whether pipelines may be sent whole, and not only saved ones run.
    sub: the visitor, by whom spending and requests are counted.
    """

    filter: dict[str, JSON] | None = None
    namespace: str | None = None
    retrievers: tuple[str, ...] | None = None
    pipelines: bool = False
    sub: str | None = None
    credits_per_day: float | None = None
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A token whose signature held. narrowing: of `claims.filter`.  expires_at: seconds since 1970."""

    claims: Claims
    narrowing: Filter | None
    expires_at: int


def is_client_token(bearer: str) -> bool:
    """By its shape: three parts, of which the first is a JSON object."""
    return bearer.startswith("eyJ") and bearer.count(".") == 2


def verification_key(secret: str) -> str:
    """The public half of a key's signing key, 32 bytes in hex: what the server keeps."""
    return _signing_key(secret).public_key().public_bytes_raw().hex()


def sign(secret: str, claims: Claims, lifetime_s: int, now: float | None = None) -> str:
    """A token by this API key, good for `lifetime_s` seconds. Raises: ValidationError naming the claim."""
    _check(claims)
    if lifetime_s < 1:
        raise ValidationError.at(["lifetime_s"], "1 or more seconds")
    issued = int(time.time() if now is None else now)
    said = {name: value for name, value in _said(claims).items() if value not in (None, False)}
    payload = {**said, "iat": issued, "exp": issued + lifetime_s}
    jwt = _jwt()
    token: str = jwt.encode(payload, _signing_key(secret), _ALGORITHM, {"kid": hash_key(secret)})
    return token


def _jwt() -> ModuleType:
    """Imported with the first token: it brings all of X.509 along."""
    return import_module("jwt")


def key_hash_of(token: str) -> str:
    """Of the API key that a token says it is signed by. Raises: UnauthorizedError."""
    if len(token) > _LONGEST:
        raise UnauthorizedError(f"a client token has at most {_LONGEST} characters")
    jwt = _jwt()
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError):
        kid = None
    if not isinstance(kid, str):
        raise UnauthorizedError("this is no client token: its header does not name a key")
    return kid


def verify(token: str, public_key: str, longest_s: float) -> ClientToken:
    """What the token says. public_key: as `verification_key` gives it.  longest_s: the most that a token may live.

    Raises: UnauthorizedError: another algorithm or signature, expired, living too long, a claim that is not known.
    """
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    jwt = _jwt()
    try:
        payload = jwt.decode(token, key, [_ALGORITHM], {"require": ["exp", "iat"]}, leeway=LEEWAY_S)
        lifetime_s = payload["exp"] - payload["iat"]
    except jwt.ExpiredSignatureError:
        raise UnauthorizedError("this client token has expired") from None
    except (jwt.PyJWTError, ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise UnauthorizedError(f"this client token does not hold: {error}") from None
    if not lifetime_s <= longest_s:
        raise UnauthorizedError(f"a client token may live {longest_s:g} seconds, and this one lives {lifetime_s}")
    try:
        claims = _read(payload)
        return ClientToken(claims, _narrowing(claims), int(payload["exp"]))
    except ValidationError as error:
        raise UnauthorizedError(f"the client token's {error.message}") from None


def _signing_key(secret: str) -> Ed25519PrivateKey:
    seed = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _said(claims: Claims) -> dict[str, Any]:
    values = {one.name: getattr(claims, one.name) for one in fields(Claims)}
    return {**values, "retrievers": None if claims.retrievers is None else list(claims.retrievers)}


def _read(payload: Mapping[str, Any]) -> Claims:
    known = {one.name for one in fields(Claims)}
    unknown = sorted(payload.keys() - known - _REGISTERED)
    if unknown:
        raise ValidationError.at([unknown[0]], f"no claim of a client token; known: {', '.join(sorted(known))}")
    given = {name: value for name, value in payload.items() if name in known}
    retrievers = given.get("retrievers")
    claims = Claims(**{**given, "retrievers": tuple(retrievers) if isinstance(retrievers, list) else retrievers})
    _check(claims)
    return claims


def _check(claims: Claims) -> None:
    """Raises: ValidationError naming the claim."""
    _narrowing(claims)
    for name, value in (("namespace", claims.namespace), ("sub", claims.sub)):
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= 255):
            raise ValidationError.at([name], "a text of 1 to 255 characters")
    if not isinstance(claims.pipelines, bool):
        raise ValidationError.at(["pipelines"], "true or false")
    if claims.retrievers is not None:
        _check_retrievers(claims.retrievers)
    _check_number("credits_per_day", claims.credits_per_day)
    _check_number("requests_per_minute", claims.requests_per_minute)


def _check_retrievers(retrievers: Any) -> None:
    """Ids, because a name can be given to another retriever later."""
    ids = isinstance(retrievers, tuple) and all(isinstance(one, str) and looks_like_id(one) for one in retrievers)
    if not ids or not retrievers:
        raise ValidationError.at(["retrievers"], "a list of ids of retrievers, such as ret_..., at least one")


def _check_number(name: str, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    if value is not None and not is_number:
        raise ValidationError.at([name], "a number above 0")


def _narrowing(claims: Claims) -> Filter | None:
    """Raises: ValidationError where a filter is given that is none."""
    if claims.filter is None:
        return None
    if not isinstance(claims.filter, dict):
        raise ValidationError.at(["filter"], "an object with AND, OR, NOT or field, operator, value")
    try:
        json.dumps(claims.filter, allow_nan=False)
        narrowing = parse_filter(claims.filter, ["filter"])
    except (ValueError, RecursionError):
        raise ValidationError.at(["filter"], "JSON without NaN and infinities, that does not nest deeply") from None
    if narrowing is None:
        raise ValidationError.at(["filter"], "it lets everything through; leave it out where nothing is to be hidden")
    if has_regex(narrowing):
        # It is matched with each document that is read, wherever that is; a hostile one would hold everybody up.
        raise ValidationError.at(
            ["filter"], "it takes no regular expressions; other operators, such as starts_with, do"
        )
    return narrowing
