"""Filters as the engine's own, where that gives exactly what `model.matching.matches` gives.

The result is the engine's REST form as plain data, which both the embedded engine and the cluster's client build their
objects from, with two additions.

`{"late": {...}}` stands for the points that hold text other than dates where a filter asks for dates. Text compares
with a date as text, which the engine cannot do; the backend looks these points up (`late_matches`) and puts their ids
there. Where a field holds dates alone, as it should, there are none.

`{"wide": {...}}` is a range of numbers. Where no point has a wide number (`payload.is_wide`) under the path, it is the
engine's own range (`plain`); else the backend looks up those so near the bound that the engine cannot tell (`near`),
and takes `wide_range`.
"""

import math
import operator
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tamis.errors import ValidationError
from tamis.model.filters import And, Condition, Filter, IdIn, Not, Operator, Or
from tamis.model.instants import instant
from tamis.model.json import JSON
from tamis.storage.index.payload import (
    BOOLEAN,
    EXACT,
    FOLDED,
    NUMBER,
    PLAIN_TEXT,
    PREFIX_LENGTH,
    PRESENT,
    TEXT_LIMIT,
    WIDE,
    WIDE_ERROR,
    key_of,
    micros,
    number_text,
    term,
    value_of,
)

Clause: TypeAlias = dict[str, Any]

_POINTS = uuid.UUID("0b7e0d1c-59d5-5d1b-8a35-74616d697300")
_EXACT_INTEGERS = 2**53
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


class _NotExact(Exception):
    """A signal inside this module; no caller sees it."""


def point_id(document_id: str) -> str:
    return str(point_uuid(document_id))


def point_uuid(document_id: str) -> uuid.UUID:
    return uuid.uuid5(_POINTS, document_id)


def compiles(filter: Filter) -> bool:
    try:
        _clause(filter)
    except _NotExact:
        return False
    return True


def compile_filter(filter: Filter | None) -> Clause | None:
    """None where nothing is filtered. Raises: ValidationError for what `compiles` says no to."""
    if filter is None:
        return None
    try:
        return _clause(filter)
    except _NotExact as cause:
        raise ValidationError("this index cannot answer the filter exactly; ask `compiles` first") from cause


def _clause(filter: Filter) -> Clause:
    if isinstance(filter, Condition):
        return _condition(filter)
    if isinstance(filter, Not):
        return _negated(_clause(filter.child))
    if isinstance(filter, IdIn):
        return {"has_id": sorted(point_id(one) for one in filter.document_ids)}
    children = [_clause(child) for child in filter.children]
    if isinstance(filter, And):
        return {"must": children} if children else _negated({"has_id": []})
    assert isinstance(filter, Or)  # noqa: S101 - tells mypy that the union is exhausted
    return _either(children)


def _negated(clause: Clause) -> Clause:
    return {"must_not": [clause]}


def _either(clauses: list[Clause]) -> Clause:
    return {"should": clauses} if clauses else {"has_id": []}


def _term(path: str, kind: str, value: str = "") -> Clause:
    return {"key": "t", "match": {"text": term(path, kind, value)}}


def _condition(condition: Condition) -> Clause:
    path, wanted = condition.path, condition.value
    match condition.operator:
        case Operator.EXISTS | Operator.IS_NULL:
            present = (condition.operator is Operator.EXISTS) == bool(wanted)
            return _term(path, PRESENT) if present else _negated(_term(path, PRESENT))
        case Operator.EQ:
            return _equals(path, wanted, condition.case_sensitive)
        case Operator.NE:
            return _negated(_equals(path, wanted, condition.case_sensitive))
        case Operator.IN:
            return _one_of(condition)
        case Operator.NIN:
            return _negated(_one_of(condition))
        case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE:
            return _ordered(path, str(condition.operator), wanted)
        case _:
            raise _NotExact


def _one_of(condition: Condition) -> Clause:
    wanted = condition.value if isinstance(condition.value, list) else [condition.value]
    clauses = [_equals(condition.path, one, condition.case_sensitive) for one in wanted]
    terms = [clause["match"]["text"] for clause in clauses if "match" in clause]
    others = [clause for clause in clauses if "match" not in clause]
    if terms:
        others.append({"key": "t", "match": {"text_any": " ".join(terms)}})
    return _either(others)


def _equals(path: str, wanted: JSON, case_sensitive: bool) -> Clause:
    if wanted is None:
        return _negated(_term(path, PRESENT))
    if isinstance(wanted, str):
        folded = wanted.casefold()
        if len(folded) > TEXT_LIMIT:
            raise _NotExact
        return _term(path, EXACT, wanted) if case_sensitive else _term(path, FOLDED, folded)
    if isinstance(wanted, bool):
        return _term(path, BOOLEAN, str(int(wanted)))
    if isinstance(wanted, int | float) and math.isfinite(wanted):
        return _term(path, NUMBER, number_text(wanted))
    raise _NotExact


def _ordered(path: str, name: str, wanted: JSON) -> Clause:
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, list | dict):
        return {"has_id": []}
    if isinstance(wanted, str):
        return _dated(path, name, wanted)
    return _numbers(path, name, wanted)


def _numbers(path: str, name: str, wanted: int | float) -> Clause:
    plain, holders = _range("n", path, name, wanted), _term(path, WIDE)
    margin = max(abs(wanted) * WIDE_ERROR, 1e-300)
    low, high = wanted - margin, wanted + margin
    between = {"key": plain["key"], "range": {"gte": low, "lte": high}}
    beyond = {"key": plain["key"], "range": {"gt": high} if name in ("gt", "gte") else {"lt": low}}
    return {
        "wide": {
            "plain": plain,
            "holders": holders,
            "near": {"must": [holders, between]},
            "surely": {"should": [{"must": [plain], "must_not": [holders]}, {"must": [holders, beyond]}]},
            "key": key_of(path),
            "order": name,
            "wanted": wanted,
        }
    }


def wide_range(wide: Mapping[str, Any], found: list[str]) -> Clause:
    """found: the ids of the points of `near` that `wide_matches`."""
    return _either([wide["surely"], {"has_id": found}])


def wide_matches(wide: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether a point with this payload holds a number that stands so to the one that is asked for."""
    test, wanted = _ORDERED[wide["order"]], wide["wanted"]
    values = _listed(kept.get(f"f-{wide['key']}"))
    return any(test(value_of(text), wanted) for text in values if text[0] == "n")


def _range(part: str, path: str, name: str, bound: int | float) -> Clause:
    # Stored numbers are floats. Beyond 2**53 rounding could carry a stored integer over the bound.
    if not abs(bound) < _EXACT_INTEGERS:
        raise _NotExact
    return {"key": f"{part}-{key_of(path)}", "range": {name: float(bound)}}


def _dated(path: str, name: str, wanted: str) -> Clause:
    moment = instant(wanted)
    if moment is None or len(wanted) >= PREFIX_LENGTH:
        raise _NotExact
    late = {"term": term(path, PLAIN_TEXT), "key": key_of(path), "order": name, "wanted": wanted}
    return _either([_range("i", path, name, micros(moment)), {"late": late}])


def late_matches(late: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether a point with this payload holds a text, not a date, that stands so to the date that is asked for."""
    test, wanted = _ORDERED[late["order"]], late["wanted"]
    values = [text[1:] for text in _listed(kept.get(f"f-{late['key']}")) if text[0] == "s"]
    texts = [text for text in values if instant(text) is None] + _listed(kept.get(f"l-{late['key']}"))
    return any(test(text, wanted) for text in texts)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
