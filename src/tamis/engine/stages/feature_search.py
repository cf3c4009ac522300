"""Find documents by their features: by meaning, by words, or by both at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import BaseModel

from tamis.engine.groups.grouping import group, ungroup
from tamis.engine.learning.learned_fusion import Weighing, recorded_weights, weighed
from tamis.engine.learning.learning_parameters import LearnedFusionConfig
from tamis.engine.ports.index import Scored
from tamis.engine.querying.features import resolve_feature
from tamis.engine.querying.queries import Query, TextQuery
from tamis.engine.querying.query_inputs import fetches, query_of
from tamis.engine.searching.fusion import Fusion, fuse
from tamis.engine.searching.joining import join, keys_of
from tamis.engine.searching.search_parameters import FeatureSearchConfig, FeatureSearchParameters, OnEmpty
from tamis.engine.searching.searcher import Found, Search
from tamis.engine.spending.deadline import within_hard_timeout
from tamis.engine.spending.spending import EVERY, Given, Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.group_verdict import GroupLimits
from tamis.engine.verdicts.search_verdict import Asked, Kept, listed_verdict, search_verdict
from tamis.engine.verdicts.verdict import Case, Verdict
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter, IdIn, Or, both, canonical_path, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_GROUPING = (("group_by", "max_per_group"), ("group_by", "limit"), ("group_by", "output_mode"))
_NOTHING_ADDED: Mapping[str, JSON] = {}


@dataclass(frozen=True, slots=True)
class _Arm:
    """One search with what this execution makes of it. query: None draws at random."""

    loc: tuple[str | int, ...]
    config: FeatureSearchConfig
    query: Query | None
    collections: tuple[Collection, ...]
    filter: Filter | None

    @property
    def position(self) -> int:
        return int(self.loc[-1])

    def seed(self, context: Context) -> str:
        """Of its draw at random."""
        return f"{context.seed}:{context.stage_index}:{self.position}"

    def is_exhausted_by(self, count: int) -> bool:
        return self.query is not None and self.search(self.query).is_exhausted_by(count)

    def search(self, query: Query) -> Search:
        config = self.config
        return Search(
            config.feature_uri,
            query,
            self.collections,
            config.top_k,
            config.lexical,
            self.filter,
            config.min_score,
            self.loc,
        )


def _candidates(parameters: FeatureSearchParameters, given: Given) -> float:
    """Distinct documents before the cut, at most."""
    listed = sum(search.top_k for search in parameters.searches) or parameters.final_top_k
    is_free = given.is_first or parameters.collection_identifiers is not None
    return listed if is_free else min(listed, given.count)


def _rows(parameters: FeatureSearchParameters, given: Given) -> float:
    grouping = parameters.group_by
    most = parameters.final_top_k if grouping is None else grouping.limit * grouping.max_per_group
    return min(most, _candidates(parameters, given))


class FeatureSearch:
    """Search one or several features and fuse the rankings."""

    id: ClassVar[str] = "feature_search"
    kind: ClassVar[StageKind] = StageKind.FILTER
    icon: ClassVar[str] = "search"
    description: ClassVar[str] = (
        "Search documents by their features: by meaning (dense), by words (`lexical`), by a vector, a stored document "
        "or a file; several searches are fused into one ranking. Filters, groups and facets as needed. After another "
        "stage it ranks that stage's documents anew, unless it names collections of its own to search."
    )
    Parameters: ClassVar[type[BaseModel]] = FeatureSearchParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(
        usage=lambda parameters, given: Usage(documents=_candidates(parameters, given)),
        yields=_rows,
        knobs=(Knob(KnobKind.TOP_K, ("searches", EVERY, "top_k")), Knob(KnobKind.TOP_K, ("final_top_k",))),
    )
    example: ClassVar[dict[str, Any]] = {
        "searches": [
            {"feature_uri": "mixpeek://text_extractor@v1/embedding", "query": "running shoes", "top_k": 50},
            {"feature_uri": "mixpeek://text_extractor@v1/embedding", "query": "running shoes", "lexical": True},
        ],
        "fusion": "rrf",
        "final_top_k": 3,
    }

    @classmethod
    def effects_with(cls, parameters: Mapping[str, Any]) -> frozenset[Effect]:
        return frozenset({Effect.OUTSIDE}) if fetches(parameters) else frozenset()

    def __init__(self, parameters: FeatureSearchParameters) -> None:
        self._parameters = parameters
        self._filter = parse_filter(parameters.filters, ["parameters", "filters"])

    @property
    def filter(self) -> Filter | None:
        """What every document that it finds satisfies; None where any may be found."""
        own = [parse_filter(search.filters, ["parameters", "searches"]) for search in self._parameters.searches]
        given = [one for one in own if one is not None]
        among = Or(tuple(given)) if given and len(given) == len(own) else None
        return both(self._filter, among)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return await within_hard_timeout(self._parameters.hard_timeout_ms, "the search", self._run(hits, context))

    async def _run(self, hits: Hits, context: Context) -> Outcome:
        own = self._parameters.collection_identifiers
        given = {hit.id: hit for hit in hits if hit.document} if context.stage_index > 0 and own is None else None
        if given is not None and not given:
            return Outcome(Hits(), processed=0)
        collections = context.collections
        if own is not None:
            collections = await context.searcher.collections(context.principal, own, context.collections)
        scope = both(self._filter, IdIn(frozenset(given)) if given is not None else None)
        if not self._parameters.searches:
            return await self._listed(collections, scope, given or {}, context)
        arms, warnings = await self._arms(collections, scope, context)
        every = await self._found(arms, context)
        exhausted = [arm.is_exhausted_by(len(one.ranking)) for arm, one in zip(arms, every, strict=True)]
        found = await self._joined(every, context)
        weighing = await self._weighing(arms, found, context)
        fused = self._fused(weighing.weights, found, exhausted)
        rows, facts = await self._rows(fused, _scores(arms, found), given or {}, context)
        facts |= weighing.facts
        facts["fusion"] = self._parameters.fusion.value
        facts["searches"] = [{"feature": one.feature, "candidates": len(one.ranking)} for one in every]
        facts |= await self._facets(arms, scope, context)
        return Outcome(Hits.of(rows), processed=len(fused), metadata=facts, warnings=(*warnings, *weighing.warnings))

    def brings(self, stage_index: int) -> bool:
        return stage_index == 0 or self._parameters.collection_identifiers is not None

    async def explain(self, case: Case, context: Context) -> Verdict:
        given, own = self._parameters, self._parameters.collection_identifiers
        collections = context.collections
        if own is not None:
            collections = await context.searcher.collections(context.principal, own, context.collections)
        among = None if self.brings(context.stage_index) else IdIn(frozenset(hit.id for hit in case.received))
        scope = both(self._filter, among)
        grouping = given.group_by
        kept = Kept(given.fusion, given.final_top_k, given.filters, own, given.fuse_by)
        if grouping is not None:
            limits = GroupLimits(grouping.max_per_group, grouping.limit, grouping.output_mode, _GROUPING)
            kept = replace(kept, group_field=grouping.field, groups=limits)
        if not given.searches:
            return await listed_verdict(case, context, collections, scope, kept)
        arms, _ = await self._arms(collections, scope, context)
        asked = [_asked(arm, context) for arm in arms]
        weights = recorded_weights(case.metadata)
        if len(weights) == len(asked):
            asked = [replace(one, weight=weight) for one, weight in zip(asked, weights, strict=True)]
        return await search_verdict(case, context, asked, kept)

    async def _arms(
        self, collections: tuple[Collection, ...], scope: Filter | None, context: Context
    ) -> tuple[list[_Arm], list[str]]:
        arms: list[_Arm] = []
        warnings: list[str] = []
        for position, config in enumerate(self._parameters.searches):
            mine = collections
            if config.collection_identifiers is not None:
                mine = await context.searcher.collections(context.principal, config.collection_identifiers, collections)
            loc = (*_place(context), "searches", position)
            filter = both(scope, parse_filter(config.filters, [*loc, "filters"]))
            arm = _Arm(loc, config, query_of(config.query), mine, filter)
            why = await self._skipped(arm, context)
            if why:
                warnings.append(f"search {position} ({config.feature_uri}) was skipped: {why}")
            else:
                arms.append(arm)
        if not arms:
            raise ValidationError.at([*_place(context), "searches"], "; ".join(warnings))
        return arms, warnings

    async def _skipped(self, arm: _Arm, context: Context) -> str | None:
        if arm.query is None and arm.config.on_empty is OnEmpty.ERROR:
            message = "the query is empty; set on_empty to 'skip' or 'random' where that may be"
            raise ValidationError.at([*arm.loc, "query"], message)
        if arm.query is None and arm.config.on_empty is OnEmpty.SKIP:
            return "its query is empty"
        if arm.config.optional and await context.searcher.is_empty(context.principal, arm.collections):
            return "its index is empty"
        return None

    async def _found(self, arms: Sequence[_Arm], context: Context) -> list[Found]:
        """Every arm's ranking, in order: all real searches in one call."""
        asked = [(arm, arm.query) for arm in arms if arm.query is not None]
        answers = iter(await context.searcher.search(context.principal, [arm.search(query) for arm, query in asked]))
        return [await self._random(arm, context) if arm.query is None else next(answers) for arm in arms]

    async def _random(self, arm: _Arm, context: Context) -> Found:
        config = arm.config
        feature = resolve_feature(config.feature_uri, arm.collections, config.lexical, [*arm.loc, "feature_uri"])
        where = [collection for collection, _ in feature.targets]
        drawn = await context.searcher.random(context.principal, where, arm.filter, config.top_k, arm.seed(context))
        return Found(feature.name, drawn)

    async def _weighing(self, arms: Sequence[_Arm], found: Sequence[Found], context: Context) -> Weighing:
        """As they are written, or as they were learnt."""
        written = tuple(arm.config.weight for arm in arms)
        if self._parameters.fusion is not Fusion.LEARNED or len(found) == 1:
            return Weighing(written)
        config = self._parameters.learning_config or LearnedFusionConfig()
        return await weighed(config, _names(found), written, context)

    async def _joined(self, found: Sequence[Found], context: Context) -> Sequence[Found]:
        """What was found as things that share a value of `fuse_by`; as it is without."""
        path = self._parameters.fuse_by
        if path is None:
            return found
        rankings = [one.ranking for one in found]
        ids = list(dict.fromkeys(entry.document_id for ranking in rankings for entry in ranking))
        keys = keys_of(await context.searcher.hydrate(context.principal, ids), path)
        return [replace(one, ranking=each) for one, each in zip(found, join(rankings, keys), strict=True)]

    def _fused(self, weights: Sequence[float], found: Sequence[Found], exhausted: Sequence[bool]) -> Sequence[Scored]:
        if len(found) == 1:
            return found[0].ranking
        return fuse(self._parameters.fusion, [one.ranking for one in found], weights, exhausted)

    async def _rows(
        self,
        fused: Sequence[Scored],
        scores: Mapping[str, Mapping[str, float]],
        given: Mapping[str, Hit],
        context: Context,
    ) -> tuple[list[Hit], dict[str, JSON]]:
        grouping = self._parameters.group_by
        if grouping is None:
            return await self._top(fused, scores, given, context), {}
        documents = await context.searcher.hydrate(context.principal, [entry.document_id for entry in fused])
        groups = group(_hits(fused, documents, scores, given, context.stage_name), grouping.field)
        rows = ungroup(groups[: grouping.limit], grouping.max_per_group, grouping.output_mode)
        return rows, {"total_groups": len(groups)}

    async def _top(
        self,
        fused: Sequence[Scored],
        scores: Mapping[str, Mapping[str, float]],
        given: Mapping[str, Hit],
        context: Context,
    ) -> list[Hit]:
        """The first final_top_k that are still there: what was deleted meanwhile makes room for the next."""
        rows: list[Hit] = []
        start, wanted = 0, self._parameters.final_top_k
        while len(rows) < wanted and start < len(fused):
            window = fused[start : start + wanted - len(rows)]
            start += len(window)
            documents = await context.searcher.hydrate(context.principal, [entry.document_id for entry in window])
            rows.extend(_hits(window, documents, scores, given, context.stage_name))
        return rows

    async def _listed(
        self, collections: Sequence[Collection], scope: Filter | None, given: Mapping[str, Hit], context: Context
    ) -> Outcome:
        """No search, only filters: the documents that match, by id."""
        documents, more = await context.searcher.list_documents(
            context.principal, collections, scope, self._parameters.final_top_k
        )
        ranking = [Scored(document.document_id, 1.0) for document in documents]
        found = {document.document_id: document for document in documents}
        rows = list(_hits(ranking, found, {}, given, context.stage_name))
        return Outcome(Hits.of(rows), processed=len(rows), metadata={"more": more})

    async def _facets(self, arms: Sequence[_Arm], scope: Filter | None, context: Context) -> dict[str, JSON]:
        if not self._parameters.facets:
            return {}
        collections = tuple({c.collection_id: c for arm in arms for c in arm.collections}.values())
        counts: dict[str, JSON] = {}
        for facet in self._parameters.facets:
            entries = await context.searcher.facet(
                context.principal,
                collections,
                canonical_path(facet.key),
                facet.limit,
                _any_of(arms, scope),
                facet.exact,
            )
            counts[facet.key] = [{"value": entry.value, "count": entry.count} for entry in entries]
        return {"facets": counts}


def _asked(arm: _Arm, context: Context) -> Asked:
    config, position = arm.config, arm.position
    seed = None if arm.query else arm.seed(context)
    search = arm.search(arm.query or TextQuery(""))
    return Asked(position, search, config.weight, config.filters, config.collection_identifiers, seed)


def _place(context: Context) -> tuple[str | int, ...]:
    return ("body", "stages", context.stage_index, "config", "parameters")


def _any_of(arms: Sequence[_Arm], scope: Filter | None) -> Filter | None:
    """What could be found by any of the searches."""
    filters = [arm.filter for arm in arms]
    if any(arm.config.filters is None for arm in arms):
        return scope
    distinct = [one for n, one in enumerate(filters) if one is not None and one not in filters[:n]]
    return distinct[0] if len(distinct) == 1 else Or(tuple(distinct))


def _names(found: Sequence[Found]) -> list[str]:
    """Of the searches: their features; a second search by the same feature counts on: `...#2`."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for one in found:
        seen[one.feature] = seen.get(one.feature, 0) + 1
        names.append(one.feature if seen[one.feature] == 1 else f"{one.feature}#{seen[one.feature]}")
    return names


def _scores(arms: Sequence[_Arm], found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """By document, its score by each search."""
    scores: dict[str, dict[str, float]] = {}
    for arm, name, one in zip(arms, _names(found), found, strict=True):
        # A lot that was drawn says nothing about the feature.
        for entry in one.ranking if arm.query is not None else ():
            scores.setdefault(entry.document_id, {})[name] = entry.score
    return scores


def _hits(
    ranking: Iterable[Scored],
    documents: Mapping[str, Document],
    scores: Mapping[str, Mapping[str, float]],
    given: Mapping[str, Hit],
    stage_name: str,
) -> Iterable[Hit]:
    """What is still there, as hits; one that came in keeps its fields and earlier scores."""
    for entry in ranking:
        document = documents.get(entry.document_id)
        if document is None:
            continue
        earlier = given.get(entry.document_id)
        known = {**scores.get(entry.document_id, {}), stage_name: entry.score}
        if earlier is None:
            yield Hit(entry.document_id, entry.score, document, known, _NOTHING_ADDED)
        else:
            yield Hit(entry.document_id, entry.score, document, {**earlier.scores, **known}, earlier.extra)
