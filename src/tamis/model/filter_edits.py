"""The smallest changes to a filter, as it was written, that let one document through and keep all that it let through.

A bound moves to the document's value, its value joins those that are asked for; what no value can turn (a missing
field, a pattern, a condition under NOT) is widened by the document's id alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tamis.model.clauses import Clause, deciding
from tamis.model.edits import Edit, Path, applied
from tamis.model.filters import Condition, Operator, parse_filter
from tamis.model.json import JSON
from tamis.model.matching import elements, is_number, matches, resolve

_BOUNDS = {
    Operator.GT: Operator.GTE,
    Operator.GTE: Operator.GTE,
    Operator.LT: Operator.LTE,
    Operator.LTE: Operator.LTE,
}
_GROUPS = ("AND", "OR", "NOT")
_OPERATORS = frozenset(operator.value for operator in Operator)
_SETTINGS = ("case_sensitive", "case_insensitive", "additional_properties")
_TRIED = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a condition stands. operator: the key of a shorthand's operator, None where it has a full form."""

    path: Path
    raw: Any
    shorthand: bool = False
    operator: str | None = None


def admitting(raw: Any, view: Mapping[str, JSON]) -> tuple[Edit, ...]:
    """Edits to a filter's wire JSON after which the view matches; () where it does already.

    Their paths begin at the filter.  view: with its `document_id`.
    """
    filter = parse_filter(raw)
    if filter is None or matches(filter, view):
        return ()
    found = list(places(raw))
    edits = [_edit(clause, found[clause.position], view) for clause in deciding(filter, view)]
    several = tuple(edit for edit in edits if edit is not None)
    if len(several) == len(edits) and _admits(applied(raw, several), view):
        return several
    whole: Any = {"AND": raw} if isinstance(raw, list) else raw
    return (Edit((), raw, {"OR": [whole, {"field": "document_id", "operator": "eq", "value": view["document_id"]}]}),)


def _admits(raw: JSON, view: Mapping[str, JSON]) -> bool:
    """Two edits in one shorthand may stand in each other's way."""
    changed = parse_filter(raw)
    return changed is None or matches(changed, view)


def places(raw: Any, path: Path = ()) -> Iterator[Place]:
    """Where each condition of a filter's wire JSON stands, in the order that `parse_filter` reads them."""
    if isinstance(raw, list):
        for position, item in enumerate(raw):
            yield from places(item, (*path, position))
    elif isinstance(raw, dict) and "field" in raw:
        yield Place(path, raw)
    elif isinstance(raw, dict):
        for key, value in raw.items():
            if key in _SETTINGS or value is None:
                continue
            if key.upper() in _GROUPS:
                yield from places(value, (*path, key))
            else:
                yield from _shorthand((*path, key), value)


def _shorthand(path: Path, value: Any) -> Iterator[Place]:
    names = [name.removeprefix("$") for name in value] if isinstance(value, dict) else []
    if names and all(name in _OPERATORS for name in names):
        yield from (Place(path, value, True, name) for name in value)
    else:
        yield Place(path, value, True)


def _edit(clause: Clause, place: Place, view: Mapping[str, JSON]) -> Edit | None:
    wider = _wider(clause, view) if isinstance(clause.leaf, Condition) and not clause.holds else None
    if wider is None:
        return _by_id(clause, place, view)
    operator, value = wider
    if not place.shorthand:
        if operator is Operator(place.raw.get("operator") or "eq"):
            return Edit((*place.path, "value"), place.raw["value"], value)
        return Edit(place.path, place.raw, {**place.raw, "operator": operator.value, "value": value})
    if place.operator is None:
        return Edit(place.path, place.raw, {operator.value: value})
    kept = {name: one for name, one in place.raw.items() if name != place.operator}
    if place.operator.removeprefix("$") == operator.value:
        return Edit((*place.path, place.operator), place.raw[place.operator], value)
    return Edit(place.path, place.raw, {**kept, operator.value: value})


def _wider(clause: Clause, view: Mapping[str, JSON]) -> tuple[Operator, JSON] | None:
    """An operator and a value that let through what the clause did, and the document too."""
    leaf = clause.leaf
    if not isinstance(leaf, Condition):
        return None
    values: list[JSON] = [one for one in elements(resolve(view, leaf.path)) if one is not None]
    for value in _nearest(values, leaf)[:_TRIED]:
        found = _with(leaf, value)
        if found and matches(Condition(leaf.path, *found, leaf.case_sensitive), view):
            return found
    return None


def _nearest(values: list[JSON], leaf: Condition) -> list[Any]:
    """The document's values, the nearest to a numeric bound first."""
    wanted = leaf.value
    if not is_number(wanted) or leaf.operator not in _BOUNDS:
        return values
    return sorted((one for one in values if is_number(one)), key=lambda one: abs(float(one) - float(wanted)))  # type: ignore[arg-type]


def _with(leaf: Condition, value: JSON) -> tuple[Operator, JSON] | None:
    if leaf.operator in _BOUNDS and type(leaf.value) in (int, float, str):
        comparable = is_number(value) == is_number(leaf.value) and isinstance(value, str) == isinstance(leaf.value, str)
        return (_BOUNDS[leaf.operator], value) if comparable else None
    if isinstance(value, list | dict):
        return None
    if leaf.operator is Operator.EQ and not isinstance(leaf.value, list | dict):
        return Operator.IN, [leaf.value, value]
    if leaf.operator is Operator.IN and isinstance(leaf.value, list):
        return Operator.IN, [*leaf.value, value]
    return None


def _by_id(clause: Clause, place: Place, view: Mapping[str, JSON]) -> Edit | None:
    """The clause as it is, but for this document; a shorthand has no room for a second condition."""
    own: dict[str, JSON] = {
        "field": "document_id", "operator": "ne" if clause.holds else "eq", "value": view.get("document_id"),
    }  # fmt: skip
    join = "AND" if clause.holds else "OR"
    return None if place.shorthand else Edit(place.path, place.raw, {join: [place.raw, own]})
