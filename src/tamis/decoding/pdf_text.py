"""The characters of a PDF's page to pieces of text with places, in the order in which they are read."""

import ctypes
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, radians, sin
from typing import Any

from tamis.engine.text.layout import SOFT_HYPHEN, Fragment

_MOST_CHARACTERS = 200_000
"""Of a page; what lies beyond is left out."""
_GAP = 0.9
_WIDE_GAP = 1.5
"""In heights: up to here it may be one between two sentences of a justified line, or between two cells."""
_SAME_LINE = 0.4
_UPRIGHT = 0.1
_HYPHENS = (0x02, 0xFFFE)
"""PDFium's marks for the hyphen of a word that goes on in the next line."""
_SPELLED = ((0xFB00, 0xFDFF), (0xFE70, 0xFEFE))
"""Ligatures and forms of letters, which stand for plain letters."""

_LAM, _ALEFS = "ل", "اأإآ"

Edges = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageText:
    """garbled: characters that the file's fonts give no meaning, left out."""

    fragments: list[Fragment]
    garbled: int
    is_cut: bool


@dataclass(slots=True)
class _Run:
    """A piece that is being read. line: left, top, right, bottom so far."""

    goes_on: bool = False
    letters: list[str] = field(default_factory=list)
    line: Edges | None = None
    last: Edges | None = None
    group: int = 0
    """Letters at the end that come from one glyph."""

    def add(self, letter: str, edges: Edges) -> None:
        if edges == self.last and _is_rtl(letter) and not (self.letters[-1] == _LAM and letter in _ALEFS):
            # PDFium turns right-to-left text around letter by letter, also within a glyph that stands for several;
            # only the one glyph of lam and alef it may have taken apart in the right order.
            self.letters.insert(len(self.letters) - self.group, letter)
            self.group += 1
        else:
            self.letters.append(letter)
            self.group = 1
        self.last = edges
        self.line = edges if self.line is None else _union(self.line, edges)

    def space(self) -> None:
        if self.letters and not self.letters[-1].isspace():
            self.letters.append(" ")
            self.group = 0
            self.last = None

    def gap(self, edges: Edges) -> float:
        """To the letter, in heights; infinite where it stands in another line."""
        if self.line is None:
            return 0.0
        left, top, right, bottom = self.line
        height = min(bottom - top, edges[3] - edges[1])
        if min(bottom, edges[3]) - max(top, edges[1]) < _SAME_LINE * height:
            return inf
        return max(edges[0] - right, left - edges[2]) / max(bottom - top, edges[3] - edges[1], 1e-6)

    def fragment(self) -> Iterator[Fragment]:
        text = "".join(self.letters).strip()
        if text and self.line is not None:
            yield Fragment(text, *self.line, goes_on=self.goes_on)


def page_text(page: Any, text_page: Any, height: float) -> PageText:
    """height: of the page as it is shown, for y from its top."""
    import pypdfium2.raw as pdfium

    count = text_page.count_chars()
    reader = _Reader(pdfium, text_page, _Shown.of(page, height))
    fragments = [run for run in reader.runs(min(count, _MOST_CHARACTERS))]
    return PageText(fragments, reader.garbled, count > _MOST_CHARACTERS)


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

    def edges(self, left: float, bottom: float, right: float, top: float) -> Edges:
        """left, top, right, bottom; y down."""
        x0, x1, y0, y1 = left - self.left, right - self.left, bottom - self.bottom, top - self.bottom
        if self.rotation == 90:
            x0, x1, y0, y1 = y0, y1, self.height - x1, self.height - x0
        elif self.rotation == 180:
            x0, x1, y0, y1 = self.width - x1, self.width - x0, self.height - y1, self.height - y0
        elif self.rotation == 270:
            x0, x1, y0, y1 = self.width - y1, self.width - y0, x0, x1
        return x0, self.height - y1, x1, self.height - y0


@dataclass(slots=True)
class _Reader:
    pdfium: Any
    text_page: Any
    shown: _Shown
    garbled: int = 0

    def runs(self, count: int) -> Iterator[Fragment]:
        run = _Run()
        for index in range(count):
            code = self.pdfium.FPDFText_GetUnicode(self.text_page, index)
            letter = self._letter(index, code)
            if letter is None:
                continue
            edges = self._edges(index) if letter not in (" ", "\n") else None
            gap = self._gap(run, letter, edges, index)
            if gap > _GAP:
                yield from run.fragment()
                run = _Run(goes_on=bool(run.letters) and gap <= _WIDE_GAP)
            if letter == " ":
                run.space()
            elif edges is not None:
                run.add(letter, edges)
        yield from run.fragment()

    def _letter(self, index: int, code: int) -> str | None:
        """None where there is nothing to read."""
        if code in _HYPHENS:
            return SOFT_HYPHEN
        if code in (0x0A, 0x0D):
            return "\n"
        letter = chr(code) if code < 0x110000 else ""
        if not letter or self.pdfium.FPDFText_HasUnicodeMapError(self.text_page, index) == 1:
            self.garbled += 1
            return None
        if letter.isspace():
            return " "
        if any(start <= code <= end for start, end in _SPELLED):
            letter = unicodedata.normalize("NFKC", letter)
        return letter if unicodedata.category(letter[0]) not in ("Cc", "Cs", "Cn", "Co") else None

    def _edges(self, index: int) -> Edges | None:
        found = self.pdfium.FS_RECTF()
        if not self.pdfium.FPDFText_GetLooseCharBox(self.text_page, index, ctypes.byref(found)):
            return None
        return self.shown.edges(found.left, found.bottom, found.right, found.top)

    def _gap(self, run: _Run, letter: str, edges: Edges | None, index: int) -> float:
        if edges is None:
            return inf if letter == "\n" else 0.0
        gap = run.gap(edges)
        return gap if gap <= _GAP or self._is_level(index) else 0.0

    def _is_level(self, index: int) -> bool:
        """Where it is not, letters follow each other up or down the page, and only PDFium's own line ends hold."""
        angle = self.pdfium.FPDFText_GetCharAngle(self.text_page, index) + radians(self.shown.rotation)
        return abs(sin(angle / 2)) < _UPRIGHT


def _is_rtl(letter: str) -> bool:
    return unicodedata.bidirectional(letter[0]) in ("R", "AL", "NSM", "WS")


def _union(one: Edges, other: Edges) -> Edges:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
