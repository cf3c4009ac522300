"""Trees that are worked out: of collections by their fields, of clusters by the documents that they share."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from tamis.model.json import JSON


def parents_by_fields(fields: Mapping[str, Set[str]]) -> dict[str, str | None]:
    """Of each collection the one whose fields are the largest proper part of its own; ties by id up.

    A collection that knows more of its documents is about something narrower.  Cost: O(n^2) set comparisons.
    """
    found: dict[str, str | None] = {}
    for child, own in fields.items():
        above = [(len(theirs), other) for other, theirs in fields.items() if theirs and theirs < own]
        found[child] = min(above, key=lambda one: (-one[0], one[1]))[1] if above else None
    return found


@dataclass(frozen=True, slots=True)
class Group:
    """One cluster of a clustering. centroid: in the space of the documents' feature."""

    label: str
    centroid: tuple[float, ...]
    keywords: tuple[str, ...] = ()
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """One clustering of documents. numbers: of each document, its group's place in `groups`."""

    name: str
    groups: Sequence[Group]
    numbers: Mapping[str, int]


def nodes_by_overlap(groupings: Sequence[Grouping], threshold: float) -> list[dict[str, JSON]]:
    """A node for each group; one of a finer grouping lies below the group of the next coarser that holds at least
    `threshold` (0..1) of its documents, else below one of a coarser still, else at the root.

    Nodes are matched by their centroids.  Cost: O(groupings^2 * documents).
    """
    ordered = sorted(groupings, key=lambda one: (len(one.groups), one.name))
    nodes: list[dict[str, JSON]] = []
    for place, finer in enumerate(ordered):
        for number, group in enumerate(finer.groups):
            parent = _holder(finer, number, ordered[:place], threshold)
            nodes.append(_node(finer, number, group, parent))
    return nodes


def _holder(finer: Grouping, number: int, coarser: Sequence[Grouping], threshold: float) -> str | None:
    own = [document for document, its in finer.numbers.items() if its == number]
    for above in reversed(coarser):
        shared = Counter(above.numbers[document] for document in own if document in above.numbers)
        best = min(shared, key=lambda one: (-shared[one], one), default=None)
        if best is not None and shared[best] >= threshold * len(own):
            return _id(above, best)
    return None


def _node(grouping: Grouping, number: int, group: Group, parent: str | None) -> dict[str, JSON]:
    node: dict[str, JSON] = {"id": _id(grouping, number), "label": group.label, "vector": [*group.centroid]}
    known: dict[str, JSON] = {"parent": parent, "summary": group.summary, "keywords": [*group.keywords]}
    return {**node, **{name: value for name, value in known.items() if value}}


def _id(grouping: Grouping, number: int) -> str:
    return f"{grouping.name}.{number}"
