"""What is read on a PDF's page: letters with places, and the order in which a piece of them is read."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tamis.decoding.pdf_characters import Characters
from tamis.engine.text.layout import SOFT_HYPHEN

_HYPHENS = (0x02, 0xFFFE)
"""PDFium's marks for the hyphen of a word that goes on in the next line."""
_LINE_ENDS = (0x0A, 0x0D)
_CODES = 0x110000
_SPELLED = ((0xFB00, 0xFDFF), (0xFE70, 0xFEFE))
"""Ligatures and forms of letters, which stand for plain letters."""
_LAM, _ALEFS = "ل", "اأإآ"

Places = NDArray[np.float64]
"""[4, n]: left, top, right, bottom on the page as it is shown; y down."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Those of a page that have a place, and what stands between each and the one before it.

    index: PDFium's.  ends_line, spaced: bool [n], a line's end or a space before it.  garbled: how many were left out
    because the file's fonts give them no meaning.  of_glyph: those that come from the same glyph as the one before.
    """

    texts: Sequence[str]
    places: Places
    index: NDArray[np.int64]
    ends_line: NDArray[np.bool_]
    spaced: NDArray[np.bool_]
    garbled: int
    of_glyph: Sequence[int]

    @classmethod
    def of(cls, found: Characters, shown: Callable[[NDArray[np.float64]], Places]) -> "Letters":
        """shown: of boxes, their places."""
        codes, which = np.unique(found.codes, return_inverse=True)
        table = [_letter(int(code)) for code in codes]
        garbled = (found.means_nothing | (found.codes >= _CODES)) & ~np.isin(found.codes, (*_HYPHENS, *_LINE_ENDS))
        kinds = np.array([_KINDS.get(text, _LETTER) for text in table], np.uint8)[which]
        kinds[garbled] = _NOTHING
        index = np.flatnonzero((kinds == _LETTER) & found.has_box)
        texts = [table[one] for one in which[index].tolist()]
        places = shown(found.boxes[index])
        spaced = _between(kinds == _SPACE, index)
        alike = (places[:, 1:] == places[:, :-1]).all(axis=0) & ~spaced[1:]
        of_glyph = [place for place in (np.flatnonzero(alike) + 1).tolist() if _is_rtl(texts[place])]
        return cls(texts, places, index, _between(kinds == _END, index), spaced, int(garbled.sum()), of_glyph)

    def text(self, start: int, end: int) -> str:
        """Of one piece, in the order in which it is read."""
        of_glyph = {place for place in self.of_glyph if start < place < end} if self.of_glyph else ()
        found: list[str] = []
        group = 0
        spaced = self.spaced[start:end].tolist()
        for place, letter in enumerate(self.texts[start:end], start):
            if spaced[place - start]:
                found.append(" ")
            if place in of_glyph and not (found[-1] == _LAM and letter in _ALEFS):
                # PDFium turns right-to-left text around letter by letter, also within a glyph that stands for several;
                # only the one glyph of lam and alef it may have taken apart in the right order.
                found.insert(len(found) - group, letter)
                group += 1
            else:
                found.append(letter)
                group = 1
        return "".join(found).strip()


_NOTHING, _SPACE, _END, _LETTER = range(4)
_KINDS = {"": _NOTHING, " ": _SPACE, "\n": _END}


def _between(marks: NDArray[np.bool_], index: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether there is a mark between each of these and the one before it."""
    return np.diff(np.cumsum(marks)[index], prepend=0) > 0


@lru_cache(4096)
def _letter(code: int) -> str:
    """Empty where there is nothing to read."""
    if code in _HYPHENS:
        return SOFT_HYPHEN
    if code in _LINE_ENDS:
        return "\n"
    letter = chr(code) if code < _CODES else ""
    if letter.isspace():
        return " "
    if any(start <= code <= end for start, end in _SPELLED):
        letter = unicodedata.normalize("NFKC", letter)
    return letter if letter and unicodedata.category(letter[0]) not in ("Cc", "Cs", "Cn", "Co") else ""


def _is_rtl(letter: str) -> bool:
    return unicodedata.bidirectional(letter[0]) in ("R", "AL", "NSM", "WS")
