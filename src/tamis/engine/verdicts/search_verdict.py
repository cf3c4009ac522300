"""Why a search did not bring a document: out of its reach, behind its window, or behind what was kept after fusion."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine.groups.grouping import group
from tamis.engine.ports.index import Scored
from tamis.engine.searching.fusion import Fusion, Ranking, fuse
from tamis.engine.searching.joining import join, keys_of, standing_for
from tamis.engine.searching.searcher import Search
from tamis.engine.stage import Context
from tamis.engine.verdicts.candidacy import DEEPEST, Standing, lowered, standings
from tamis.engine.verdicts.group_verdict import GroupLimits, lost_in_group, placed
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind, place_of
from tamis.model.collection import Collection
from tamis.model.edits import Edit
from tamis.model.filters import Filter
from tamis.model.hits import Hit
from tamis.model.json import JSON

_NEAREST = (
    VerdictKind.NEVER_A_CANDIDATE, VerdictKind.NOT_DRAWN, VerdictKind.BELOW_MIN_SCORE, VerdictKind.FILTERED,
    VerdictKind.NO_MATCH, VerdictKind.NO_VECTOR, VerdictKind.NOT_SEARCHED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One search of the stage.

    position: in the parameters.  filters: its own, as wire JSON.  seed: of a draw at random, which has no query.
    """

    position: int
    search: Search
    weight: float
    filters: Any = None
    collection_identifiers: list[str] | None = None
    seed: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the stage keeps of all that its searches bring. fuse_by: whose equal values are one thing."""

    fusion: Fusion
    final_top_k: int
    filters: Any = None
    collection_identifiers: list[str] | None = None
    fuse_by: str | None = None
    group_field: str | None = None
    groups: GroupLimits | None = None


async def search_verdict(case: Case, context: Context, asked: Sequence[Asked], kept: Kept) -> Verdict:
    """By the index and the document as they are now."""
    found = await _standings(case, context, asked)
    facts: list[JSON] = [one.facts() for one in found]
    if any(one.is_in for one in found):
        verdict = await _after_fusion(case, context, asked, found, kept)
    else:
        verdict = await _shut_out(case, asked, found, kept)
    return replace(verdict, facts={**verdict.facts, "searches": facts})


async def listed_verdict(
    case: Case, context: Context, collections: Sequence[Collection], scope: Filter | None, kept: Kept
) -> Verdict:
    """No search, only filters: the documents that match stand by id."""
    if case.document.collection_id not in {one.collection_id for one in collections}:
        return _not_searched(case, collections, kept.collection_identifiers, ("collection_identifiers",))
    refused = await case.refused(kept.filters, _filters_at(case, "filters"))
    if refused is not None:
        return refused
    listed, _ = await context.searcher.list_documents(context.principal, collections, scope, DEEPEST)
    return _behind(case, kept, place_of(case.document.document_id, [one.document_id for one in listed]), "by id")


async def _standings(case: Case, context: Context, asked: Sequence[Asked]) -> list[Standing]:
    searches = [one.search for one in asked if one.seed is None]
    ready = iter(await standings(context.searcher, context.principal, case.document, searches))
    return [next(ready) if one.seed is None else await _lot(case, context, one) for one in asked]


async def _lot(case: Case, context: Context, asked: Asked) -> Standing:
    search = asked.search
    drawn = await context.searcher.random(
        context.principal, search.collections, search.filter, DEEPEST, asked.seed or ""
    )
    rank = place_of(case.document.document_id, [entry.document_id for entry in drawn])
    if rank is None:
        outside = case.document.collection_id not in {one.collection_id for one in search.collections}
        kind = VerdictKind.NOT_SEARCHED if outside else VerdictKind.FILTERED
        return Standing(search, kind, None, None, drawn[: search.limit])
    kind = VerdictKind.PASSED if rank <= search.limit else VerdictKind.NOT_DRAWN
    return Standing(search, kind, drawn[rank - 1].score, rank, drawn[: search.limit])


async def _after_fusion(
    case: Case, context: Context, asked: Sequence[Asked], found: Sequence[Standing], kept: Kept
) -> Verdict:
    rankings: Sequence[Ranking] = [one.ranking for one in found]
    if kept.fuse_by is not None:
        rankings, shown = await _joined(case, context, rankings, kept.fuse_by)
        if shown != case.document.document_id:
            reason = f"{shown} is shown of the same {kept.fuse_by!r}, by the first search that has any"
            return Verdict(VerdictKind.LOST_IN_GROUP, reason, {"field": kept.fuse_by, "shown": shown})
    fused: Sequence[Scored] = rankings[0]
    if len(rankings) > 1:
        ended = [
            one.seed is None and one.search.is_exhausted_by(len(other.ranking))
            for one, other in zip(asked, found, strict=True)
        ]
        fused = fuse(kept.fusion, rankings, [one.weight for one in asked], ended)
    documents = await context.searcher.hydrate(context.principal, [entry.document_id for entry in fused])
    there = [entry for entry in fused if entry.document_id in documents]
    if kept.groups is None or kept.group_field is None:
        order = "after fusion" if len(rankings) > 1 else "by score"
        return _behind(case, kept, place_of(case.document.document_id, [one.document_id for one in there]), order)
    earlier = {hit.id: hit.extra for hit in case.received}
    hits = [Hit(e.document_id, e.score, documents[e.document_id], {}, earlier.get(e.document_id, {})) for e in there]
    place = placed(group(hits, kept.group_field), case.document.document_id)
    if place is None:
        return Verdict(VerdictKind.CHANGED, "it is not there any more")
    return lost_in_group(case, place, kept.group_field, kept.groups)


async def _joined(
    case: Case, context: Context, rankings: Sequence[Ranking], path: str
) -> tuple[Sequence[Ranking], str]:
    """The rankings of things, and the document that is shown of this one's."""
    ids = list(dict.fromkeys(entry.document_id for ranking in rankings for entry in ranking))
    keys = keys_of(await context.searcher.hydrate(context.principal, ids), path)
    own, key = case.document.document_id, keys.get(case.document.document_id)
    return join(rankings, keys), own if key is None else standing_for(rankings, keys)[key]


def _behind(case: Case, kept: Kept, place: int | None, order: str) -> Verdict:
    final = kept.final_top_k
    facts: dict[str, JSON] = {"rank": place, "final_top_k": final}
    if place is not None and place <= final:
        reason = f"it is number {place} {order} now: data has changed since, or the approximate search missed it"
        return Verdict(VerdictKind.CHANGED, reason, facts)
    if place is None:
        return Verdict(VerdictKind.CUT, f"it is beyond number {DEEPEST} {order}, and {final} were kept", facts)
    edits = case.setting("final_top_k", before=final, to=place)
    return Verdict(VerdictKind.CUT, f"it is number {place} {order}, and final_top_k = {final} were kept", facts, edits)


async def _shut_out(case: Case, asked: Sequence[Asked], found: Sequence[Standing], kept: Kept) -> Verdict:
    """By the search that it was nearest to."""
    pairs = sorted(
        zip(asked, found, strict=True), key=lambda pair: (_NEAREST.index(pair[1].kind), pair[1].rank or DEEPEST + 1)
    )
    one, standing = pairs[0]
    at = ("searches", one.position)
    if standing.kind is VerdictKind.NOT_SEARCHED:
        searched = standing.search.collections
        if one.collection_identifiers is not None:
            return _not_searched(case, searched, one.collection_identifiers, (*at, "collection_identifiers"))
        return _not_searched(case, searched, kept.collection_identifiers, ("collection_identifiers",))
    if standing.kind is VerdictKind.FILTERED:
        return await _filtered(case, one, kept)
    edits: tuple[Edit, ...] = ()
    if standing.kind is VerdictKind.BELOW_MIN_SCORE and standing.score is not None:
        edits = case.setting(*at, "min_score", before=standing.search.min_score, to=lowered(standing.score))
    if standing.kind in (VerdictKind.NEVER_A_CANDIDATE, VerdictKind.NOT_DRAWN) and standing.rank is not None:
        if standing.rank <= standing.search.limit:
            reason = f"{standing.reason}; the approximate search missed it"
            return Verdict(VerdictKind.CHANGED, reason, {"rank": standing.rank, "score": standing.score})
        edits = case.setting(*at, "top_k", before=standing.search.limit, to=standing.rank)
    told = [other.reason for _, other in pairs if other.score is not None or other is standing]
    reason = "; ".join(dict.fromkeys(told))
    return Verdict(standing.kind, reason, {"rank": standing.rank, "score": standing.score}, edits)


async def _filtered(case: Case, asked: Asked, kept: Kept) -> Verdict:
    of_stage = await case.refused(kept.filters, _filters_at(case, "filters"))
    of_search = await case.refused(asked.filters, _filters_at(case, "searches", asked.position, "filters"))
    if of_stage and of_search:
        edits = of_stage.edits + of_search.edits if of_stage.edits and of_search.edits else ()
        return replace(of_stage, reason=f"{of_stage.reason}; {of_search.reason}", edits=edits)
    return (
        of_stage or of_search or Verdict(VerdictKind.FILTERED, "it is not among the documents that the stage was given")
    )


def _filters_at(case: Case, *path: str | int) -> tuple[str | int, ...]:
    return ("parameters", *(case.place(*path) or path))


def _not_searched(
    case: Case, searched: Sequence[Collection], own: list[str] | None, place: tuple[str | int, ...]
) -> Verdict:
    if own is None:
        return case.not_searched(searched)
    return case.not_searched(searched, case.setting(*place, before=[*own], to=[*own, case.document.collection_id]))
