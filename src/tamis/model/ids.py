"""Identifiers: a prefix that says what, then a token that sorts by time and cannot be guessed."""

import re
import secrets
import time
import uuid

_NAMESPACE = uuid.UUID("6f1a5f0e-7d0c-5a53-9a55-1d0f6d6f7461")
_ID = re.compile(
    r"^(org|usr|key|ns|bkt|obj|blob|upl|btch|task|col|doc|ret|exec|audit|dset|eval|pub|int|clust|run|trig|tax|ses|msg|conf"
    r"|mig|snap|conn|sync)"
    r"_[0-9a-z]{20,}\Z"
)


def new_id(prefix: str) -> str:
    """A fresh id such as `exec_0193a1b2c3d4a1b2c3d4e5f60718`: 48 bits of milliseconds, then 64 of chance."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def derived_id(prefix: str, *parts: str | int) -> str:
    """The same parts always give the same id: what makes extraction repeatable without duplicates."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, chr(0).join(str(part) for part in parts)).hex}"


def looks_like_id(text: str) -> bool:
    """True for what could be one of our ids; a name may not be shaped so, for names work wherever ids do."""
    return bool(_ID.match(text))
