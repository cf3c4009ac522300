"""API keys as secrets: made from chance, kept as a hash, recognised by their first characters."""

import hashlib
import secrets

PREFIX = "sk_"
_VISIBLE_CHARS = 10


def new_secret() -> str:
    """`sk_` and 160 bits of chance in hex."""
    return f"{PREFIX}{secrets.token_hex(20)}"


def hash_key(key: str) -> str:
    """SHA-256 of a key: keys carry 160 bits of chance, so no slow hash is needed to keep them safe at rest."""
    return hashlib.sha256(key.encode()).hexdigest()


def visible_prefix(key: str) -> str:
    """What people recognise a key by."""
    return key[:_VISIBLE_CHARS]
