"""Paths within a storage, as callers give them."""

from tamis.errors import ValidationError

_LONGEST_BYTES = 1024


def parts_of(path: str) -> tuple[str, ...]:
    """Slashes at both ends do not matter. Raises: ValidationError for what would lead elsewhere."""
    parts = tuple(path.strip("/").split("/")) if path.strip("/") else ()
    if any(part in ("", ".", "..") or not part.isprintable() or "\\" in part for part in parts):
        raise ValidationError(f"{path[:80]!r} is no path: names joined by '/', none of them empty, '.' or '..'")
    if len(path.encode("utf-8", "surrogatepass")) > _LONGEST_BYTES:
        raise ValidationError(f"a path has at most {_LONGEST_BYTES} bytes")
    return parts
