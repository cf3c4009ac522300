"""Hits that mean the same, side by side: clusters of their stored vectors, each with a name."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from tamis.engine.clustering.clustering import NO_VECTOR
from tamis.engine.clusters.cluster_labels import MAX_TOKENS, Naming, name_all
from tamis.engine.clusters.cluster_parameters import ClusterParameters, OutputMode
from tamis.engine.clusters.cluster_rows import Group, groups_of, rows_of, told_of
from tamis.engine.clusters.cluster_terms import CHARACTERS, DOCUMENTS, leading_terms
from tamis.engine.groups.grouping import value_at
from tamis.engine.language.prompting import instruction, text_of
from tamis.engine.needs import Need
from tamis.engine.searching.stored_clustering import Clustered, Clustering
from tamis.engine.spending.deadline import within_hard_timeout
from tamis.engine.spending.spending import Given, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_MOST_NAMED = 100
_LEFT_OUT = "left_out"
"""In the metadata: where each document is that came in and is nowhere in what is shown."""


def _clusters(given: ClusterParameters, work: Given) -> float:
    return min(given.n_clusters or work.count / given.method.least, work.count)


def _usage(given: ClusterParameters, work: Given) -> Usage:
    if not given.label_clusters:
        return Usage()
    calls = min(_clusters(given, work), _MOST_NAMED)
    return Usage(calls=calls, tokens=calls * (given.label_samples * given.label_sample_chars + MAX_TOKENS))


def _yields(given: ClusterParameters, work: Given) -> float:
    if given.output_mode is OutputMode.DOCUMENTS:
        return work.count
    return min(_clusters(given, work) + given.include_outliers, work.count)


class Cluster:
    """Clusters by size; in each, hits by score. Numbered from 0, the largest."""

    id: ClassVar[str] = "cluster"
    kind: ClassVar[StageKind] = StageKind.GROUP
    icon: ClassVar[str] = "boxes"
    description: ClassVar[str] = (
        "Bring hits together whose stored vectors are near each other: a row for each cluster with its name, size, "
        "centroid and documents, or the documents with their cluster named on each. Names are terms that set a "
        "cluster apart, or a language model's."
    )
    Parameters: ClassVar[type[BaseModel]] = ClusterParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    needs: ClassVar[frozenset[Need]] = frozenset({Need.CLUSTERING})
    spends: ClassVar[Spending] = Spending(usage=_usage, yields=_yields)
    example: ClassVar[dict[str, Any]] = {"n_clusters": 2, "feature_uri": "embedding", "content_field": "text"}

    @classmethod
    def effects_with(cls, parameters: Mapping[str, Any]) -> frozenset[Effect]:
        """Only a language model that names clusters is outside and paid for."""
        asks = parameters.get("label_clusters") not in (None, False)
        return frozenset({Effect.OUTSIDE, Effect.SPENDS}) if asks else cls.effects

    def __init__(self, parameters: ClusterParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        if not hits:
            return Outcome(hits)
        given = self._parameters
        ranked = Hits.ranked(hits)
        asked = Clustering(
            tuple(hit.id for hit in ranked), context.collections, given.feature_uri, given.method, context.seed,
            given.sample_size, given.shows_centroids,
        )  # fmt: skip
        work = context.searcher.cluster(context.principal, asked)
        found = await within_hard_timeout(given.hard_timeout_ms, "the clustering", work)
        groups, outliers = groups_of(ranked, found)
        named, naming = await self._named(groups, context)
        rows, left_out = rows_of(named, outliers, found.reasons, given.shown, context.stage_name)
        facts = {
            **told_of(named, outliers, found, given.method.algorithm),
            **({_LEFT_OUT: left_out} if left_out else {}),
        }
        return Outcome(
            Hits.of(rows), tokens_used=naming.tokens if naming else None, llm_calls=naming.calls if naming else None,
            metadata=facts, warnings=(*_warnings(found, len(hits)), *(naming.warnings if naming else ())),
        )  # fmt: skip

    async def _named(self, groups: Sequence[Group], context: Context) -> tuple[list[Group], Naming | None]:
        given = self._parameters
        terms: list[list[str]] = [[] for _ in groups]
        if given.label_terms:
            terms = await asyncio.to_thread(self._terms, groups)
        named = [group.with_terms(own) for group, own in zip(groups, terms, strict=True)]
        if not (given.label_clusters and named):
            return named, None
        asked = None if given.label_prompt is None else instruction(given.label_prompt, context.render)
        shown = [[self._sample(hit) for hit in group.nearest[: given.label_samples]] for group in named[:_MOST_NAMED]]
        naming = await name_all(context, given, shown, given.on_error, asked)
        names = [*naming.names, *[None] * (len(named) - len(naming.names))]
        return [group.with_name(name) for group, name in zip(named, names, strict=True)], naming

    def _terms(self, groups: Sequence[Group]) -> list[list[str]]:
        texts = [[self._text(hit) for hit in group.nearest[:DOCUMENTS]] for group in groups]
        return leading_terms(texts, self._parameters.label_terms)

    def _sample(self, hit: Hit) -> str:
        return text_of(hit, (self._parameters.content_field,), self._parameters.label_sample_chars)

    def _text(self, hit: Hit) -> str:
        view, path = hit.view(), self._parameters.content_field
        value = value_at(view, path)
        if value is None and path == "content":
            value = value_at(view, "text")
        if isinstance(value, list):
            value = "\n".join(part for part in value if isinstance(part, str))
        return value[:CHARACTERS] if isinstance(value, str) else ""

    async def explain(self, case: Case, context: Context) -> Verdict:
        given, document_id = self._parameters, case.document.document_id
        row = next((hit for hit in case.returned if document_id in _members(hit)), None)
        if row is not None:
            facts: dict[str, JSON] = {"cluster_id": row.extra["cluster_id"], "row": row.id}
            edits = case.setting("output_mode", before=given.output_mode.value, to=OutputMode.DOCUMENTS.value)
            return Verdict(VerdictKind.REPLACED, f"it stands in the row of its cluster, {row.id}", facts, edits)
        places = case.metadata.get(_LEFT_OUT)
        place = places.get(document_id) if isinstance(places, dict) else None
        if not isinstance(place, dict):
            return Verdict(VerdictKind.CHANGED, "it was not among what came in")
        if "rank" in place:
            return self._beyond(case, place)
        reason = f"it is in no cluster ({place['reason']}), and such documents are not shown"
        edits = case.setting("include_outliers", before=given.include_outliers, to=True)
        if given.output_mode is OutputMode.REPRESENTATIVES:
            edits += case.setting("output_mode", before=given.output_mode.value, to=OutputMode.DOCUMENTS.value)
        return Verdict(VerdictKind.LOST_IN_GROUP, reason, place, edits)

    def _beyond(self, case: Case, place: Mapping[str, Any]) -> Verdict:
        given, rank = self._parameters, int(place["rank"])
        where = f"it is number {rank} of {place['size']} in cluster {place['cluster_id']}"
        if given.output_mode is OutputMode.REPRESENTATIVES:
            edits = case.setting("output_mode", before=given.output_mode.value, to=OutputMode.DOCUMENTS.value)
            return Verdict(VerdictKind.LOST_IN_GROUP, f"{where}, and another stands for it", place, edits)
        most = given.max_members_per_cluster
        edits = case.setting("max_members_per_cluster", before=most, to=rank) if rank <= 500 else ()
        return Verdict(VerdictKind.LOST_IN_GROUP, f"{where}, and the best {most} of each are shown", place, edits)


def _members(row: Hit) -> frozenset[str]:
    documents = row.extra.get("documents")
    listed = documents if isinstance(documents, list) else []
    return frozenset(str(one.get("document_id")) for one in listed if isinstance(one, dict))


def _warnings(found: Clustered, count: int) -> list[str]:
    without = sum(reason == NO_VECTOR for reason in found.reasons.values())
    unfit = [reason for reason in ("not_a_number", "zero_vector") if reason in found.reasons.values()]
    told = [f"{without} of {count} hits have no stored vector; they are in no cluster"] if without else []
    return [*told, *(f"vectors that cannot be compared ({reason}) are in no cluster" for reason in unfit), *found.notes]
