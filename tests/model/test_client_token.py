"""Signed without asking anybody; whatever is not exactly such a token is refused."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.errors import UnauthorizedError, ValidationError
from tamis.model.client_token import Claims, is_client_token, key_hash_of, sign, verification_key, verify
from tamis.model.filters import parse_filter
from tamis.model.secret import hash_key, new_secret

KEY = "sk_0123456789abcdef0123456789abcdef01234567"
FILTER: dict[str, Any] = {"field": "tenant", "operator": "eq", "value": "a"}
LONGEST_S = 3600.0
RETRIEVER = "ret_0123456789abcdef01234567"


def test_what_is_signed_is_read_back() -> None:
    claims = Claims(FILTER, "default", (RETRIEVER,), True, "visitor 7", 0.5, 20)
    token = sign(KEY, claims, 60)
    assert is_client_token(token)
    assert not is_client_token(KEY)
    assert not is_client_token("root.key.of-somebody")
    assert key_hash_of(token) == hash_key(KEY)
    found = verify(token, verification_key(KEY), LONGEST_S)
    assert found.claims == claims
    assert found.narrowing == parse_filter(FILTER)


def test_the_same_key_makes_the_same_signing_key_and_another_another() -> None:
    assert verification_key(KEY) == verification_key(KEY)
    assert verification_key(KEY) != verification_key(new_secret())
    assert KEY not in verification_key(KEY)


def refused(token: str, match: str, public_key: str | None = None) -> None:
    with pytest.raises(UnauthorizedError, match=match):
        verify(token, public_key or verification_key(KEY), LONGEST_S)


def test_a_token_holds_for_its_time() -> None:
    refused(sign(KEY, Claims(FILTER), 60, now=1_000_000), "expired")
    refused(sign(KEY, Claims(FILTER), 60, now=4_000_000_000), "does not hold")
    refused(sign(KEY, Claims(FILTER), 3601), "may live 3600 seconds")


def test_another_keys_signature_is_none() -> None:
    refused(sign(KEY, Claims(FILTER), 60), "does not hold", verification_key(new_secret()))


def _payload(**more: Any) -> dict[str, Any]:
    now = int(jwt.decode(sign(KEY, Claims(FILTER), 60), options={"verify_signature": False})["iat"])
    return {"iat": now, "exp": now + 60, "filter": FILTER, **more}


def _forged(payload: dict[str, Any], key: Any, algorithm: str) -> str:
    return jwt.encode(payload, key, algorithm, {"kid": hash_key(KEY)})


def _own(payload: dict[str, Any]) -> str:
    """As the key's holder could sign it with tools of his own."""
    from tamis.model.client_token import _signing_key

    return _forged(payload, _signing_key(KEY), "EdDSA")


def test_no_other_algorithm_is_taken() -> None:
    public = bytes.fromhex(verification_key(KEY))
    refused(_forged(_payload(), public, "HS256"), "does not hold")
    refused(_forged(_payload(), Ed25519PrivateKey.generate(), "EdDSA"), "does not hold")
    refused(_forged(_payload(), "", "none"), "does not hold")


def test_a_tampered_claim_is_noticed() -> None:
    head, _, signature = sign(KEY, Claims(FILTER), 60).split(".")
    other = base64.urlsafe_b64encode(json.dumps(_payload(filter=None)).encode()).decode().rstrip("=")
    refused(f"{head}.{other}.{signature}", "does not hold")


@pytest.mark.parametrize(
    ("claims", "match"),
    [
        ({"exp": None}, "does not hold"),
        ({"iat": "yesterday"}, "does not hold"),
        ({"exp": float("inf")}, "does not hold"),
        ({"iat": float("nan")}, "does not hold"),
        ({"filters": FILTER}, "filters: no claim of a client token"),
        ({"filter": {}}, "filter: it lets everything through"),
        ({"filter": {"AND": []}}, "filter: it lets everything through"),
        ({"filter": [FILTER]}, "filter: an object"),
        ({"filter": {"field": "a", "operator": "like", "value": 1}}, "unknown operator"),
        ({"filter": {"NOT": [{"field": "a", "operator": "regex", "value": "x"}]}}, "filter: it takes no regular"),
        ({"filter": {"field": "a", "value": float("nan")}}, "filter: JSON without NaN"),
        ({"sub": 7}, "does not hold"),
        ({"sub": ""}, "sub: a text"),
        ({"namespace": 1}, "namespace: a text"),
        ({"pipelines": "yes"}, "pipelines: true or false"),
        ({"retrievers": []}, "retrievers: a list of ids"),
        ({"retrievers": "ret_1"}, "retrievers: a list of ids"),
        ({"retrievers": ["by-name"]}, "retrievers: a list of ids"),
        ({"credits_per_day": 0}, "credits_per_day: a number above 0"),
        ({"credits_per_day": True}, "credits_per_day: a number above 0"),
        ({"requests_per_minute": "9"}, "requests_per_minute: a number above 0"),
    ],
)
def test_what_is_not_understood_is_not_let_in(claims: dict[str, Any], match: str) -> None:
    payload = {key: value for key, value in _payload(**claims).items() if value is not None}
    refused(_own(payload), match)


def test_a_deep_filter_is_refused_and_not_climbed_into() -> None:
    deep: dict[str, Any] = FILTER
    for _ in range(30):
        deep = {"NOT": [deep]}
    token = sign(KEY, Claims(deep), 60)
    assert verify(token, verification_key(KEY), LONGEST_S).narrowing is not None
    for _ in range(200):
        deep = {"NOT": [deep]}
    with pytest.raises(ValidationError, match="deep"):
        sign(KEY, Claims(deep), 60)
    header = base64.urlsafe_b64encode(b'{"kid":' + b"[" * 5000 + b"]" * 5000 + b"}").decode().rstrip("=")
    with pytest.raises(UnauthorizedError):
        key_hash_of(f"{header}.e30.e30")


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "eyJ.e30.x", "eyJhbGciOiJFZERTQSJ9.e30.x", "eyJ" + "a" * 20_000 + ".b.c"]
)
def test_what_names_no_key_is_refused(token: str) -> None:
    with pytest.raises(UnauthorizedError):
        key_hash_of(token)


@pytest.mark.parametrize(
    "claims", [Claims(filter={}), Claims(retrievers=()), Claims(sub="x" * 256), Claims(credits_per_day=-1.0)]
)
def test_a_token_that_would_be_refused_is_not_signed(claims: Claims) -> None:
    with pytest.raises(ValidationError):
        sign(KEY, claims, 60)
