"""Clusters as they are shown: rows with their documents inside, or documents with their cluster named on each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.clusters.cluster_labels import Named
from tamis.engine.clusters.cluster_parameters import OutputMode, Shown
from tamis.engine.searching.stored_clustering import Clustered
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

OUTLIERS = -1
_MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Group:
    """One cluster. hits: by score, ties by id.  distances: of each to the centroid.  terms: that set it apart.

    nearest: its hits by distance, ties by id: the first stands for all.
    """

    number: int
    hits: tuple[Hit, ...]
    distances: tuple[float, ...]
    nearest: tuple[Hit, ...]
    centroid: tuple[float, ...] = ()
    terms: tuple[str, ...] = ()
    name: Named | None = None

    @property
    def label(self) -> str:
        if self.name is not None:
            return self.name.label
        return ", ".join(self.terms) or f"Cluster {self.number}"

    def with_terms(self, terms: Sequence[str]) -> "Group":
        return replace(self, terms=tuple(terms))

    def with_name(self, name: Named | None) -> "Group":
        return replace(self, name=name)

    def summary(self) -> dict[str, JSON]:
        told: dict[str, JSON] = {
            "cluster_id": self.number, "label": self.label, "size": len(self.hits),
            "keywords": [*(self.name.keywords if self.name else self.terms)],
        }  # fmt: skip
        return told if self.name is None else {**told, "summary": self.name.summary}


def groups_of(hits: Hits, found: Clustered) -> tuple[list[Group], list[Hit]]:
    """hits: ranked, as the clustering was asked about. Returns: clusters by number, and the hits in none."""
    members: dict[int, list[int]] = {}
    for place, label in enumerate(found.labels):
        members.setdefault(label, []).append(place)
    outliers = [hits[place] for place in members.pop(OUTLIERS, [])]
    return [_group(number, places, hits, found) for number, places in sorted(members.items())], outliers


def _group(number: int, places: Sequence[int], hits: Hits, found: Clustered) -> Group:
    own = tuple(hits[place] for place in places)
    distances = tuple(found.distances[place] or 0.0 for place in places)
    nearest = sorted(zip(distances, own, strict=True), key=lambda one: (one[0], one[1].id))
    centroid = found.centroids[number] if found.centroids else ()
    return Group(number, own, distances, tuple(hit for _, hit in nearest), centroid)


def rows_of(
    groups: Sequence[Group], outliers: Sequence[Hit], reasons: Mapping[str, str], shown: Shown, stage_name: str
) -> tuple[list[Hit], dict[str, JSON]]:
    """What is shown; and of every hit that is nowhere in it, by id, where it is."""
    most = 1 if shown.mode is OutputMode.REPRESENTATIVES else shown.members
    left_out: dict[str, JSON] = {}
    rows: list[Hit] = []
    for group in groups:
        kept = group.nearest[:1] if shown.mode is OutputMode.REPRESENTATIVES else [*group.hits[:most]]
        rows += _of_group(group, kept, shown.mode, stage_name)
        ids = {hit.id for hit in kept}
        for rank, hit in enumerate(group.hits, 1):
            if hit.id not in ids:
                left_out[hit.id] = {"cluster_id": group.number, "rank": rank, "size": len(group.hits)}
    shows = shown.outliers and shown.mode is not OutputMode.REPRESENTATIVES
    apart = [*outliers[:most]] if shows else []
    rows += _of_outliers(apart, len(outliers), reasons, shown.mode, stage_name)
    left_out |= {hit.id: {"cluster_id": OUTLIERS, "reason": reasons[hit.id]} for hit in outliers[len(apart) :]}
    return rows, left_out


def _of_group(group: Group, kept: Sequence[Hit], mode: OutputMode, stage_name: str) -> Iterator[Hit]:
    distances = {hit.id: distance for hit, distance in zip(group.hits, group.distances, strict=True)}
    if mode is not OutputMode.CLUSTERS:
        told = group.summary()
        for hit in kept:
            yield hit.with_extra(cluster={**told, "distance_to_centroid": distances[hit.id]})
        return
    row: dict[str, JSON] = {**group.summary(), "representative": group.nearest[0].id}
    if group.centroid:
        row["centroid"] = [*group.centroid]
    row["documents"] = [
        {**_shown(hit), "cluster": {"cluster_id": group.number, "distance_to_centroid": distances[hit.id]}}
        for hit in kept
    ]  # fmt: skip
    yield Hit(f"{stage_name}:{group.number}", max(hit.score for hit in group.hits), extra=row)


def _of_outliers(
    kept: Sequence[Hit], size: int, reasons: Mapping[str, str], mode: OutputMode, stage_name: str
) -> Iterator[Hit]:
    if mode is not OutputMode.CLUSTERS:
        for hit in kept:
            yield hit.with_extra(cluster={"cluster_id": OUTLIERS, "label": None, "outlier_reason": reasons[hit.id]})
    elif kept:
        documents: list[JSON] = [{**_shown(hit), "outlier_reason": reasons[hit.id]} for hit in kept]
        row: dict[str, JSON] = {"cluster_id": OUTLIERS, "label": None, "size": size, "documents": documents}
        yield Hit(f"{stage_name}:outliers", max(hit.score for hit in kept), extra=row)


def _shown(hit: Hit) -> dict[str, JSON]:
    """A hit inside a row: its own fields, what stages added, where it is from."""
    own: dict[str, JSON] = {}
    if hit.document is not None:
        own = {**hit.document.fields, "collection_id": hit.document.collection_id}
    return {**own, **hit.extra, "document_id": hit.id, "score": hit.score}


def told_of(groups: Sequence[Group], outliers: Sequence[Hit], found: Clustered, algorithm: str) -> dict[str, JSON]:
    """The stage's metadata."""
    clustered = sum(len(group.hits) for group in groups)
    facts: dict[str, JSON] = {
        "algorithm": algorithm, "num_clusters": len(groups), "total_documents": clustered + len(outliers),
        "clustered_documents": clustered, "outlier_count": len(outliers), "sampled_documents": found.sampled,
        "clusters": [{**group.summary(), "representative": group.nearest[0].id} for group in groups[:_MOST_TOLD]],
    }  # fmt: skip
    return facts if found.silhouette is None else {**facts, "silhouette": round(found.silhouette, 6)}
