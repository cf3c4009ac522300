"""Which fields some documents have, and of which types: a schema in the contract's words, found in values."""

from collections.abc import Iterable, Mapping
from typing import Any

from tamis.model.instants import instant
from tamis.model.json import JSON

_DEPTH = 8
_DATE_LENGTH = len("2026-01-31")
_ANY: dict[str, JSON] = {"type": "automatic"}
_MIXED = {frozenset({"integer", "number"}): "number", frozenset({"date", "datetime"}): "datetime"}


def discovered(rows: Iterable[Mapping[str, JSON]]) -> dict[str, JSON]:
    """Field -> BucketSchemaField. A field that values disagree about is `automatic`; one that is always null is none.

    Cost: O(values). Deeper than eight objects or arrays nothing is looked at.
    """
    found: dict[str, JSON] = {}
    for row in rows:
        found = _merged(found, _fields(row, _DEPTH))
    return found


def added(known: Mapping[str, JSON], found: Mapping[str, JSON], path: str = "") -> tuple[dict[str, JSON], list[str]]:
    """(what is known with the fields that were found besides, the dotted paths of these). No known type changes."""
    merged, fresh = dict(known), []
    for name, field in found.items():
        before = known.get(name)
        if before is None:
            merged[name] = field
            fresh.append(f"{path}{name}")
        elif _properties(before) is not None and (inner := _properties(field)):
            properties, deeper = added(_properties(before) or {}, inner, f"{path}{name}.")
            merged[name] = {**_as_field(before), "properties": properties}
            fresh += deeper
    return merged, fresh


def _fields(row: Mapping[str, JSON], depth: int) -> dict[str, JSON]:
    return {name: field for name, value in row.items() if (field := _field(value, depth)) is not None}


def _field(value: JSON, depth: int) -> dict[str, JSON] | None:
    if value is None:
        return None
    if depth == 0:
        return dict(_ANY)
    if isinstance(value, dict):
        return {"type": "object", "properties": _fields(value, depth - 1)}
    if isinstance(value, list):
        items: JSON = None
        for item in value:
            items = _both(items, _field(item, depth - 1))
        return {"type": "array"} if items is None else {"type": "array", "items": items}
    return {"type": _scalar(value)}


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if not value[:4].isdigit() or instant(value) is None:
        return "string"
    return "date" if len(value) == _DATE_LENGTH else "datetime"


def _merged(one: Mapping[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    return {**one, **{name: _both(one.get(name), field) for name, field in other.items()}}


def _both(one: JSON, other: JSON) -> JSON:
    if one is None or other is None or one == other:
        return other if one is None else one
    first, second = _as_field(one), _as_field(other)
    kinds = frozenset({str(first["type"]), str(second["type"])})
    if len(kinds) == 1:
        inside, beside = _properties(first), _properties(second)
        if inside is not None and beside is not None:
            return {**first, "properties": _merged(inside, beside)}
        items = _both(first.get("items"), second.get("items"))
        return first if items is None else {**first, "items": items}
    if kinds <= {"string", "date", "datetime"} and "string" in kinds:
        return {"type": "string"}
    return {"type": _MIXED.get(kinds, "automatic")}


def _as_field(field: JSON) -> dict[str, JSON]:
    return field if isinstance(field, dict) else dict(_ANY)


def _properties(field: JSON) -> dict[str, JSON] | None:
    """Of an object that says which it has."""
    found = field.get("properties") if isinstance(field, dict) else None
    return found if isinstance(found, dict) else None
