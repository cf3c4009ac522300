"""Tokens that carry what they allow, signed by this installation: who has one may do that, until it expires."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from tamis.errors import ForbiddenError

_MAC_BYTES = 16


class Signer:
    """secret: 32 bytes that only this installation knows.  purpose: a token for one is none for another."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._secret = secret
        self._purpose = purpose.encode() + b"\0"

    def sign(self, claims: Sequence[Any], expires: int) -> str:
        payload = orjson.dumps([*claims, expires])
        return base64.urlsafe_b64encode(payload + self._mac(payload)).decode().rstrip("=")

    def claims(self, token: str, invalid: str, expired: str) -> list[Any]:
        """What was signed. Raises: ForbiddenError with one of the messages."""
        data = _decoded(token)
        payload, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise ForbiddenError(invalid)
        claims: list[Any]
        *claims, expires = orjson.loads(payload)
        if expires <= datetime.now(UTC).timestamp():
            raise ForbiddenError(expired)
        return claims

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, self._purpose + payload, hashlib.sha256).digest()[:_MAC_BYTES]


def _decoded(token: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return b""
