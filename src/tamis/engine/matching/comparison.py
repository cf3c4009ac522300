"""Texts against texts: elements taken out of fields, compared exactly, then alike, and what a score is called."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

import numpy as np
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from tamis.model.json import JSON

LONGEST_COMPARED = 2_000
"""Characters of a text that `fuzzy` looks at: its cost grows with their square."""
_CORROBORATION = 0.6
"""How much of what a score lacks the signals can make up for, all of them true."""
_ROUNDING = 1e-9


class Extraction(StrEnum):
    """How a field becomes elements."""

    RAW = "raw"
    LINES = "lines"
    LABELS = "labels"
    LIST = "list"


_ACTIONS = (
    "add|choose|click|configure|create|delete|disable|edit|enable|enter|manage|open|press|remove|select|set up|tap|"
    "toggle|update|view"
)
_LABELS = (
    re.compile(r"\*\*(?P<label>[^*\n]{1,80})\*\*"),
    re.compile(rf"\b(?i:{_ACTIONS})\s+(?:the\s+)?(?P<label>[A-Z][\w/&-]*(?: [A-Z][\w/&-]*){{0,5}})"),
)
_DASH, _BULLETS, _LONGEST = "\u2014", " \t\r\f\v\u00a0-*\u2022", 80
_GENERIC = frozenset(
    [
        "add", "apply", "back", "cancel", "close", "confirm", "continue", "copy", "delete", "done", "edit",
        "exit", "finish", "help", "home", "menu", "more", "next", "no", "ok", "okay", "open", "previous",
        "remove", "reset", "save", "search", "submit", "view", "yes",
    ]
)  # fmt: skip


def elements(value: JSON, mode: Extraction, without_generic: bool = True) -> list[str]:
    """What of a field's value is compared, in its order, blank ones left out; equal labels once.

    A list is its own elements whatever the mode; a value that is no text counts as none.
    """
    if isinstance(value, list):
        return [text for item in value if (text := _text(item))]
    text = _text(value)
    if not text:
        return []
    if mode is Extraction.LINES:
        return [line.strip() for line in text.splitlines() if line.strip()]
    if mode is Extraction.LABELS:
        return list(_labels(text, without_generic))
    return [text]


def _text(value: JSON) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _labels(text: str, without_generic: bool) -> Iterator[str]:
    """In the order in which they stand in the text; the longest where several begin at one place."""
    matches = (match for pattern in _LABELS for match in pattern.finditer(text))
    found = [(match.start("label"), -len(match["label"]), match["label"]) for match in matches]
    found += [(start, -len(label), label) for start, label in _explained(text)]
    seen: set[str] = set()
    for _, _, raw in sorted(found):
        label = raw.strip(" *:.")
        key = even(label)
        if key and key not in seen and not (without_generic and key in _GENERIC):
            seen.add(key)
            yield label


def _explained(text: str) -> Iterator[tuple[int, str]]:
    """`- Label \u2014 what it does`: where a label begins, and it. No pattern, which would try every run of blanks."""
    start = 0
    for line in text.split("\n"):
        head, _, tail = line.partition(_DASH)
        label = head.lstrip(_BULLETS)
        place, label = start + len(head) - len(label), label.rstrip()
        if head[-1:].isspace() and tail[:1].isspace() and not tail.isspace() and 0 < len(label) <= _LONGEST:
            yield place, label
        start += len(line) + 1


def even(text: str) -> str:
    """The text as equality sees it: case folded, white space evened out."""
    return " ".join(text.casefold().split())


@dataclass(frozen=True, slots=True)
class Match:
    """reference: its position among the references; None where nothing matched.  text: what matched there."""

    tier: str
    score: float
    reference: int | None = None
    text: str | None = None


NO_MATCH = Match("none", 0.0)


@dataclass(frozen=True, slots=True)
class _Entry:
    reference: int
    text: str
    folded: str


class References:
    """The elements of the reference documents, looked up by what they say and by what they nearly say."""

    def __init__(self, listed: Sequence[Sequence[str]]) -> None:
        """listed: for each reference document its elements."""
        self._entries = [_Entry(n, text, even(text)) for n, texts in enumerate(listed) for text in texts]
        self._compared = [entry.folded[:LONGEST_COMPARED] for entry in self._entries]
        self._by_text: dict[str, list[_Entry]] = {}
        for entry in self._entries:
            self._by_text.setdefault(entry.folded, []).append(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def exact(self, element: str, without: int | None = None) -> Match | None:
        """The first that is equal but for case and white space. without: a reference that does not count."""
        equal = (entry for entry in self._by_text.get(even(element), ()) if entry.reference != without)
        first = next(equal, None)
        return None if first is None else Match("exact", 1.0, first.reference, first.text)

    def fuzzy(self, element: str, threshold: float, without: int | None = None) -> Match | None:
        """The most alike with a ratio of at least `threshold`; of equally alike ones the first.

        The ratio is 2 * matching / (both lengths) by Ratcliff and Obershelp, of the first 2,000 characters. Its blocks
        are one common subsequence, so the longest there is bounds it: only what may still win is compared in full.
        """
        wanted = even(element)[:LONGEST_COMPARED]
        matcher = SequenceMatcher(None, autojunk=False)
        matcher.set_seq2(wanted)
        best: tuple[float, int] | None = None
        for bound, n in self._candidates(wanted, threshold, without):
            if best is not None and bound < -best[0] - _ROUNDING:
                break
            matcher.set_seq1(self._compared[n])
            score = matcher.ratio()
            if score >= threshold and (best is None or (-score, n) < best):
                best = (-score, n)
        if best is None:
            return None
        entry = self._entries[best[1]]
        return Match("fuzzy", -best[0], entry.reference, entry.text)

    def _candidates(self, wanted: str, threshold: float, without: int | None) -> list[tuple[float, int]]:
        least = max(0.0, threshold - _ROUNDING)
        bounds = cdist(
            [wanted], self._compared, scorer=Indel.normalized_similarity, score_cutoff=least, dtype=np.float64
        )[0]
        likely = [int(n) for n in np.flatnonzero(bounds >= least) if self._entries[n].reference != without]
        return sorted(((float(bounds[n]), n) for n in likely), key=lambda one: (-one[0], one[1]))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around an element and its match.

    context: the field that it was taken from.  reference: the field that matched.  transcript: the document's, if any.
    previous: the reference that the element before it matched.  matched: the one that this did.
    """

    context: str
    reference: str
    transcript: str | None = None
    previous: int | None = None
    matched: int | None = None


def signals(match: Match, around: Surroundings) -> dict[str, bool]:
    """What else speaks for a match; what cannot be judged is false.

    context_match: at least half of the words of the shorter field stand in the other.  workflow_match: the element
    before it matched the same reference.  transcript_match: the transcript says what matched.
    """
    said = even(around.transcript or "")
    return {
        "context_match": _overlap(around.context, around.reference) >= 0.5,
        "workflow_match": around.previous is not None and around.previous == around.matched,
        "transcript_match": bool(match.text) and even(match.text or "") in said,
    }


def confidence(score: float, found: Mapping[str, bool]) -> float:
    """`score + (1 - score) * 0.6 * true / all`: signals make up for part of what the score lacks. Range 0..1."""
    if not found:
        return score
    return score + (1 - score) * _CORROBORATION * sum(found.values()) / len(found)


def _overlap(one: str, other: str) -> float:
    fewer, more = sorted((_words(one), _words(other)), key=len)
    return len(fewer & more) / len(fewer) if fewer else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w{2,}", text.casefold()))


@dataclass(frozen=True, slots=True)
class Labelling:
    """rules: (least score, label), in the order in which they are tried."""

    rules: tuple[tuple[float, str], ...]
    no_match: str

    def label(self, match: Match) -> str:
        """The first rule that the score meets; `no_match` where nothing matched or no rule is met."""
        if match.tier == NO_MATCH.tier:
            return self.no_match
        return next((label for least, label in self.rules if match.score >= least - _ROUNDING), self.no_match)


def mixed(scores: Iterable[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Several scores of each document as one: their mean by weight; a document that one lacks has 0 there."""
    given = [(weight, scored) for weight, scored in scores]
    total = sum(weight for weight, _ in given)
    if total <= 0:
        return {}
    ids = {key for _, scored in given for key in scored}
    return {key: sum(weight * scored.get(key, 0.0) for weight, scored in given) / total for key in ids}
