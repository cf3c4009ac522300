"""JSON in one spelling, so that equal values hash the same whatever order their keys came in (RFC 8785)."""

import hashlib
from typing import Any

import orjson
import rfc8785

from tamis.errors import ValidationError

_LARGEST_EXACT = 2**53 - 1


def canonical_json(value: Any, loc: list[str | int] | None = None) -> bytes:
    """RFC 8785 canonical JSON. Raises: ValidationError for what has no such form: NaN, infinities, other types.

    RFC 8785 knows no integers beyond 2**53; they are written as the text of their digits, so that they too hash.
    """
    if _is_simple(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    try:
        return rfc8785.dumps(_exact(value))
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise ValidationError.at(loc or ["body"], f"this value has no canonical JSON: {error}") from error


def sha1_of(value: Any, loc: list[str | int] | None = None) -> str:
    """SHA-1, hex, of the canonical JSON: the contract's `inputs_hash`."""
    return hashlib.sha1(canonical_json(value, loc), usedforsecurity=False).hexdigest()


def sha256_of(value: Any, loc: list[str | int] | None = None) -> str:
    return hashlib.sha256(canonical_json(value, loc)).hexdigest()


def _is_simple(value: Any) -> bool:
    """Where both libraries write the same bytes: no floats, no large integers, keys in ASCII. orjson is 10x faster."""
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return abs(value) <= _LARGEST_EXACT
    if isinstance(value, list):
        return all(_is_simple(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and key.isascii() and _is_simple(item) for key, item in value.items())
    return False


def _exact(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_EXACT:
        return str(value)
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list | tuple) else value
