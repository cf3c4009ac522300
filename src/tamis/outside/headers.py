"""Headers that a caller may set: those that say something to the service, not to the connection."""

import re
from collections.abc import Mapping

from tamis.errors import OutsideRefusedError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset(
    ("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case. Raises: OutsideRefusedError, which repeats no value: it may hold a secret."""
    return {_name(name): _value(name, value) for name, value in headers.items()}


def _name(name: str) -> str:
    lower = name.lower()
    if not _NAME.fullmatch(name) or lower in _OURS or lower.startswith("proxy-"):
        raise OutsideRefusedError(f"the header {name[:80]!r} is not the caller's to set")
    return lower


def _value(name: str, value: str) -> str:
    text = value.strip()
    # Not `isprintable`: a tab is fine, and so is the upper half of Latin-1.
    if any((ord(sign) < 32 and sign != "\t") or not 0 <= ord(sign) < 256 or ord(sign) == 127 for sign in text):
        raise OutsideRefusedError(f"the value of the header {name[:80]!r} has characters that a header cannot hold")
    return text
