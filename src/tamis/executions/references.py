"""Large values stand once as blobs; records hold references to them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tamis.model.json import JSON

LARGEST_INLINE_BYTES = 64 * 1024
_KEY = "blob_ref"


def json_text(value: Any) -> str:
    """Compact JSON, also of numbers beyond 64 bits."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def externalize(value: Any, blobs: dict[str, bytes]) -> Any:
    """The value with each part of more than 64 kB put into `blobs` under its SHA-1 and a reference in its place.

    A reference is `{"blob_ref": {"sha1": ..., "size_bytes": ..., "type": "string" | "array" | "object"}}`.
    """
    return value if _size_bytes(value) <= LARGEST_INLINE_BYTES else _externalize(value, blobs)


def restore(value: Any, fetch: Callable[[str], bytes | None]) -> Any:
    """The other way round. A reference whose blob is gone stays."""
    if isinstance(value, list):
        return [restore(item, fetch) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get(_KEY)
    if len(value) == 1 and isinstance(reference, Mapping) and isinstance(reference.get("sha1"), str):
        data = fetch(reference["sha1"])
        if data is None:
            return value
        # A large part may stand inside another one: what is fetched may hold references itself.
        return (
            data.decode("utf-8", "surrogatepass")
            if reference.get("type") == "string"
            else restore(json.loads(data), fetch)
        )
    return {key: restore(item, fetch) for key, item in value.items()}


def _externalize(value: Any, blobs: dict[str, bytes]) -> JSON:
    """Innermost parts first, so that a large text inside an object leaves the object readable."""
    if isinstance(value, dict):
        value = {key: externalize(item, blobs) for key, item in value.items()}
    elif isinstance(value, list):
        value = [externalize(item, blobs) for item in value]
    if _size_bytes(value) <= LARGEST_INLINE_BYTES:
        smaller: JSON = value
        return smaller
    is_text = isinstance(value, str)
    data = value.encode("utf-8", "surrogatepass") if is_text else json_text(value).encode()
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    blobs[sha1] = data
    kind = "string" if is_text else "array" if isinstance(value, list) else "object"
    return {_KEY: {"sha1": sha1, "size_bytes": len(data), "type": kind}}


def _size_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return len(json_text(value)) if isinstance(value, dict | list) else 0
