"""What a run found, as it is stored: clusters with what stands for them, and members, the nearest first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tamis.engine.clustering.clustering import NO_VECTOR, Labels
from tamis.engine.clustering.clustering_job import Found
from tamis.engine.groups.grouping import sorted_json
from tamis.errors import ClusteringError
from tamis.jobs.cluster_gathering import Gathered, ValueGroup
from tamis.model.cluster import NOISE, AttributeSettings, FoundCluster, Member
from tamis.model.json import JSON

NO_VALUE = "no_value"
_REPRESENTATIVES = 10
_NEAREST = 100
"""Documents of each cluster that it is named by."""
_MOST_GROUPS = 10_000


@dataclass(frozen=True, slots=True)
class Findings:
    """found: clusters by number, without their names.  nearest: of each, ids of the nearest documents.

    order: places of documents, as they are stored.  member_of: the member at each of these.
    clustered: documents in a cluster.  clusters: that hold documents themselves.  dimensions: of places on a page.
    """

    found: tuple[FoundCluster, ...]
    nearest: tuple[tuple[str, ...], ...]
    clustered: int
    clusters: int
    dimensions: int
    members: "_Members"

    @property
    def count(self) -> int:
        return self.members.count


@dataclass(frozen=True, slots=True)
class _Members:
    """documents: (id, collection).  order: their places by cluster, distance and id; those without a row come last."""

    documents: Sequence[tuple[str, str]]
    without: Sequence[tuple[str, str]]
    order: Sequence[int]
    numbers: Sequence[int]
    places: Sequence[int]
    missing: str
    found: Found | None = None

    @property
    def count(self) -> int:
        return len(self.documents) + len(self.without)

    def at(self, position: int) -> Member:
        if position >= len(self.documents):
            place = position - len(self.documents)
            return Member(*self.without[place], NOISE, position, reason=self.missing)
        row = self.order[position]
        number, place = self.numbers[row], self.places[position]
        if self.found is None:
            return Member(*self.documents[row], number, place)
        distance = float(self.found.distances[row])
        at = tuple(map(float, self.found.places[row]))
        code = int(self.found.reasons[row])
        return Member(
            *self.documents[row], number, place,
            None if np.isnan(distance) else round(distance, 6),
            () if any(map(np.isnan, at)) else at,
            self.found.facts.reasons[code] if code >= 0 else None,
        )  # fmt: skip


def stored_members(findings: Findings, start: int, end: int) -> list[Member]:
    return [findings.members.at(position) for position in range(start, min(end, findings.count))]


def of_vectors(found: Found, gathered: Gathered) -> Findings:
    labels = found.labels.astype(np.int64)
    distances = np.where(np.isnan(found.distances), np.inf, np.round(found.distances.astype(np.float64), 6))
    # Rows are in the order of their documents, so that ties go by id.
    order = np.lexsort((np.arange(len(labels)), distances, labels))
    places = _places(labels[order])
    members = _Members(
        gathered.documents, gathered.without, order.tolist(), labels.tolist(), places, NO_VECTOR, found
    )  # fmt: skip
    nearest = _nearest(members, labels, order, len(found.centroids))
    clusters = tuple(_cluster(number, found, labels, nearest[number]) for number in range(len(found.centroids)))
    return Findings(clusters, nearest, int((labels >= 0).sum()), len(clusters), int(found.places.shape[1]), members)


def _places(labels: Labels) -> list[int]:
    """In each run of equal labels, from 0."""
    starts = np.flatnonzero(np.diff(labels, prepend=labels[:1] - 1))
    lengths = np.diff(np.append(starts, len(labels)))
    found: list[int] = (np.arange(len(labels)) - np.repeat(starts, lengths)).tolist()
    return found


def _nearest(
    members: _Members, labels: Labels,
    order: Labels, count: int,
) -> tuple[tuple[str, ...], ...]:  # fmt: skip
    sorted_labels = labels[order]
    begins = np.searchsorted(sorted_labels, np.arange(count), side="left")
    ends = np.searchsorted(sorted_labels, np.arange(count), side="right")
    return tuple(
        tuple(members.documents[row][0] for row in order[begin : min(begin + _NEAREST, end)].tolist())
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    )


def _cluster(number: int, found: Found, labels: Labels, nearest: Sequence[str]) -> FoundCluster:
    own = labels == number
    return FoundCluster(
        number, int(own.sum()), f"Cluster {number}", centroid=tuple(map(float, found.centroids[number])),
        representatives=tuple(nearest[:_REPRESENTATIVES]),
        mean_distance=round(float(found.distances[own].mean(dtype=np.float64)), 6),
    )  # fmt: skip


def of_values(
    settings: AttributeSettings, groups: Sequence[ValueGroup], without: Sequence[tuple[str, str]]
) -> Findings:
    """Raises: ClusteringError where there are too many groups."""
    if len(groups) > _MOST_GROUPS:
        raise ClusteringError(
            f"the attributes have {len(groups)} combinations of values, and {_MOST_GROUPS} clusters are the most: "
            "name attributes with fewer values, or narrow the documents by filters"
        )
    documents = [one for group in groups for one in group.documents]
    numbers = [number for number, group in enumerate(groups) for _ in group.documents]
    places = [place for group in groups for place in range(len(group.documents))]
    members = _Members(documents, without, range(len(documents)), numbers, places, NO_VALUE)
    found = _nested(settings, groups) if settings.nests else [_flat(settings, *one) for one in enumerate(groups)]
    ids = tuple(tuple(one for one, _ in group.documents[:_NEAREST]) for group in groups)
    nearest = ids + ((),) * (len(found) - len(groups))
    return Findings(tuple(found), nearest, len(documents), len(groups), 0, members)


def _flat(settings: AttributeSettings, number: int, group: ValueGroup) -> FoundCluster:
    return FoundCluster(
        number, len(group.documents), ", ".join(map(_shown, group.values)),
        representatives=tuple(one for one, _ in group.documents[:_REPRESENTATIVES]),
        values=dict(zip(settings.attributes, group.values, strict=True)),
    )  # fmt: skip


def _nested(settings: AttributeSettings, groups: Sequence[ValueGroup]) -> list[FoundCluster]:
    """The groups themselves by number, and behind them those that hold them, level by level from the first."""
    depth = len(settings.attributes)
    sizes: dict[bytes, int] = {}
    values: dict[bytes, tuple[JSON, ...]] = {}
    for level in range(1, depth):
        for group in groups:
            key = sorted_json([*group.values[:level]])
            sizes[key] = sizes.get(key, 0) + len(group.documents)
            values[key] = group.values[:level]
    number_of = {key: len(groups) + place for place, key in enumerate(values)}
    found = [
        FoundCluster(
            number, len(group.documents), _shown(group.values[-1]),
            representatives=tuple(one for one, _ in group.documents[:_REPRESENTATIVES]),
            values=dict(zip(settings.attributes, group.values, strict=True)),
            parent=number_of.get(sorted_json([*group.values[:-1]])),
        )
        for number, group in enumerate(groups)
    ]  # fmt: skip
    for key, own in values.items():
        parent = number_of.get(sorted_json([*own[:-1]])) if len(own) > 1 else None
        named = dict(zip(settings.attributes, own, strict=False))
        found.append(FoundCluster(number_of[key], sizes[key], _shown(own[-1]), values=named, parent=parent))
    return found


def _shown(value: JSON) -> str:
    return value if isinstance(value, str) else sorted_json(value).decode()
