"""Lines to paragraphs, headings and lists; the page as blocks in reading order."""

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tamis.engine.text.layout.columns import regions
from tamis.engine.text.layout.fragments import (
    SOFT_HYPHEN,
    Fragment,
    Row,
    chained,
    in_reading_order,
    is_rtl,
    rows_of,
    united,
)
from tamis.engine.text.layout.tables import Rule, aligned, ruled
from tamis.model.media_document import ObjectType

_LOOSE = 1.3
"""Lines that are farther apart, in usual distances of the page, are of two paragraphs."""
_INDENT = 0.7
_FEW_LINES = 5
_LEADING = 1.6
_APART = 2.5
_OTHER_SIZE = 1.15
_HEADING = 1.2
_HEADING_LINES = 3
_RAGGED = 0.97
_BULLET = re.compile(r"\s*(?:[•‣◦▪●·–-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")


@dataclass(frozen=True, slots=True)
class LaidBlock:
    """text: a table's rows are lines, its cells stand apart by tabs."""

    text: str
    object_type: ObjectType
    left: float
    top: float
    right: float
    bottom: float
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def lay_out(fragments: Sequence[Fragment], rules: Sequence[Rule] = ()) -> list[LaidBlock]:
    """Blocks in reading order: columns one after the other, from the right where the text runs so."""
    lines = chained(ruled([one for one in fragments if one.text.strip()], rules))
    if not lines:
        return []
    usual = _usual_height(lines)
    return [
        block
        for region in regions(lines)
        for block in _blocks(aligned(rows_of([part for line in region for part in line.parts or (line,)])), usual)
    ]


def _usual_height(pieces: Sequence[Fragment]) -> float:
    """Half of the page's letters are not larger."""
    sizes = sorted((one.height, len(one.text)) for one in pieces)
    half, seen = sum(count for _, count in sizes) / 2, 0
    for height, count in sizes:
        seen += count
        if seen >= half:
            return height
    return sizes[-1][0]


def _blocks(rows: Sequence[Row], usual: float) -> Iterator[LaidBlock]:
    lines: list[_Line] = []
    for row in rows:
        table = next((piece for piece in row if piece.rows), None)
        if table is None:
            lines.append(_line(row))
            continue
        yield from _paragraphs(lines, usual)
        lines = []
        text = "\n".join("\t".join(cells) for cells in table.rows)
        yield LaidBlock(text, "table", table.left, table.top, table.right, table.bottom, table.rows)
    yield from _paragraphs(lines, usual)


def _line(row: Row) -> _Line:
    return _Line(" ".join(piece.text for piece in in_reading_order(row)), *united(row))


def _paragraphs(lines: Sequence[_Line], usual: float) -> Iterator[LaidBlock]:
    if not lines:
        return
    step = _step(lines, usual)
    edge = statistics.median_low([line.left for line in lines])
    block = [lines[0]]
    for place in range(1, len(lines)):
        if _begins(lines, place, step, edge):
            yield _block(block, usual)
            block = []
        block.append(lines[place])
    yield _block(block, usual)


def _step(lines: Sequence[_Line], usual: float) -> float:
    """From one line of a paragraph to the next."""
    steps = [below.bottom - above.bottom for above, below in pairwise(lines)]
    near = [step for step, line in zip(steps, lines, strict=False) if 0 < step < _APART * line.height]
    step = statistics.median_low(near) if near else _LEADING * usual
    return step if len(lines) >= _FEW_LINES else min(step, _LEADING * usual)


def _begins(lines: Sequence[_Line], place: int, step: float, edge: float) -> bool:
    """Whether a paragraph begins here: after a wide gap, in another size, or with an indent or a bullet."""
    before, line = lines[place - 1], lines[place]
    if line.bottom - before.bottom > _LOOSE * step:
        return True
    larger, smaller = max(before.height, line.height), min(before.height, line.height)
    if larger > _OTHER_SIZE * smaller or _BULLET.match(line.text):
        return True
    indent = _INDENT * line.height
    return line.left - edge > indent and before.left - edge < indent and not is_rtl(line.text)


def _block(lines: Sequence[_Line], usual: float) -> LaidBlock:
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    text = _flowing(lines, right)
    kind: ObjectType = "paragraph"
    if len(lines) <= _HEADING_LINES and lines[0].height > _HEADING * usual:
        kind = "header"
    elif _BULLET.match(text):
        kind = "list"
    return LaidBlock(text, kind, left, lines[0].top, right, lines[-1].bottom)


def _flowing(lines: Sequence[_Line], right: float) -> str:
    """Lines as one, but where a line ends early and the next word would have fitted: there the author ended it."""
    text = lines[0].text
    for before, line in pairwise(lines):
        if text.endswith(SOFT_HYPHEN):
            text = text[:-1] + line.text
            continue
        word = (line.right - line.left) * len(line.text.split(" ", 1)[0]) / max(1, len(line.text))
        fits = before.right + word < _RAGGED * right and not is_rtl(line.text)
        text += ("\n" if fits else " ") + line.text
    return text.replace(SOFT_HYPHEN, "-")
