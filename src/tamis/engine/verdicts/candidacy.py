"""Where one document stands in searches: its score and rank against the window, search by search."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tamis.engine.ports.index import Scored
from tamis.engine.ports.searching import SearchPort
from tamis.engine.searching.searcher import Search
from tamis.engine.verdicts.patience import patiently
from tamis.engine.verdicts.verdict import VerdictKind, place_of
from tamis.model.document import Document
from tamis.model.filters import Filter, IdIn
from tamis.model.json import JSON
from tamis.model.matching import matches
from tamis.model.principal import Principal

DEEPEST = 10_000
"""A rank beyond it is not counted: it is said to be more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One document in one search, by the index as it is now.

    score: exact; None where it could not be scored.  rank: from 1 among all that pass the search's filters, whatever
    its min_score; None where it is beyond 10,000 or not scored.  ranking: the search's own, as long as its window.
    """

    search: Search
    kind: VerdictKind
    score: float | None
    rank: int | None
    ranking: Sequence[Scored]

    @property
    def is_in(self) -> bool:
        return self.kind is VerdictKind.PASSED

    def facts(self) -> dict[str, JSON]:
        last = self.ranking[-1].score if self.ranking else None
        return {
            "feature_uri": self.search.feature_uri,
            "verdict": self.kind.value,
            "score": self.score,
            "rank": self.rank,
            "top_k": self.search.limit,
            "min_score": self.search.min_score,
            "last_score": last,
        }

    @property
    def reason(self) -> str:
        uri, top_k = self.search.feature_uri, self.search.limit
        if self.kind is VerdictKind.NO_VECTOR:
            return f"it has nothing to be compared by: no vector for {uri}"
        if self.kind is VerdictKind.NO_MATCH:
            return f"it shares no word with the query of {uri}"
        if self.kind is VerdictKind.NOT_DRAWN:
            return f"it is number {self.rank} by lot, and {top_k} were drawn"
        if self.kind is VerdictKind.BELOW_MIN_SCORE:
            return f"it scores {self.score:.6g} by {uri}, below min_score = {self.search.min_score:g}"
        place = f"number {self.rank}" if self.rank else f"beyond number {DEEPEST}"
        last = f"; the last one let in scores {self.ranking[-1].score:.6g}" if self.ranking else ""
        return f"it scores {self.score:.6g} by {uri}: {place}, and top_k = {top_k} were let in{last}"


async def standings(
    searcher: SearchPort, principal: Principal, document: Document, searches: Sequence[Search]
) -> list[Standing]:
    """Cost: one call with three searches for each that the document could be found by.

    A search whose collections or filters shut the document out is told as such and not run for it.
    """
    asked: list[Search] = []
    for search in searches:
        alone = replace(search, filter=IdIn(frozenset([document.document_id])), limit=1, min_score=None)
        asked += [search, alone, replace(search, limit=DEEPEST, min_score=None)]
    found = await searcher.search(principal, asked)
    rankings = [one.ranking for one in found]
    return [await _standing(document, search, *rankings[3 * n : 3 * n + 3]) for n, search in enumerate(searches)]


async def _standing(
    document: Document, search: Search, own: Sequence[Scored], alone: Sequence[Scored], deep: Sequence[Scored]
) -> Standing:
    if document.collection_id not in {one.collection_id for one in search.collections}:
        return Standing(search, VerdictKind.NOT_SEARCHED, None, None, own)
    if search.filter is not None and not await _lets_in(search.filter, document):
        return Standing(search, VerdictKind.FILTERED, None, None, own)
    if not alone:
        return Standing(search, VerdictKind.NO_MATCH if search.lexical else VerdictKind.NO_VECTOR, None, None, own)
    score = alone[0].score
    rank = place_of(document.document_id, [entry.document_id for entry in deep])
    kind = VerdictKind.NEVER_A_CANDIDATE
    if place_of(document.document_id, [entry.document_id for entry in own]):
        kind = VerdictKind.PASSED
    elif search.min_score is not None and score < search.min_score:
        kind = VerdictKind.BELOW_MIN_SCORE
    return Standing(search, kind, score, rank, own)


async def _lets_in(wanted: Filter, document: Document) -> bool:
    view = document.view()
    return await patiently(lambda: matches(wanted, view), wanted, view, ("filters",))


def lowered(score: float) -> float:
    """A bound that this score passes, short enough to be read."""
    return math.floor(score * 10_000) / 10_000
