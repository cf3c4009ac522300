"""BM25 as sparse vectors: documents carry saturated term frequencies, the index brings the rarity of terms."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import metadata
from itertools import chain
from typing import Any

import numpy as np
import Stemmer

from tamis.inference.languages import DEFAULT, LATIN, STOP_WORDS, detect_latin, language_named, language_of_script
from tamis.inference.words import base, fold, grams, normalise, split, whole_characters
from tamis.model.vector import Sparse

_ALGORITHMS = frozenset(Stemmer.algorithms())
_CACHED_WORDS = 200_000
_LONGEST_WORD = 64
_UNSTEMMED = ""
_ARABIC_AND_THE = ("وال", "فال", "كال")
_ARABIC_ENDINGS = str.maketrans("ىة", "يه")


class Bm25Encoder:
    """A LexicalEncoder.

    A document's weight for a term is BM25's tf (k1 + 1) / (tf + k1 (1 - b + b length / average_length)); a query's is
    how often it asks for the term. Together with the index's ln((N - df + 0.5) / (df + 0.5) + 1) their product is
    BM25 (Robertson & Zaragoza 2009). `average_length` is a fixed pivot in words: a document's vector must not change
    because others arrive.

    Words of Latin script are stemmed as the text's language, found by its function words (else as English), words of
    other scripts as their script's. A word with accents or tone marks stands as written and without them, so that
    either spelling finds it and the one asked for comes first; a query gives each of the two half of its weight.
    A query too short to show its language is stemmed in all of them. Scripts without spaces are indexed by pairs
    of characters. Safe for threads.
    """

    def __init__(self, k1: float = 1.2, b: float = 0.75, average_length: float = 128.0) -> None:
        self._k1, self._b, self._average_length = k1, b, average_length
        self.version = f"bm25-1 k1={k1:g} b={b:g} pivot={average_length:g} snowball-{_snowball_version()}"
        self._stems = _Stems()

    def encode_document(self, text: str, language: str | None = None) -> Sparse:
        """language: a code (`de`) or name (`german`) where it is known."""
        words, runs = split(normalise(text))
        counted = Counter(words)
        latin = _latin_language(language, counted.keys()) or DEFAULT
        terms: Counter[int] = Counter()
        for word, count in counted.items():
            for term in self._stems.terms(word, latin):
                terms[term] += count
        pairs = [gram for run in runs for gram in grams(run)]
        for gram, count in Counter(chain(pairs, *map(whole_characters, runs))).items():
            terms[term_id(gram)] += count
        return self._weighted(terms, len(words) + len(pairs))

    def encode_query(self, text: str, language: str | None = None) -> Sparse:
        """Stop words of the query's language are left out, unless it has no other words."""
        words, runs = split(normalise(text))
        counted = Counter(words)
        known = _latin_language(language, counted.keys())
        stops = STOP_WORDS.get(known or "", frozenset())
        asked = {word: count for word, count in counted.items() if word not in stops}
        if not asked and not runs:
            asked = counted
        languages = dict.fromkeys((known, DEFAULT) if known else (*LATIN, _UNSTEMMED))
        weights: Counter[int] = Counter()
        for word, count in asked.items():
            for term, share in self._shares(word, languages).items():
                weights[term] += count * share  # type: ignore[assignment]  # a Counter of floats
        weights.update(term_id(gram) for run in runs for gram in grams(run))
        return _sparse(weights)

    def _shares(self, word: str, languages: Iterable[str]) -> dict[int, float]:
        """Terms that this word may stand under in the index; a document's word has those of one language only."""
        shares: dict[int, float] = {}
        for language in languages:
            terms = self._stems.terms(word, language)
            for term in terms:
                shares[term] = max(shares.get(term, 0.0), 1 / len(terms))
        return shares

    def _weighted(self, terms: Mapping[int, int], length: int) -> Sparse:
        norm = self._k1 * (1 - self._b + self._b * length / self._average_length)
        return _sparse({term: count * (self._k1 + 1) / (count + norm) for term, count in terms.items()})


def term_id(term: str) -> int:
    """The same 32 bits for the same term, on every machine."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "replace"), digest_size=4).digest(), "little")


class _Stems:
    """Word and language -> its terms, kept: a collection has few different words."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stemmers: dict[str, Any] = {}
        self._terms: dict[tuple[str, str], tuple[int, ...]] = {}

    def terms(self, word: str, latin: str) -> tuple[int, ...]:
        """One term, or two where the word has marks: as written and without them."""
        word = word[:_LONGEST_WORD]
        known = self._terms.get((word, latin))
        return known if known is not None else self._make(word, latin)

    def _make(self, word: str, latin: str) -> tuple[int, ...]:
        plain = base(word)
        by_script = None if plain.isascii() else language_of_script(plain)
        language = latin if by_script is None else by_script
        # Vowel points are an ornament of Arabic and Hebrew text, not another spelling: only the bare form counts.
        forms = (fold(plain),) if by_script is not None else (plain,) if plain.isascii() else (plain, fold(plain))
        # A stemmer keeps state while it works, so one word at a time.
        with self._lock:
            stems = dict.fromkeys(self._stem(form, language) for form in forms)
            if len(self._terms) >= _CACHED_WORDS:
                self._terms.clear()
            found = self._terms[word, latin] = tuple(term_id(stem) for stem in stems)
        return found

    def _stem(self, word: str, language: str) -> str:
        if language not in _ALGORITHMS:
            return word
        stemmer = self._stemmers.get(language)
        if stemmer is None:
            stemmer = self._stemmers[language] = Stemmer.Stemmer(language, 0)
        if language == "arabic":
            return _stem_arabic(word, stemmer)
        return str(stemmer.stemWord(word)) or word


def _stem_arabic(word: str, stemmer: Any) -> str:
    """The stemmer takes one article or ending at a time, and none behind `and`: the forms of a word meet at the end."""
    if len(word) > 5 and word.startswith(_ARABIC_AND_THE):
        word = word[1:]
    stem = str(stemmer.stemWord(word)) or word
    return (str(stemmer.stemWord(stem)) or stem).translate(_ARABIC_ENDINGS)


def _latin_language(given: str | None, words: Iterable[str]) -> str | None:
    return language_named(given) if given else detect_latin(frozenset(words))


def _sparse(weights: Mapping[int, float]) -> Sparse:
    terms = sorted(weights)
    values = np.fromiter((weights[term] for term in terms), np.float32, len(terms))
    return Sparse(np.array(terms, np.uint32), values)


def _snowball_version() -> str:
    return metadata.version("PyStemmer")
