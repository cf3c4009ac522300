"""What text decoders share: a bound on the characters, tables as blocks, properties as metadata."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_document import Block, Box

ROWS = 50
"""Of one block of a long table."""
_LONGEST_VALUE = 2_000
_PROPERTIES = ("title", "author", "subject", "keywords", "category", "comments", "language", "created", "modified")


class Measure:
    """Counts characters. Raises: UnreadableError where they become too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def of(self, text: str) -> str:
        """The text, without what cannot be stored."""
        self._left -= len(text)
        if self._left < 0:
            raise UnreadableError(f"the file has more than {self._most} characters of text")
        return text.replace("\x00", "").strip()


def table_blocks(rows: Iterable[Sequence[str]], box: Box | None = None) -> Iterator[Block]:
    """Of at most 50 rows each; empty rows are left out."""
    filled = (tuple(row) for row in rows if any(row))
    while part := tuple(islice(filled, ROWS)):
        yield Block("\n".join("\t".join(row) for row in part), "table", box, part)


def properties(found: Any) -> dict[str, str]:
    """Of an Office document's core properties."""
    values = {name: getattr(found, name, None) for name in _PROPERTIES}
    return {name: _shown(value) for name, value in values.items() if value}


def _shown(value: Any) -> str:
    return (value.isoformat() if isinstance(value, datetime) else str(value))[:_LONGEST_VALUE]
