"""How a text falls into chunks: by counted units, by packing units under a token budget, by windows of tokens."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tamis.engine.text.sentences import Span, pages, paragraphs, sentences, trim

TokenSpans = Callable[[str], Sequence[Span]]
DEFAULT_SIZES = {"tokens": 128, "sentences": 1, "paragraphs": 1, "pages": 1, "words": 100, "characters": 1000}
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Chunking:
    """by: `none`, `sentences`, `paragraphs`, `pages`, `words`, `characters` or `tokens`.

    size and overlap count units of `by`; with `packed`, whole sentences or paragraphs are packed while they stay
    within `size` tokens, and a unit that is longer by itself falls into windows of tokens.
    """

    by: str
    size: int
    overlap: int = 0
    packed: bool = False


def chunk(text: str, chunking: Chunking, token_spans: TokenSpans) -> list[Span]:
    """Spans of the chunks in the text's order, white space at both ends left out; none where nothing else is there.

    Every character but white space between chunks is in at least one of them.
    """
    whole = trim(text, 0, len(text))
    if whole[0] == whole[1]:
        return []
    if chunking.by == "none":
        return [whole]
    if chunking.by == "tokens":
        return _token_windows(text, token_spans(text), chunking)
    if chunking.by == "characters":
        return _character_windows(text, chunking)
    units = _UNITS[chunking.by](text)
    return _packed(text, units, chunking, token_spans) if chunking.packed else _windows(units, chunking)


def _words(text: str) -> list[Span]:
    return [match.span() for match in _WORD.finditer(text)]


_UNITS: dict[str, Callable[[str], list[Span]]] = {
    "sentences": sentences,
    "paragraphs": paragraphs,
    "pages": pages,
    "words": _words,
}


def _starts(count: int, size: int, overlap: int) -> range:
    """Where windows begin, so that the last one ends at the last unit and none lies inside its predecessor."""
    return range(0, max(1, count - overlap), size - overlap)


def _windows(units: Sequence[Span], chunking: Chunking) -> list[Span]:
    found = []
    for first in _starts(len(units), chunking.size, chunking.overlap):
        last = min(first + chunking.size, len(units)) - 1
        found.append((units[first][0], units[last][1]))
    return found


def _character_windows(text: str, chunking: Chunking) -> list[Span]:
    windows = (
        trim(text, start, min(start + chunking.size, len(text)))
        for start in _starts(len(text), chunking.size, chunking.overlap)
    )
    return [window for window in windows if window[0] < window[1]]


def _token_windows(text: str, tokens: Sequence[Span], chunking: Chunking) -> list[Span]:
    """Windows over the model's tokens. What the model has no token for belongs to the token before it."""
    if not tokens:
        return [trim(text, 0, len(text))]
    found = []
    for first in _starts(len(tokens), chunking.size, chunking.overlap):
        after = first + chunking.size
        start = tokens[first][0] if first else 0
        end = tokens[after][0] if after < len(tokens) else len(text)
        # Several tokens can come from one character; a window never ends before its own last token.
        end = max(end, tokens[min(after, len(tokens)) - 1][1])
        found.append(trim(text, start, end))
    return found


def _packed(text: str, units: Sequence[Span], chunking: Chunking, token_spans: TokenSpans) -> list[Span]:
    """Whole units while they fit; the overlap repeats as many of the last whole units as fit into it."""
    counted = _split_long(text, units, chunking, token_spans)
    found: list[Span] = []
    current: list[tuple[Span, int]] = []
    for unit, tokens in counted:
        if current and sum(size for _, size in current) + tokens > chunking.size:
            found.append((current[0][0][0], current[-1][0][1]))
            current = _kept(current, chunking, tokens)
        current.append((unit, tokens))
    if current:
        found.append((current[0][0][0], current[-1][0][1]))
    return found


def _kept(done: Sequence[tuple[Span, int]], chunking: Chunking, next_tokens: int) -> list[tuple[Span, int]]:
    room = min(chunking.overlap, chunking.size - next_tokens)
    kept: list[tuple[Span, int]] = []
    for unit, tokens in reversed(done):
        room -= tokens
        if room < 0:
            break
        kept.insert(0, (unit, tokens))
    return kept


def _split_long(
    text: str, units: Sequence[Span], chunking: Chunking, token_spans: TokenSpans
) -> list[tuple[Span, int]]:
    """Each unit with its number of tokens, those over the budget cut into windows."""
    counted: list[tuple[Span, int]] = []
    for start, end in units:
        spans = token_spans(text[start:end])
        if len(spans) <= chunking.size:
            counted.append(((start, end), len(spans)))
            continue
        for left, right in _token_windows(text[start:end], spans, Chunking("tokens", chunking.size)):
            inside = sum(1 for span in spans if left <= span[0] and span[1] <= right)
            counted.append(((start + left, start + right), inside))
    return counted
