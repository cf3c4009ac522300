"""The characters of a PDF's page to pieces of text with places, in the order in which they are read."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tamis.decoding.pdf_characters import characters
from tamis.decoding.pdf_letters import Letters, Places
from tamis.engine.text.layout import Fragment

_MOST_CHARACTERS = 200_000
"""Of a page; what lies beyond is left out."""
_GAP = 0.9
_WIDE_GAP = 1.5
"""In heights: up to here it may be one between two sentences of a justified line, or between two cells."""
_SAME_LINE = 0.4
_UPRIGHT = 0.1

Edges = tuple[float, float, float, float]
"""left, top, right, bottom; y down."""


@dataclass(frozen=True, slots=True)
class PageText:
    """garbled: characters that the file's fonts give no meaning, left out."""

    fragments: list[Fragment]
    garbled: int
    is_cut: bool


def page_text(page: Any, text_page: Any, height: float) -> PageText:
    """height: of the page as it is shown, for y from its top."""
    count = text_page.count_chars()
    shown = _Shown.of(page, height)
    letters = Letters.of(characters(text_page, min(count, _MOST_CHARACTERS)), shown.places)
    fragments = list(_Reader(text_page, shown.rotation, letters).fragments())
    return PageText(fragments, letters.garbled, count > _MOST_CHARACTERS)


@dataclass(frozen=True, slots=True)
class _Shown:
    """From the page's own coordinates to those of the page as it is shown, turned and cropped."""

    rotation: int
    left: float
    bottom: float
    width: float
    height: float

    @classmethod
    def of(cls, page: Any, height: float) -> "_Shown":
        left, bottom, _, _ = page.get_cropbox()
        return cls(page.get_rotation(), left, bottom, page.get_width(), height)

    def places(self, boxes: NDArray[np.float64]) -> Places:
        """boxes: float64 [n, 4], left, top, right, bottom, y up."""
        left, top, right, bottom = boxes.T
        x0, x1, y0, y1 = left - self.left, right - self.left, bottom - self.bottom, top - self.bottom
        if self.rotation == 90:
            x0, x1, y0, y1 = y0, y1, self.height - x1, self.height - x0
        elif self.rotation == 180:
            x0, x1, y0, y1 = self.width - x1, self.width - x0, self.height - y1, self.height - y0
        elif self.rotation == 270:
            x0, x1, y0, y1 = self.width - y1, self.width - y0, x0, x1
        return np.stack([x0, self.height - y1, x1, self.height - y0])


@dataclass(slots=True)
class _Run:
    """A piece that is being read: its letters, by number, and what they cover so far."""

    start: int
    end: int
    line: Edges
    goes_on: bool = False

    def gap(self, edges: Edges) -> float:
        """To the letter, in heights; infinite where it stands in another line."""
        left, top, right, bottom = self.line
        height = min(bottom - top, edges[3] - edges[1])
        if min(bottom, edges[3]) - max(top, edges[1]) < _SAME_LINE * height:
            return inf
        return max(edges[0] - right, left - edges[2]) / max(bottom - top, edges[3] - edges[1], 1e-6)

    def take(self, end: int, edges: Edges) -> None:
        self.end = end
        self.line = _union(self.line, edges)


@dataclass(frozen=True, slots=True)
class _Reader:
    text_page: Any
    rotation: int
    letters: Letters

    def fragments(self) -> Iterator[Fragment]:
        run: _Run | None = None
        for start, end, first, covered, ends_line in _stretches(self.letters):
            gap = inf if run is None or ends_line else self._gap(run, first, start)
            if run is not None and gap <= _GAP:
                run.take(end, covered)
                continue
            yield from self._fragment(run)
            run = _Run(start, end, covered, goes_on=gap <= _WIDE_GAP)
        yield from self._fragment(run)

    def _fragment(self, run: _Run | None) -> Iterator[Fragment]:
        text = self.letters.text(run.start, run.end) if run is not None else ""
        if run is not None and text:
            yield Fragment(text, *run.line, goes_on=run.goes_on)

    def _gap(self, run: _Run, first: Edges, start: int) -> float:
        gap = run.gap(first)
        return gap if gap <= _GAP or self._is_level(int(self.letters.index[start])) else 0.0

    def _is_level(self, index: int) -> bool:
        """Where it is not, letters follow each other up or down the page, and only PDFium's own line ends hold."""
        import pypdfium2.raw as pdfium

        angle = pdfium.FPDFText_GetCharAngle(self.text_page, index) + radians(self.rotation)
        return abs(sin(angle / 2)) < _UPRIGHT


def _stretches(letters: Letters) -> Iterator[tuple[int, int, Edges, Edges, bool]]:
    """Letters that cannot but stand together: start, end, the first one's edges, those of all, whether a line ends
    before it.
    """
    if not letters.texts:
        return
    starts = np.flatnonzero(_may_begin(letters))
    left, top, right, bottom = letters.places
    covered = (
        np.minimum.reduceat(left, starts), np.minimum.reduceat(top, starts),
        np.maximum.reduceat(right, starts), np.maximum.reduceat(bottom, starts),
    )  # fmt: skip
    yield from zip(
        starts.tolist(),
        [*starts[1:].tolist(), len(letters.texts)],
        zip(*letters.places[:, starts].tolist(), strict=True),
        zip(*(edge.tolist() for edge in covered), strict=True),
        letters.ends_line[starts].tolist(),
        strict=True,
    )


def _may_begin(letters: Letters) -> NDArray[np.bool_]:
    """Which letters may begin a piece: all but those that stand near the one before, for they are near its piece, too.

    A piece covers its last letter: a gap to it is no wider and what it shares of the line no less.
    """
    left, top, right, bottom = letters.places
    height = bottom - top
    shared = np.minimum(bottom[1:], bottom[:-1]) - np.maximum(top[1:], top[:-1])
    gap = np.maximum(left[1:] - right[:-1], left[:-1] - right[1:])
    near = (shared >= _SAME_LINE * height[1:]) & (gap <= _GAP * np.maximum(height[1:], height[:-1]))
    return np.concatenate([[True], letters.ends_line[1:] | ~near])


def _union(one: Edges, other: Edges) -> Edges:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
