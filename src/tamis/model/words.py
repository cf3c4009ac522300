"""Words of a text in any script, for the `text` filter. Search has its own analysis; this one is exact and simple."""

from functools import lru_cache

import re2

# Scripts written without spaces between words: there a run of characters may be any part of a longer run.
_RUN = re2.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")
_MAX_KEPT = 1000
_WORD = re2.compile(r"[\p{L}\p{N}\p{M}_]+")


def has_words(text: str, wanted: str, case_sensitive: bool = False) -> bool:
    """Whether every word of `wanted` is a word of `text`; no words are in every text."""
    wanted = wanted if case_sensitive else wanted.casefold()
    runs, words = _kept_split(wanted) if len(wanted) <= _MAX_KEPT else _split(wanted)
    text = text if case_sensitive else text.casefold()
    if not all(run in text for run in runs):
        return False
    return not words or words <= _words(text)


def _split(wanted: str) -> tuple[tuple[str, ...], frozenset[str]]:
    return tuple(_RUN.findall(wanted)), frozenset(_words(wanted))


_kept_split = lru_cache(maxsize=256)(_split)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text if text.isascii() else _RUN.sub(" ", text)))
