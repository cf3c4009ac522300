"""What was said, cut where a listener would: into passages, or along the shots of a film."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tamis.model.json import JSON
from tamis.model.media_sound import Transcript, Utterance, Word

_SENTENCE_ENDS = (".", "?", "!", "。", "？", "！", "…")


@dataclass(frozen=True, slots=True)
class Passage:
    """words: at least one, in the order of time."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return self.words[-1].end_s


def passages(transcript: Transcript, longest_s: float, pause_s: float) -> list[Passage]:
    """Whole utterances packed together up to `longest_s`; a pause of `pause_s` or more always ends a passage.

    An utterance that is too long by itself is cut after the last sentence that fits, else between two words.
    """
    found: list[Passage] = []
    held: list[Word] = []
    for piece in _pieces(transcript.utterances, longest_s, pause_s):
        if held and (piece[0].start_s - held[-1].end_s >= pause_s or piece[-1].end_s - held[0].start_s > longest_s):
            found.append(Passage(tuple(held)))
            held = []
        held += piece
    return [*found, Passage(tuple(held))] if held else found


def aligned(transcript: Transcript, spans_ms: Sequence[tuple[int, int]]) -> list[tuple[Word, ...]]:
    """Of each span of time the words whose middle lies in it. spans_ms: ascending, not overlapping."""
    found: list[list[Word]] = [[] for _ in spans_ms]
    place = 0
    for word in _words(transcript):
        middle_ms = (word.start_s + word.end_s) * 500
        while place < len(spans_ms) - 1 and middle_ms >= spans_ms[place][1]:
            place += 1
        if spans_ms:
            found[place].append(word)
    return [tuple(words) for words in found]


def noted(words: Sequence[Word]) -> list[JSON]:
    """Words as a document keeps them."""
    return [
        {
            "text": word.text,
            "start_ms": round(word.start_s * 1000),
            "end_ms": round(word.end_s * 1000),
            "probability": word.probability,
        }
        for word in words
    ]


def _words(transcript: Transcript) -> Iterator[Word]:
    for utterance in transcript.utterances:
        yield from utterance.words


def _pieces(utterances: Sequence[Utterance], longest_s: float, pause_s: float) -> Iterator[tuple[Word, ...]]:
    for utterance in utterances:
        for words in _breaths(utterance.words, pause_s):
            rest = words
            while len(rest) > 1 and rest[-1].end_s - rest[0].start_s > longest_s:
                end = _fitting(rest, longest_s)
                yield rest[:end]
                rest = rest[end:]
            yield rest


def _breaths(words: tuple[Word, ...], pause_s: float) -> Iterator[tuple[Word, ...]]:
    """Speech models take what is said before and after a long pause for one utterance now and then."""
    start = 0
    for place, (before, after) in enumerate(pairwise(words), start=1):
        if after.start_s - before.end_s >= pause_s:
            yield words[start:place]
            start = place
    if words:
        yield words[start:]


def _fitting(words: Sequence[Word], longest_s: float) -> int:
    """How many words fit, at least one; up to the end of a sentence where there is one among them."""
    fit = sum(word.end_s - words[0].start_s <= longest_s for word in words)
    ends = [place + 1 for place in range(fit) if words[place].text.endswith(_SENTENCE_ENDS)]
    return ends[-1] if ends else max(1, fit)
