"""The characters of a PDF's page, all at once: what they mean and where they stand."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EDGES = 4
_FLOAT_BYTES = 4
_HALVES, _LOW_HALVES, _END_OF_HALVES = 0xD800, 0xDC00, 0xE000


@dataclass(frozen=True, slots=True)
class Characters:
    """codes: uint32 [n].  boxes: float64 [n, 4], left, top, right, bottom in the page's own coordinates, y up.

    has_box: bool [n].  means_nothing: bool [n], where the file's font does not say which character a glyph is.
    """

    codes: NDArray[np.uint32]
    boxes: NDArray[np.float64]
    has_box: NDArray[np.bool_]
    means_nothing: NDArray[np.bool_]


def characters(text_page: Any, count: int) -> Characters:
    """The first `count` of the page. Cost: two calls of PDFium a character, about a microsecond in all."""
    calls, page = _calls(), ctypes.cast(text_page.raw, ctypes.c_void_p).value
    boxes = np.zeros((count, _EDGES), np.float32)
    step, start = _EDGES * _FLOAT_BYTES, boxes.ctypes.data
    targets = range(start, start + step * count, step)
    has_box = np.fromiter(map(calls.box, repeat(page), range(count), targets), np.bool_, count)
    unknown = np.fromiter(map(calls.is_unknown, repeat(page), range(count)), np.int32, count)
    return Characters(_codes(text_page, page, count), boxes.astype(np.float64), has_box, unknown == 1)


@dataclass(frozen=True, slots=True)
class _Calls:
    code: Callable[[Any, int], int]
    box: Callable[[Any, int, int], int]
    is_unknown: Callable[[Any, int], int]


@cache
def _calls() -> _Calls:
    """PDFium's functions with prototypes of our own, which take addresses as numbers.

    The binding's make an object for each argument and let go of the interpreter each time: four times as slow.
    """
    import pypdfium2.raw as pdfium

    def called(function: Any, result: Any, *arguments: Any) -> Any:
        return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)

    page, index, address = ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
    return _Calls(
        code=called(pdfium.FPDFText_GetUnicode, ctypes.c_uint, page, index),
        box=called(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, page, index, address),
        is_unknown=called(pdfium.FPDFText_HasUnicodeMapError, ctypes.c_int, page, index),
    )


def _codes(text_page: Any, page: int | None, count: int) -> NDArray[np.uint32]:
    """In one piece where that has a unit for each character; it leaves some out that are asked for one by one."""
    import pypdfium2.raw as pdfium

    whole = np.zeros(count + 1, np.uint16)
    written = pdfium.FPDFText_GetText(text_page.raw, 0, count, whole.ctypes.data_as(ctypes.POINTER(ctypes.c_ushort)))
    units = whole[:count]
    if written == count + 1 and not ((units >= _HALVES) & (units < _END_OF_HALVES)).any():
        return units.astype(np.uint32)
    return _whole(np.fromiter(map(_calls().code, repeat(page), range(count)), np.uint32, count))


def _whole(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A character beyond 16 bits comes as two halves: the first becomes the whole, the second one that is not read."""
    is_high, is_low = (codes >= _HALVES) & (codes < _LOW_HALVES), (codes >= _LOW_HALVES) & (codes < _END_OF_HALVES)
    first = np.flatnonzero(is_high[:-1] & is_low[1:])
    codes[first] = 0x10000 + ((codes[first] - _HALVES) << 10) + (codes[first + 1] - _LOW_HALVES)
    codes[first + 1] = 0
    return codes
