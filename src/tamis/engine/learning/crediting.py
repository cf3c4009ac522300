"""Which searches ranked a liked document well, once the place where it was shown is taken out.

A search's standing of a document is the share of the other shown documents that it puts behind it, ties and documents
that it did not find counting half. Liking says as much of a search as that standing is better than what the search
gives on average to the places where likes happen: who likes at random, wherever people look most, teaches nothing
(E[agreed] = pairs / 2 for every search, whatever the weights were). All searches are judged on the same page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.model.fusion_credit import Agreement

_MOST_PAIRS = 10
"""What one like is worth at most: the pairs of one page are not independent."""
_PLACES_ASSUMED = 10.0
"""Likes that a falling look from place to place, 1 / (1 + place), is taken to be worth before any are seen."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page. documents: best first, with their score by each search that found them.  first: its place, from 0."""

    documents: Sequence[tuple[str, Mapping[str, float]]]
    first: int = 0

    def place_of(self, document_id: str) -> int | None:
        """In the whole ranking, from 0; None where it was not shown."""
        ids = [one for one, _ in self.documents]
        return self.first + ids.index(document_id) if document_id in ids else None


def credit(
    shown: Shown, liked: str, searches: Sequence[str], reward: float, likes: Mapping[int, int]
) -> dict[str, Agreement]:
    """By search, what `liked` says of it; {} where it was not shown or there is nothing beside it to compare with.

    reward: below 0 for a dislike, which says the opposite.  likes: how often who stood at a place was liked before.
    Cost: O(searches * documents^2).
    """
    place = shown.place_of(liked)
    count = len(shown.documents)
    if place is None or count < 2:
        return {}
    looks = _looks(shown.first, count, likes)
    pairs = abs(reward) * min(count - 1, _MOST_PAIRS)
    found = {}
    for search in searches:
        standing = _standings([scores.get(search) for _, scores in shown.documents])
        expected = sum(look * one for look, one in zip(looks, standing, strict=True))
        advantage = (standing[place - shown.first] - expected) / 2
        found[search] = Agreement(pairs * (0.5 + (advantage if reward > 0 else -advantage)), pairs)
    return found


def _standings(scores: Sequence[float | None]) -> list[float]:
    """Of each, the share of the others behind it, in 0..1."""
    found = [float("-inf") if score is None else score for score in scores]
    others = len(found) - 1
    return [(sum(one > other for other in found) + (found.count(one) - 1) / 2) / others for one in found]


def _looks(first: int, count: int, likes: Mapping[int, int]) -> list[float]:
    """How likely a like is at each place of the page; their sum is 1."""
    prior = [1 / (1 + place) for place in range(first, first + count)]
    scale = _PLACES_ASSUMED / sum(prior)
    weights = [likes.get(first + n, 0) + scale * one for n, one in enumerate(prior)]
    total = sum(weights)
    return [one / total for one in weights]
