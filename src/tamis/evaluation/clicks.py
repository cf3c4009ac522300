"""What clicks say of relevance once it is taken out where a document stood: who stands first is clicked for that.

The position-based model: a click needs a look and a liking, P(click) = examination[position] * attraction[document].
Source: Craswell, Zoeter, Taylor & Ramsey 2008; its fit by expectation-maximisation: Chuklin, Markov & de Rijke 2015.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 100
_CLOSE = 1e-5
_GRADES = 4
"""Attraction by quarters: 0 below 1/4, 3 from 3/4 on."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One time that a page was shown. documents: best first.  clicked: those of them that somebody liked.

    first: the place of its first document in the whole ranking, from 0.
    """

    query: str
    documents: tuple[str, ...]
    clicked: frozenset[str]
    first: int = 0


@dataclass(frozen=True, slots=True)
class ClickModel:
    """attraction: by query and document, in (0, 1).  examination: by position from 0, the greatest is 1."""

    attraction: Mapping[str, Mapping[str, float]]
    examination: tuple[float, ...]

    def grades(self, query: str, at_least: int = 1, shown: Mapping[str, int] | None = None) -> dict[str, int]:
        """0 to 3, by quarters. shown: how often each document was; one shown less often than at_least is left out."""
        return {
            document: min(_GRADES - 1, int(_GRADES * value))
            for document, value in self.attraction.get(query, {}).items()
            if shown is None or shown.get(document, 0) >= at_least
        }


def fit(showings: Iterable[Showing]) -> ClickModel:
    """Expectation-maximisation, with a prior of one look and one liking in two, so that one click proves little.

    Cost: O(rounds * documents shown).
    """
    pairs: dict[tuple[str, str], int] = {}
    rows = [
        (pairs.setdefault((one.query, document), len(pairs)), place, document in one.clicked)
        for one in showings
        for place, document in enumerate(one.documents, start=one.first)
    ]
    if not rows:
        return ClickModel({}, ())
    pair, place, clicked = (np.array(column) for column in zip(*rows, strict=True))
    attraction, examination = _fitted(pair, place, clicked.astype(np.float64))
    found: dict[str, dict[str, float]] = {}
    for (query, document), number in pairs.items():
        found.setdefault(query, {})[document] = float(attraction[number])
    return ClickModel(found, tuple(float(value) for value in examination))


def _fitted(
    pair: NDArray[Any], place: NDArray[Any], clicked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    attraction, examination = np.full(pair.max() + 1, 0.5), np.full(place.max() + 1, 0.5)
    shown_pair, shown_place = np.bincount(pair) + 2.0, np.bincount(place) + 2.0
    for _ in range(_ROUNDS):
        liked, looked = attraction[pair], examination[place]
        missed = (1 - clicked) / np.maximum(1 - liked * looked, 1e-12)
        likes = np.bincount(pair, clicked + missed * liked * (1 - looked)) + 1.0
        looks = np.bincount(place, clicked + missed * looked * (1 - liked)) + 1.0
        before = examination
        attraction, examination = likes / shown_pair, looks / shown_place
        if np.abs(examination - before).max() < _CLOSE:
            break
    # Only the products are determined: the place that is looked at most is taken to be always looked at.
    most = examination.max()
    return np.minimum(attraction * most, 1.0), examination / most


def times_shown(showings: Sequence[Showing]) -> dict[str, dict[str, int]]:
    """By query and document."""
    found: dict[str, dict[str, int]] = {}
    for one in showings:
        counts = found.setdefault(one.query, {})
        for document in one.documents:
            counts[document] = counts.get(document, 0) + 1
    return found
