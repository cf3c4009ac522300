"""What may be a name: names work wherever ids do, so a name must never be taken for an id or a path."""

from collections.abc import Sequence

from tamis.errors import ValidationError
from tamis.model.ids import looks_like_id

_MAX_CHARS = 255


def check_name(name: str, loc: Sequence[str | int], reserved: frozenset[str] = frozenset()) -> str:
    """The name itself, where it may be one. reserved: the literal path segments of the resource.

    Raises: ValidationError at `loc`.
    """
    place = [*loc]
    if not name.strip() or name != name.strip():
        raise ValidationError.at(place, "a name is not empty and neither starts nor ends with a space")
    if len(name) > _MAX_CHARS:
        raise ValidationError.at(place, f"a name has at most {_MAX_CHARS} characters")
    if not name.isprintable() or any(char in name for char in "/\\") or name in (".", ".."):
        raise ValidationError.at(place, "a name is printable, without '/' and '\\'")
    if name in reserved:
        raise ValidationError.at(place, f"{name!r} is a part of this API's paths; choose another name")
    if looks_like_id(name):
        raise ValidationError.at(place, "a name may not be shaped like an id")
    return name
