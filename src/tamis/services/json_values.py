"""JSON that came from outside, checked before anything keeps it."""

from collections.abc import Sequence
from typing import Any

import orjson

from tamis.errors import ValidationError
from tamis.model.canonical import canonical_json


def check_json(value: Any, loc: Sequence[str | int]) -> None:
    """Raises: ValidationError at `loc` for what could not be given back as it came: NaN and infinities, integers
    beyond 64 bits, text that is no Unicode, nesting beyond some 250 levels."""
    try:
        orjson.dumps(value)
    except TypeError as error:
        raise ValidationError.at([*loc], f"this value cannot be kept: {error}") from error
    canonical_json(value, [*loc])
