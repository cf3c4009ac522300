"""A taxonomy: nodes in a tree, what each is matched by, and the way of a document down the tree.

A level is decided at once for all documents: of the children of what matched above, those with at least the minimum
score, the best `top_k` of them, score down and id up. A label is a node below which nothing matched.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tamis.engine.groups.grouping import value_at
from tamis.model.json import JSON

MAX_NODES = 2_000
MAX_LEVELS = 20
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Rows:
    """Vectors; the nearest of them counts."""

    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """Embedded by the model of the documents' feature; the nearest of them counts."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A collection's documents; the nearest of them counts."""

    collection: str


@dataclass(frozen=True, slots=True)
class Retrieval:
    """A saved retriever, run for each document; its best hit counts, where named only one of this collection."""

    retriever: str
    inputs: Mapping[str, JSON]
    collection: str | None = None


Means: TypeAlias = Rows | Texts | Members | Retrieval


@dataclass(frozen=True, slots=True)
class Copied:
    """A field of what a node was matched by, or of its properties. target: where it goes on the document."""

    path: str
    target: str
    appends: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """means: None lets every document through that came to its parent.

    spread: each document that it is matched by is a label of its own: a flat taxonomy over one collection.
    """

    id: str
    label: str
    parent: str | None = None
    means: Means | None = None
    properties: Mapping[str, JSON] = field(default_factory=dict)
    copied: tuple[Copied, ...] = ()
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """nodes: by level from the root, then by id."""

    nodes: tuple[Node, ...]
    levels: Mapping[str, int]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> "Taxonomy":
        """Raises: ValueError for ids that are not distinct, parents that are missing or go round, and too many."""
        by_id = {node.id: node for node in nodes}
        if len(by_id) < len(nodes):
            raise ValueError(f"node ids are distinct: {_first_twice([node.id for node in nodes])!r} is there twice")
        if not nodes or len(nodes) > MAX_NODES:
            raise ValueError(f"a taxonomy has 1 to {MAX_NODES} nodes, not {len(nodes)}")
        levels = {node.id: _level(node, by_id) for node in nodes}
        return cls(tuple(sorted(nodes, key=lambda node: (levels[node.id], node.id))), levels)

    def line(self, node: Node) -> tuple[Node, ...]:
        """From its root to the node itself."""
        by_id = {one.id: one for one in self.nodes}
        found = [node]
        while found[-1].parent is not None:
            found.append(by_id[found[-1].parent])
        return tuple(reversed(found))


def _level(node: Node, by_id: Mapping[str, Node]) -> int:
    level, parent = 1, node.parent
    while parent is not None:
        if parent not in by_id:
            raise ValueError(f"node {node.id!r} has the parent {parent!r}, which is no node")
        level, parent = level + 1, by_id[parent].parent
        if level > MAX_LEVELS:
            raise ValueError(f"node {node.id!r} is its own ancestor, or more than {MAX_LEVELS} levels deep")
    return level


def _first_twice(ids: Sequence[str]) -> str:
    return next(one for n, one in enumerate(ids) if one in ids[:n])


@dataclass(frozen=True, slots=True)
class Near:
    """A node that a document matched. score: None where the node lets all through.

    references: documents of the node that it was matched by, best first, with their scores.
    """

    score: float | None
    references: tuple[tuple[str, float], ...] = ()


Matches: TypeAlias = Mapping[str, Near]
"""By node id."""
Score: TypeAlias = Callable[[Sequence[Node], Sequence[Sequence[int]]], Awaitable[Sequence[Matches]]]
"""Nodes of a level, and for each document the places of those that it may match; the best of them for each."""


@dataclass(frozen=True, slots=True)
class Rule:
    """min_score: of every node on the way, 0..1.  top_k: nodes a level and labels.  max_depth: levels; None is all."""

    top_k: int = 3
    min_score: float = 0.0
    max_depth: int | None = None


async def descend(taxonomy: Taxonomy, count: int, rule: Rule, score: Score) -> list[dict[str, Near]]:
    """Each document's way down: every node that it matched. Cost: one call of `score` a level."""
    found: list[dict[str, Near]] = [{} for _ in range(count)]
    for level in range(1, min(max(taxonomy.levels.values()), rule.max_depth or MAX_LEVELS) + 1):
        nodes = [node for node in taxonomy.nodes if taxonomy.levels[node.id] == level]
        for way in found:
            way.update({n.id: Near(None) for n in nodes if n.means is None and (n.parent is None or n.parent in way)})
        asked = [node for node in nodes if node.means is not None]
        allowed = [[p for p, n in enumerate(asked) if n.parent is None or n.parent in way] for way in found]
        if any(allowed):
            for way, matches in zip(found, await score(asked, allowed), strict=True):
                way.update(best(matches, rule))
    return found


def best(matches: Matches, rule: Rule) -> dict[str, Near]:
    """Score down, id up; what is below the minimum is none."""
    scored = [(near.score, node, near) for node, near in matches.items() if near.score is not None]
    good = sorted(
        ((-value, node, near) for value, node, near in scored if value >= rule.min_score), key=lambda x: x[:2]
    )
    return {node: near for _, node, near in good[: rule.top_k]}


def labels_of(taxonomy: Taxonomy, way: Matches, rule: Rule) -> list[Node]:
    """Matched nodes with nothing matched below them, score down and id up, at most `top_k`."""
    by_id = {node.id: node for node in taxonomy.nodes}
    scored = {node: near for node, near in way.items() if near.score is not None}
    above = {one.id for node in scored for one in taxonomy.line(by_id[node])[:-1]}
    return [by_id[node] for node in best({n: near for n, near in scored.items() if n not in above}, rule)]


def inherited(line: Sequence[Node], fields: Mapping[str, Mapping[str, JSON]]) -> dict[str, JSON]:
    """A node's properties: from the root down, so that a child's own stand over its parents'.

    fields: of the document that each node was matched by, by node id.
    """
    found: dict[str, JSON] = {}
    for node in line:
        found.update(node.properties)
        view = {**node.properties, **fields.get(node.id, {})}
        values = {one.target: value_at(view, one.path) for one in node.copied}
        found.update({target: value for target, value in values.items() if value is not None})
    return found


def cosines(rows: NDArray[np.float64], prototypes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Each row against each node: the highest cosine with one of the node's vectors.

    rows: [n, dim], none of them zero.  prototypes: of each node [k, dim], k at least 1.
    Returns [n, nodes], to six digits: stored vectors have no more, and what differs by rounding is a tie.
    A text that its model knows nothing of is a zero row, and 0 from everything.  Cost: one matrix product.
    """
    starts = np.cumsum([0, *(len(own) for own in prototypes[:-1])])
    products = _unit(rows) @ _unit(np.concatenate(prototypes)).T
    highest = np.maximum.reduceat(products, starts, axis=1).astype(np.float64)
    return np.clip(np.round(highest, _DIGITS), -1.0, 1.0)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    # By its largest number first: the square of a very large or small one is no number.
    scaled = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    lengths: NDArray[np.float64] = np.sqrt((scaled**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = scaled / np.maximum(lengths, np.finfo(np.float64).tiny)
    return unit
