"""Reads what a provider answered without trusting it: whatever has another shape than was agreed is left out."""

import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from tamis.errors import OutsideError
from tamis.model.json import JSON

MOST_TEXT = 20_000
"""Characters of one page that are kept."""
_MOST_TITLE = 500
_LONGEST_URL = 4_000


def rows(answer: JSON, *path: str) -> Iterator[dict[str, Any]]:
    """The objects in the list at a path; none where the list is not there.

    Raises: OutsideError where the answer is no object or something else stands there.
    """
    found: Any = answer
    for name in path:
        if not isinstance(found, dict):
            raise OutsideError(f"the answer has no {'.'.join(path)} as the protocol says")
        found = found.get(name)
        if found is None:
            return
    if not isinstance(found, list):
        raise OutsideError(f"the answer has no list at {'.'.join(path)} as the protocol says")
    yield from (row for row in found if isinstance(row, dict))


def address(value: Any) -> str | None:
    """An address of the web, as it was written; None for anything else, a `javascript:` link for one."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_URL or not value.isprintable():
        return None
    try:
        url, split = httpx.URL(value), urlsplit(value)
        is_whole = url.scheme in ("http", "https") and bool(url.host) and bool(split.hostname)
    except (httpx.InvalidURL, ValueError):
        return None
    return value if is_whole else None


def text(value: Any, most: int = MOST_TEXT) -> str | None:
    """None for what is no text or is blank."""
    return value.strip()[:most] if isinstance(value, str) and value.strip() else None


def title(value: Any) -> str:
    return text(value, _MOST_TITLE) or ""


def texts(value: Any) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(one for one in map(text, found) if one is not None)[:20]


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def pixels(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and 0 < found < 1e6 else None
