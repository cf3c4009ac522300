"""Secrets at rest: sealed under the operator's key, each for the one place that it is kept in."""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tamis.errors import ConfigurationError, SecretRefusedError

SHORTEST_KEY = 32
_NONCE_BYTES = 12
_PURPOSE = b"tamis secrets 1"


class KeyRing:
    """The operator's keys: the first seals, all of them open.

    AES-256-GCM under a key that HKDF makes of the operator's, which is chance and no password: so no slow derivation.
    Organisation and name are authenticated with the value, so that a row that was moved opens no more.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises: ConfigurationError, which repeats no key."""
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise ConfigurationError(
                f"TAMIS_SECRET_KEY: a key has at least {SHORTEST_KEY} characters, as `openssl rand -base64 32` makes"
            )
        self._boxes = {_mark(key): AESGCM(_derived(key)) for key in keys}

    @property
    def mark(self) -> str | None:
        """Of the key that seals; None where there is none."""
        return next(iter(self._boxes), None)

    def seal(self, organization_id: str, name: str, value: str) -> str:
        """Needs a key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        box = next(iter(self._boxes.values()))
        return base64.b64encode(nonce + box.encrypt(nonce, value.encode(), _place(organization_id, name))).decode()

    def open(self, organization_id: str, name: str, sealed: str, mark: str) -> str:
        """Raises: SecretRefusedError where no key here opens it."""
        box = self._boxes.get(mark)
        try:
            data = base64.b64decode(sealed, validate=True)
            if box is None:
                raise InvalidTag
            return box.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _place(organization_id, name)).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise SecretRefusedError(f"the secret {name!r} was sealed with another key than TAMIS_SECRET_KEY") from None


def key_ring(texts: Sequence[str]) -> KeyRing:
    """texts: each one key or several, by commas or lines."""
    return KeyRing([key for text in texts for key in re.split(r"[,\s]+", text) if key])


def _place(organization_id: str, name: str) -> bytes:
    return f"{organization_id}\0{name}".encode()


def _derived(key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key.encode())


def _mark(key: str) -> str:
    """Tells keys apart, and nothing of the key."""
    return hashlib.sha256(_PURPOSE + _derived(key)).hexdigest()[:16]
