"""A bucket's schema as a judge of values: types, required properties, defaults, enumerations."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from tamis.errors import ValidationError
from tamis.model.instants import instant
from tamis.model.json import JSON

Loc: TypeAlias = Sequence[str | int]
Problem: TypeAlias = dict[str, Any]

FILE_TYPES = frozenset({"file", "image", "audio", "video", "pdf", "document", "spreadsheet", "presentation"})
TEXT_TYPES = frozenset({"string", "text"})
SCALAR_TYPES = frozenset({"string", "text", "number", "integer", "float", "boolean", "date", "datetime"})
_FAMILIES = (
    TEXT_TYPES,
    frozenset({"number", "integer", "float"}),
    frozenset({"date", "datetime", "string"}),
    frozenset({"json", "object", "array"}),
)
_ACCEPTS_FILES = {"file": FILE_TYPES, "document": frozenset({"pdf", "document", "spreadsheet", "presentation"})}


def problem(loc: Loc, message: str) -> Problem:
    return {"loc": [*loc], "msg": message, "type": "value_error"}


def refuse(problems: Sequence[Problem]) -> None:
    """Raises: ValidationError with all of them, its message the first; nothing where there are none."""
    if problems:
        first = problems[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValidationError(f"{where}: {first['msg']}", problems=list(problems))


def properties(schema: Mapping[str, Any]) -> Mapping[str, dict[str, Any]]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def fits(blob_type: str, declared: str) -> bool:
    """Whether a blob of one type may fill a property declared as another."""
    if "automatic" in (blob_type, declared) or blob_type == declared:
        return True
    if blob_type in _ACCEPTS_FILES.get(declared, ()):
        return True
    return any(blob_type in family and declared in family for family in _FAMILIES)


def unknown_property(name: str, schema: Mapping[str, Any], loc: Loc) -> Problem:
    names = list(properties(schema))
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"it has {', '.join(names) or 'none'}"
    return problem(loc, f"the bucket's schema has no property {name!r}; {hint}")


def check_unique_key(fields: Sequence[str], schema: Mapping[str, Any], loc: Loc) -> None:
    """Raises: ValidationError where a field is not in the schema, or no scalar."""
    problems = []
    for place, name in enumerate(fields):
        declared = properties(schema).get(name)
        if declared is None:
            problems.append(unknown_property(name, schema, [*loc, place]))
        elif declared["type"] not in SCALAR_TYPES:
            problems.append(problem([*loc, place], f"{name!r} is of type {declared['type']}; a key is made of scalars"))
    refuse(problems)


def value_problems(value: JSON, declared: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """What is wrong with a value that is there, by its declaration; a file's content is not looked at."""
    kind = str(declared["type"])
    check = _CHECKS.get(kind)
    if check is not None and not check[0](value):
        yield problem(loc, f"expected {check[1]}, got {_said(value)}")
        return
    allowed = declared.get("enum")
    if allowed and value not in allowed:
        yield problem(loc, f"expected one of {', '.join(map(repr, allowed))}, got {_said(value)}")
    if kind == "array" and isinstance(value, list) and declared.get("items"):
        for place, item in enumerate(value):
            yield from value_problems(item, declared["items"], [*loc, place])
    if kind == "object" and isinstance(value, dict) and declared.get("properties"):
        yield from object_problems(value, declared["properties"], loc)


def object_problems(value: Mapping[str, JSON], declared: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    for name, inner in declared.items():
        if value.get(name) is not None:
            yield from value_problems(value[name], inner, [*loc, name])
        elif inner.get("required"):
            yield problem([*loc, name], f"required, of type {inner['type']}")


def default_problems(schema: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Defaults that the schema itself would refuse."""
    for name, declared in properties(schema).items():
        if declared.get("default") is not None:
            yield from value_problems(declared["default"], declared, [*loc, name, "default"])


def _said(value: JSON) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and len(value) == len("2026-01-31") and instant(value) is not None


def _is_datetime(value: Any) -> bool:
    return isinstance(value, str) and instant(value) is not None


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_number(item) for item in value)


def _is_int8_vector(value: Any) -> bool:
    return _is_vector(value) and all(_is_integer(item) and -128 <= item <= 127 for item in value)


def _is_sparse_vector(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    indices, values = value.get("indices"), value.get("values")
    if not isinstance(indices, list) or not isinstance(values, list) or len(indices) != len(values):
        return False
    return all(_is_integer(item) and item >= 0 for item in indices) and all(_is_number(item) for item in values)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "text"),
    "text": (lambda value: isinstance(value, str), "text"),
    "number": (_is_number, "a number"),
    "float": (_is_number, "a number"),
    "integer": (_is_integer, "a whole number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "object": (lambda value: isinstance(value, dict), "an object"),
    "array": (lambda value: isinstance(value, list), "an array"),
    "date": (_is_date, "a date, as 2026-01-31"),
    "datetime": (_is_datetime, "a date and time, as 2026-01-31T12:00:00Z"),
    "dense_vector": (_is_vector, "an array of numbers"),
    "int8_vector": (_is_int8_vector, "an array of whole numbers from -128 to 127"),
    "sparse_vector": (_is_sparse_vector, "an object with 'indices' and 'values' of equal length"),
} | dict.fromkeys(FILE_TYPES, (lambda value: isinstance(value, str), "a URL, a data: URI or base64"))
