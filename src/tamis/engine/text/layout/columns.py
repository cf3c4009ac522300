"""The reading order of a page: columns of running text one after the other, what spans them in between."""

import statistics
from collections.abc import Iterator, Sequence

from tamis.engine.text.layout.fragments import Fragment, is_rtl, united

_WIDE = 0.55
"""Of the region's width: what is wider is no line of one column of two."""
_NARROWEST = 0.2
_FEWEST_LINES = 4
_FEWEST_CHARACTERS = 20
_FULL = 0.7
"""Lines of running text fill their column, cells of a table do not."""
_GUTTER = 0.5
_MOST_LINES = 0.95
_MOST = 3_000
_DEEPEST = 4


def regions(fragments: Sequence[Fragment], depth: int = 0) -> Iterator[list[Fragment]]:
    """Parts of the page without columns, in reading order. Cost: quadratic in the pieces, at most 3,000 of them."""
    gutter = _gutter(fragments) if depth < _DEEPEST and len(fragments) <= _MOST else None
    if gutter is None:
        if fragments:
            yield list(fragments)
        return
    rtl = is_rtl("".join(one.text for one in fragments))
    spanning: list[Fragment] = []
    left: list[Fragment] = []
    right: list[Fragment] = []
    for piece in sorted(fragments, key=lambda one: one.middle):
        side = left if piece.right <= gutter else right if piece.left >= gutter else spanning
        if side is spanning and (left or right):
            yield from _columns(left, right, rtl, depth)
            left, right = [], []
        elif side is not spanning and spanning:
            yield spanning
            spanning = []
        (left if side is left else right if side is right else spanning).append(piece)
    if spanning:
        yield spanning
    yield from _columns(left, right, rtl, depth)


def _columns(left: list[Fragment], right: list[Fragment], rtl: bool, depth: int) -> Iterator[list[Fragment]]:
    for side in (right, left) if rtl else (left, right):
        yield from regions(side, depth + 1)


def _gutter(fragments: Sequence[Fragment]) -> float | None:
    """The x between two columns of running text, where there are such."""
    if len(fragments) < 2 * _FEWEST_LINES:
        return None
    start, _, end, _ = united(fragments)
    width = end - start
    lines = [one for one in fragments if one.width <= _WIDE * width and not one.rows]
    found: list[tuple[int, float]] = []
    for place in sorted({one.left for one in lines}):
        if _NARROWEST * width <= place - start <= (1 - _NARROWEST) * width:
            crossing = sum(one.left < place < one.right for one in lines)
            left = [one for one in lines if one.right <= place]
            right = [one for one in lines if one.left >= place]
            if crossing * 10 <= min(len(left), len(right)) and _is_running_text(left) and _is_running_text(right):
                gap = place - _edge(left)
                if gap >= _GUTTER * statistics.median(one.height for one in (*left, *right)):
                    found.append((crossing, place - gap / 2))
    return min(found)[1] if found else None


def _edge(lines: Sequence[Fragment]) -> float:
    """The right edge of most of them: a page number may stand in the gutter."""
    ends = sorted(one.right for one in lines)
    return ends[int((len(ends) - 1) * _MOST_LINES)]


def _is_running_text(lines: Sequence[Fragment]) -> bool:
    if len(lines) < _FEWEST_LINES:
        return False
    start, _, end, _ = united(lines)
    return statistics.median(len(one.text) for one in lines) >= _FEWEST_CHARACTERS and statistics.median(
        one.width for one in lines
    ) >= _FULL * (end - start)
