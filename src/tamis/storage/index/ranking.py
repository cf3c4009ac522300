"""Orders that are total: search results and facets look the same whichever backend, segment or build answered."""

from collections.abc import Callable, Sequence
from typing import Any

from tamis.storage.index.payload import facet_order, value_of

TIE_LIMIT = 4096
"""How far behind the cut a tie is followed."""


def widened(limit: int, scores: Sequence[float], fetched: int) -> int | None:
    """How many to fetch next, where the tie at the cut may go on behind what was fetched; else None.

    scores: descending, of the up to `fetched` results.
    """
    if len(scores) < fetched or limit < 1 or scores[limit - 1] != scores[-1] or fetched >= limit + TIE_LIMIT:
        return None
    return min(fetched * 4, limit + TIE_LIMIT)


def ranked(hits: Sequence[tuple[str, float]], limit: int, min_score: float | None) -> list[tuple[str, float]]:
    """Score down, document id up, cut."""
    kept = [hit for hit in hits if min_score is None or hit[1] >= min_score]
    return sorted(kept, key=lambda hit: (-hit[1], hit[0]))[:limit]


def ranked_facets(counts: Sequence[tuple[str, int]], limit: int) -> list[tuple[Any, int]]:
    """Count down, value up, cut."""
    values = [(value_of(text), count) for text, count in counts if count]
    return sorted(values, key=lambda item: (-item[1], facet_order(item[0])))[:limit]


def whole_facets(fetch: Callable[[int], list[tuple[str, int]]], limit: int) -> list[tuple[Any, int]]:
    """The first `limit` facets of an engine that leaves ties at its cut to chance: ask for more until none is cut."""
    asked = limit + 16
    counts = fetch(asked)
    while len(counts) >= asked and counts[limit - 1][1] == counts[-1][1]:
        asked *= 8
        counts = fetch(asked)
    return ranked_facets(counts, limit)
