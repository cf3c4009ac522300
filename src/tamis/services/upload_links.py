"""Links that carry their own permission: whoever has one may send this one file, until it expires."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from tamis.errors import ForbiddenError
from tamis.model.bucket import Upload
from tamis.model.principal import Principal

PATH = "/v1/uploads/"
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link allows: to send the file of one upload, as this tenant."""

    principal: Principal
    upload_id: str


class UploadLinks:
    """secret: 32 bytes that only this installation knows. public_url: how clients reach this server, if not as they
    did for the request that asks for a link."""

    def __init__(self, secret: bytes, public_url: str | None = None) -> None:
        self._secret = secret
        self._public_url = public_url

    def url(self, principal: Principal, upload: Upload, base_url: str) -> str:
        """The same upload has the same link for as long as it lives."""
        expires = int(upload.expires_at.timestamp())
        claims = [principal.organization_id, principal.namespace_id, upload.upload_id, expires]
        payload = orjson.dumps(claims)
        token = _encode(payload + self._mac(payload))
        return f"{(self._public_url or base_url).rstrip('/')}{PATH}{token}"

    def open(self, token: str) -> Grant:
        """Raises: ForbiddenError where the link is not ours, or has expired."""
        data = _decode(token)
        payload, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise ForbiddenError("this upload link is not valid")
        organization_id, namespace_id, upload_id, expires = orjson.loads(payload)
        if expires <= datetime.now(UTC).timestamp():
            raise ForbiddenError("this upload link has expired; create another upload", upload_id=upload_id)
        return Grant(Principal(organization_id, namespace_id), upload_id)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(token: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return b""
