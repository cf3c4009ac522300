"""Pictures of a document that a language model may be shown: by address on the web, or inline."""

import re
from collections.abc import Iterator
from typing import Any

from tamis.model.hits import Hit
from tamis.model.matching import resolve

_MOST = 4
_INLINE = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+")
_ADDRESS = re.compile(r"https://[^\s<>\"]+")
_NAMED = re.compile(r"\.(?:png|jpe?g|webp|gif)(?:\?|$)", re.IGNORECASE)


def pictures_of(hit: Hit) -> tuple[str, ...]:
    """The first four pictures among a document's fields."""
    found = [one for one in _texts(hit.view()) if _INLINE.fullmatch(one) or (_is_address(one) and _NAMED.search(one))]
    return tuple(dict.fromkeys(found))[:_MOST]


def pictures_at(hit: Hit, path: str) -> tuple[str, ...]:
    """The pictures in one field, whatever their addresses end in."""
    texts = _texts(resolve(hit.view(), path))
    return tuple(one for one in texts if _INLINE.fullmatch(one) or _is_address(one))[:_MOST]


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
