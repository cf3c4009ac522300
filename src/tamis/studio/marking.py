"""Where a text matches what was asked, by the very analysis that lexical search uses: stems, without stop words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tamis.inference.lexical import Bm25Encoder

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LONGEST_QUERY = 2_000
_LONGEST_TEXT = 20_000
_BEFORE = 60

_ENCODER = Bm25Encoder()


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    is_match: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """pieces: the part that is shown, in order.  is_cut_before, is_cut_after: whether text was left out there."""

    pieces: tuple[Piece, ...]
    is_cut_before: bool = False
    is_cut_after: bool = False


def terms_of(texts: Sequence[str]) -> frozenset[int]:
    """What lexical search would look for."""
    return frozenset(term for text in texts for term in _asked_terms(text[:_LONGEST_QUERY]))


def marked(text: str, terms: frozenset[int], longest: int) -> Marked:
    """At most `longest` characters of the text, from shortly before the part with the most matches."""
    matches = [found for found in _WORD.finditer(text[:_LONGEST_TEXT]) if terms and _matches(found[0], terms)]
    start = _start(text, [found.start() for found in matches], longest)
    end = min(len(text), start + longest)
    shown = [found.span() for found in matches if start <= found.start() and found.end() <= end]
    return Marked(tuple(_pieces(text, start, end, shown)), start > 0, end < len(text))


def texts_in(value: Any) -> Iterator[str]:
    """Every text inside of inputs or parameters, but for addresses and files."""
    if isinstance(value, str):
        if not value.startswith(("data:", "mixpeek://", "http://", "https://", "blob://")):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def _start(text: str, places: Sequence[int], longest: int) -> int:
    """Of the window with the most matches; at a word's beginning."""
    if len(text) <= longest or not places:
        return 0
    counts = [
        sum(1 for other in places[n : n + 200] if other < place + longest - _BEFORE) for n, place in enumerate(places)
    ]
    best = places[counts.index(max(counts))]
    if best < longest - _BEFORE:
        return 0
    begin = best - _BEFORE
    return text.rfind(" ", 0, begin) + 1 or begin


def _pieces(text: str, start: int, end: int, shown: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    at = start
    for first, last in shown:
        if first > at:
            yield Piece(text[at:first])
        yield Piece(text[first:last], is_match=True)
        at = last
    if at < end:
        yield Piece(text[at:end])


@lru_cache(maxsize=512)
def _asked_terms(text: str) -> frozenset[int]:
    return frozenset(_ENCODER.encode_query(text).indices.tolist())


@lru_cache(maxsize=20_000)
def _word_terms(word: str) -> frozenset[int]:
    return frozenset(_ENCODER.encode_document(word).indices.tolist())


def _matches(word: str, terms: frozenset[int]) -> bool:
    return not terms.isdisjoint(_word_terms(word))
