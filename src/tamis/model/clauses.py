"""Which clauses decide that a filter does not match: the fewest whose outcome would have to be the other one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tamis.model.filters import And, Condition, Filter, IdIn, Not
from tamis.model.json import JSON
from tamis.model.matching import elements, matches, resolve

_SHOWN = 20

Leaf: TypeAlias = Condition | IdIn
Flip: TypeAlias = tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition that went the wrong way.

    position: among the filter's leaves, in the order written.  holds: what it is now; under NOT it is true that is
    wrong.  actual: the document's values under its path, at most 20; empty where the field is missing.
    """

    position: int
    leaf: Leaf
    holds: bool
    actual: tuple[JSON, ...] = ()

    @property
    def text(self) -> str:
        """In words, with what the document has and what was wanted."""
        leaf = self.leaf
        if isinstance(leaf, IdIn):
            return "it is not among the documents asked for"
        has = "is missing" if not self.actual else f"is {_shown(self.actual)}"
        wanted = f"{leaf.operator.value} {leaf.value!r}"
        return f"{leaf.path!r} {has}, and NOT {wanted} is asked" if self.holds else f"{leaf.path!r} {has}, not {wanted}"

    def to_json(self) -> dict[str, JSON]:
        leaf = self.leaf
        if isinstance(leaf, IdIn):
            return {
                "field": "document_id",
                "operator": "in",
                "wanted": [*sorted(leaf.document_ids)[:_SHOWN]],
                "negated": self.holds,
                "actual": [],
            }
        return {
            "field": leaf.path,
            "operator": leaf.operator.value,
            "wanted": leaf.value,
            "negated": self.holds,
            "actual": list(self.actual),
        }


def deciding(filter: Filter, view: Mapping[str, JSON]) -> Flip:
    """The fewest clauses that, each turning out the other way, would make the filter match; () where it does.

    Of several sets that are equally small, the one written first. Cost: one evaluation of each condition.
    """
    return () if matches(filter, view) else _Walk(view).turning(filter, True)


def leaves(filter: Filter | None) -> list[Leaf]:
    """Every condition of a tree, in the order written: what `Clause.position` counts."""
    if filter is None:
        return []
    if isinstance(filter, Condition | IdIn):
        return [filter]
    if isinstance(filter, Not):
        return leaves(filter.child)
    return [leaf for child in filter.children for leaf in leaves(child)]


@dataclass(slots=True)
class _Walk:
    """Passes every leaf once, in order, so that positions can be counted."""

    view: Mapping[str, JSON]
    position: int = 0

    def turning(self, filter: Filter, wanted: bool) -> Flip:
        """The fewest clauses to turn for `filter` to come out as `wanted`."""
        if isinstance(filter, Condition | IdIn):
            return self._leaf(filter, wanted)
        if isinstance(filter, Not):
            return self.turning(filter.child, not wanted)
        flips = [self.turning(child, wanted) for child in filter.children]
        if isinstance(filter, And) == wanted:
            return tuple(clause for flip in flips for clause in flip)
        return min(flips, key=len, default=())

    def _leaf(self, leaf: Leaf, wanted: bool) -> Flip:
        position, holds = self.position, matches(leaf, self.view)
        self.position += 1
        if holds == wanted:
            return ()
        values = resolve(self.view, leaf.path) if isinstance(leaf, Condition) else []
        actual = [value for value in elements(values) if value is not None]
        return (Clause(position, leaf, holds, tuple(actual[:_SHOWN])),)


def _shown(values: tuple[JSON, ...]) -> str:
    texts = [_short(repr(value)) for value in values]
    return texts[0] if len(texts) == 1 else f"any of {', '.join(texts)}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
