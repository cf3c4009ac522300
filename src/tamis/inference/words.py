"""Text to words, by Unicode: case, width and composition folded, scripts without spaces cut into overlapping pairs."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

_UNSPACED = (
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
    "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul: spaced, but with particles grown on
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf"  # Thai, Lao
    "\u1000-\u103f\u1050-\u108f\u1780-\u17d3"  # Myanmar, Khmer
)
_WRITES_WORDS_IN_ONE = re.compile("[\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U000323af]")


def _word_characters() -> str:
    """Ranges of all letters, numbers and marks that are not in `_UNSPACED`, for a character class."""
    unspaced = re.compile(f"[{_UNSPACED}]")
    ranges: list[str] = []
    start = None
    for code in range(0x30000):
        character = chr(code)
        inside = unicodedata.category(character)[0] in "LNM" and not unspaced.match(character)
        if inside and start is None:
            start = character
        elif not inside and start is not None:
            ranges.append(f"{start}-{chr(code - 1)}")
            start = None
    return "".join(ranges)


@cache
def _segment() -> re.Pattern[str]:
    """Made when the first text beyond ASCII comes: it takes a tenth of a second."""
    word = _word_characters()
    return re.compile(rf"(\d+(?:[.,]\d+)+|[{word}]+(?:['’][{word}]+)*)|([{_UNSPACED}]+)")


_ASCII_SEGMENT = re.compile(r"\d+(?:[.,]\d+)+|[a-z0-9]+(?:'[a-z0-9]+)*")
# Soft hyphens and the like only say how a word is drawn, tatweel how long; the joiners shape Persian and Indic words.
_INVISIBLE = {ord(character): None for character in "\u00ad\u200b\u2060\ufeff\u0640\u200c\u200d"}


@cache
def _cluster() -> re.Pattern[str]:
    """A character and the marks upon it."""
    marks = "".join(chr(code) for code in range(0x0E31, 0x10A0) if unicodedata.category(chr(code))[0] == "M")
    return re.compile(f".[{marks}\u17b4-\u17d3]*")


_ENGLISH_TAILS = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})
_ELIDED = frozenset("ldjmtsnc") | {
    "qu",
    "jusqu",
    "lorsqu",
    "puisqu",
    "quoiqu",
    "dell",
    "nell",
    "all",
    "sull",
    "dall",
    "un",
}


def normalise(text: str) -> str:
    """Case folded, compatibility composed (NFKC), without invisible characters."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()
    return unicodedata.normalize("NFKC", folded)


def split(normalised: str) -> tuple[list[str], list[str]]:
    """(words between spaces or punctuation, runs of scripts that write without spaces), each in order."""
    if normalised.isascii():
        return _ASCII_SEGMENT.findall(normalised), []
    pairs = _segment().findall(normalised)
    return [word for word, _ in pairs if word], [run for _, run in pairs if run]


def grams(run: str) -> list[str]:
    """Overlapping pairs of a run's characters (with the marks on them); the run itself where it is one character."""
    clusters = _cluster().findall(run)
    return [left + right for left, right in pairwise(clusters)] if len(clusters) > 1 else [run]


def whole_characters(run: str) -> list[str]:
    """Characters of a run that can be words by themselves: a query of one of them finds it inside longer runs."""
    return _WRITES_WORDS_IN_ONE.findall(run) if len(run) > 1 else []


def base(word: str) -> str:
    """The word without clitics: `don't` is don, `l'homme` is homme, `o'neill` is oneill."""
    parts = word.replace("’", "'").split("'")
    if len(parts) == 1:
        return word
    if parts[-1] in _ENGLISH_TAILS:
        parts.pop()
    if len(parts) > 1 and parts[0] in _ELIDED:
        parts.pop(0)
    return "".join(parts)


def fold(word: str) -> str:
    """Without the marks that people leave out when they type: accents, tone marks, vowel points; alef in one form.

    Vowel signs of Indic scripts and the like are letters in all but name, and stay.
    """
    decomposed = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(_bare(decomposed))).translate(_PLAIN)


def _bare(decomposed: str) -> Iterator[str]:
    previous = ""
    for character in decomposed:
        if character not in _DROPPED or (character == "\u0306" and previous == "\u0438"):  # Cyrillic short i
            yield character
        previous = character


_DROPPED = frozenset(
    chr(code)
    for low, high in ((0x0300, 0x036F), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x06D6, 0x06ED))
    for code in range(low, high + 1)
    if unicodedata.category(chr(code)) == "Mn"
) | {"\u0670"}
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ٱ": "ا"})
