"""Which part of a file a request asks for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"^bytes=\s*(\d*)\s*-\s*(\d*)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """start, end: as of a slice.  is_whole: nothing else was asked for."""

    start: int
    end: int
    is_whole: bool


def part_of(header: str | None, size: int) -> Part | None:
    """The part; None where the file has none such. More than one range, or another unit, is the whole file."""
    found = _ONE.match(header or "")
    if found is None or found.groups() == ("", ""):
        return Part(0, size, True)
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
        return Part(start, end, False) if int(last) and size else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return Part(0, size, True)
    return Part(start, end, False) if start < size else None
