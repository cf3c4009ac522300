"""Filters as a tree: what the contract's LogicalOperator and FilterCondition mean, parsed once.

`matching.matches` evaluates a tree on a document's view; an index may compile it instead, where the result is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, Union

from tamis.errors import ValidationError
from tamis.model.json import JSON


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    GT = "gt"
    LT = "lt"
    GTE = "gte"
    LTE = "lte"
    IN = "in"
    NIN = "nin"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"
    EXISTS = "exists"
    IS_NULL = "is_null"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Condition:
    """path: without the `metadata.` prefix, parts joined by dots."""

    path: str
    operator: Operator
    value: JSON
    case_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class And:
    children: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where the child is false; a missing field makes a condition false, and so its NOT true."""

    child: "Filter"


@dataclass(frozen=True, slots=True)
class IdIn:
    """Documents by id: what a clause that an index cannot compile is turned into."""

    document_ids: frozenset[str]


MOST_CLAUSES = 1_000
DEEPEST = 32
"""Groups inside groups."""
_OPERATORS = frozenset(operator.value for operator in Operator)

Filter: TypeAlias = Union[Condition, And, Or, Not, IdIn]


def both(first: Filter | None, second: Filter | None) -> Filter | None:
    """Documents that match each of the two; None matches all."""
    if first is None or second is None:
        return second if first is None else first
    return And((first, second))


def canonical_path(path: str) -> str:
    """`metadata.price` and `price` name the same field."""
    for prefix in ("$.", "metadata."):
        path = path.removeprefix(prefix)
    return path


def parse_filter(raw: Any, loc: list[str | int] | None = None) -> Filter | None:
    """Build the tree from wire JSON: a LogicalOperator, one FilterCondition, a list (AND) or `{field: value}`.

    Returns None where nothing is filtered. NOT over several children means none of them may hold.
    Raises: ValidationError naming the place.
    """
    here = loc or ["filters"]
    if raw is None or raw == {} or raw == []:
        return None
    if isinstance(raw, list):
        return _bounded(And(tuple(_children(raw, here, False))), here)
    if not isinstance(raw, dict):
        raise ValidationError.at(here, "a filter is an object with AND, OR, NOT or field, operator, value")
    return _bounded(_parse(raw, here, bool(raw.get("case_sensitive") or False)), here)


def has_regex(filter: Filter) -> bool:
    """Whether one of its conditions is a regular expression."""
    if isinstance(filter, Condition):
        return filter.operator is Operator.REGEX
    return any(map(has_regex, _inside(filter)))


def _inside(filter: Filter) -> tuple[Filter, ...]:
    if isinstance(filter, And | Or):
        return filter.children
    return (filter.child,) if isinstance(filter, Not) else ()


def _bounded(filter: Filter | None, loc: list[str | int]) -> Filter | None:
    """Raises: ValidationError where there is more of it than anyone means."""
    level: tuple[Filter, ...] = (filter,) if filter is not None else ()
    depth, clauses = 0, 0
    while level:
        clauses += sum(not _inside(each) for each in level)
        level, depth = tuple(child for each in level for child in _inside(each)), depth + 1
        if clauses > MOST_CLAUSES:
            raise ValidationError.at(loc, f"a filter has at most {MOST_CLAUSES} conditions", limit=MOST_CLAUSES)
        if depth > DEEPEST:
            raise ValidationError.at(loc, f"a filter nests at most {DEEPEST} deep", limit=DEEPEST)
    return filter


def to_json(filter: Filter) -> dict[str, JSON]:
    """The filter as the wire has it: `parse_filter` makes of it one that means the same."""
    if isinstance(filter, Condition):
        condition: dict[str, JSON] = {"field": filter.path, "operator": filter.operator.value, "value": filter.value}
        return {**condition, "case_sensitive": True} if filter.case_sensitive else condition
    if isinstance(filter, And):
        return {"AND": [to_json(child) for child in filter.children]}
    if isinstance(filter, Or):
        return {"OR": [to_json(child) for child in filter.children]}
    if isinstance(filter, Not):
        return {"NOT": [to_json(filter.child)]}
    return {"field": "document_id", "operator": Operator.IN.value, "value": [*sorted(filter.document_ids)]}


def _parse(raw: dict[str, Any], loc: list[str | int], case_sensitive: bool) -> Filter | None:
    if "field" in raw:
        return _condition(raw, loc, case_sensitive)
    parts: list[Filter] = []
    for key, value in raw.items():
        upper = key.upper()
        if key in ("case_sensitive", "case_insensitive", "additional_properties") or value is None:
            continue
        if upper in ("AND", "OR", "NOT"):
            children = tuple(_children(value if isinstance(value, list) else [value], [*loc, key], case_sensitive))
            if children:
                parts.append(_combine(upper, children))
        else:
            parts.extend(_shorthand(key, value, [*loc, key], case_sensitive))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _combine(operator: str, children: tuple[Filter, ...]) -> Filter:
    if operator == "NOT":
        return Not(children[0] if len(children) == 1 else Or(children))
    if len(children) == 1:
        return children[0]
    return And(children) if operator == "AND" else Or(children)


def _children(raw: list[Any], loc: list[str | int], case_sensitive: bool) -> Iterator[Filter]:
    for position, item in enumerate(raw):
        if not isinstance(item, dict):
            raise ValidationError.at([*loc, position], "expected a condition or a group of conditions")
        child = _parse(item, [*loc, position], bool(item.get("case_sensitive", case_sensitive)))
        if child is not None:
            yield child


def _condition(raw: dict[str, Any], loc: list[str | int], case_sensitive: bool) -> Condition:
    path = raw["field"]
    if not isinstance(path, str) or not path:
        raise ValidationError.at([*loc, "field"], "the name of a field, such as 'metadata.price'")
    operator = _operator(raw.get("operator") or "eq", [*loc, "operator"])
    if "value" not in raw and operator not in (Operator.EXISTS, Operator.IS_NULL):
        raise ValidationError.at([*loc, "value"], "a condition needs a value")
    value = raw.get("value", True)
    _check_value(operator, value, [*loc, "value"])
    return Condition(canonical_path(path), operator, value, bool(raw.get("case_sensitive", case_sensitive)))


def _operator(text: Any, loc: list[str | int]) -> Operator:
    try:
        return Operator(text)
    except ValueError:
        known = ", ".join(operator.value for operator in Operator)
        raise ValidationError.at(loc, f"unknown operator {text!r}; known: {known}") from None


def _check_value(operator: Operator, value: Any, loc: list[str | int]) -> None:
    if operator in (Operator.IN, Operator.NIN) and not isinstance(value, list):
        raise ValidationError.at(loc, f"'{operator}' takes a list")
    if operator in (Operator.EXISTS, Operator.IS_NULL) and not isinstance(value, bool):
        raise ValidationError.at(loc, f"'{operator}' takes true or false")


def _shorthand(field: str, value: Any, loc: list[str | int], case_sensitive: bool) -> Iterator[Filter]:
    """`{"price": 5}` is eq; `{"price": {"$lt": 5, "gte": 1}}` one condition for each operator."""
    path = canonical_path(field)
    if isinstance(value, dict):
        names = [name.removeprefix("$") for name in value]
        if names and all(name in _OPERATORS for name in names):
            for name, raw in zip(names, value.values(), strict=True):
                _check_value(Operator(name), raw, loc)
                yield Condition(path, Operator(name), raw, case_sensitive)
            return
    yield Condition(path, Operator.EQ, value, case_sensitive)
