"""Pieces of text with places, and the rows that they stand in. Points, x to the right, y down."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

SOFT_HYPHEN = "\u00ad"
"""Ends a piece whose last word goes on in the next line."""
_SAME_ROW = 0.5
"""Share of the lower one's height that two pieces of a row have in common."""
BETWEEN_WORDS = 0.9
"""A gap that is narrower, in heights, is one between words; wider ones are between cells."""
_SPACE = 0.12


@dataclass(frozen=True, slots=True)
class Fragment:
    """A run of text without a wide gap in it.

    rows: of a table that was found already; it stays whole.  goes_on: the file writes it right behind the one before,
    in the same line, with a gap that may be one between sentences or between cells.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    rows: tuple[tuple[str, ...], ...] = ()
    goes_on: bool = False
    parts: "tuple[Fragment, ...]" = ()

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


Row = list[Fragment]
"""Side by side, from left to right."""


def rows_of(fragments: Sequence[Fragment], widest: float = BETWEEN_WORDS) -> list[Row]:
    """From top to bottom; pieces of a row with a gap below `widest`, in heights, are one."""
    rows: list[Row] = []
    for piece in sorted(fragments, key=lambda one: (one.middle, one.left)):
        if rows and _beside(rows[-1], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [_near_joined(sorted(row, key=lambda one: one.left), widest) for row in rows]


def chained(fragments: Sequence[Fragment]) -> list[Fragment]:
    """Lines as the file writes them, each with its pieces as parts."""
    chains: list[list[Fragment]] = []
    for piece in fragments:
        if piece.goes_on and chains:
            chains[-1].append(piece)
        else:
            chains.append([piece])
    return [
        chain[0] if len(chain) == 1 else Fragment(" ".join(p.text for p in chain), *united(chain), parts=tuple(chain))
        for chain in chains
    ]


def united(fragments: Sequence[Fragment]) -> tuple[float, float, float, float]:
    """left, top, right, bottom of all of them."""
    return (
        min(one.left for one in fragments),
        min(one.top for one in fragments),
        max(one.right for one in fragments),
        max(one.bottom for one in fragments),
    )


def is_rtl(text: str) -> bool:
    """Whether it is read from right to left: by most of its letters."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return sum(kind in ("R", "AL") for kind in kinds) > sum(kind == "L" for kind in kinds)


def in_reading_order(row: Row) -> Row:
    return row[::-1] if is_rtl("".join(one.text for one in row)) else row


def _beside(row: Row, piece: Fragment) -> bool:
    if piece.rows or any(one.rows for one in row):
        return False
    # Against all of the row, so that a high piece does not draw in what stands below the others.
    return all(
        min(one.bottom, piece.bottom) - max(one.top, piece.top) >= _SAME_ROW * min(one.height, piece.height)
        for one in row
    )


def _near_joined(row: Row, widest: float) -> Row:
    joined: Row = []
    for piece in row:
        if joined and _is_near(joined[-1], piece, widest):
            joined[-1] = _joined(joined[-1], piece)
        else:
            joined.append(piece)
    return joined


def _is_near(left: Fragment, right: Fragment, widest: float) -> bool:
    if left.rows or right.rows:
        return False
    return right.left - left.right < widest * max(left.height, right.height)


def _joined(left: Fragment, right: Fragment) -> Fragment:
    space = " " if right.left - left.right > _SPACE * max(left.height, right.height) else ""
    first, second = (right, left) if is_rtl(left.text + right.text) else (left, right)
    edges = united([left, right])
    return replace(
        left, text=first.text + space + second.text, left=edges[0], top=edges[1], right=edges[2], bottom=edges[3]
    )
