"""An execution's inputs against the retriever's input schema (field -> the contract's BucketSchemaField)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from tamis.errors import ValidationError
from tamis.model.json import JSON

Loc: TypeAlias = list[str | int]
Problem: TypeAlias = dict[str, Any]

_BODY: Loc = ["body", "inputs"]
_FILES = ("file", "image", "audio", "video", "pdf", "document", "spreadsheet", "presentation")


def schema_fields(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields by name; later clients wrap them as `{"properties": {...}}`."""
    inner = schema.get("properties")
    return inner if isinstance(inner, dict) and "type" not in inner else schema


def check_inputs(schema: Mapping[str, Any], inputs: Mapping[str, Any], loc: Loc | None = None) -> dict[str, JSON]:
    """The inputs with defaults filled in. Undeclared ones are kept; null means not given.

    Raises: ValidationError with every fault, each saying what would be right.
    """
    here = loc or _BODY
    checked = {name: value for name, value in inputs.items() if value is not None}
    problems: list[Problem] = []
    for name, field in schema_fields(schema).items():
        if _type(field) is None:
            continue  # what is wrong with a schema itself is the plan's to say
        if name in checked:
            problems += check_value(field, checked[name], [*here, name])
        elif field.get("default") is not None:
            checked[name] = field["default"]
        elif field.get("required"):
            problems.append(fault([*here, name], f"this input is required: {_wanted(field)}", "missing"))
    raise_all(problems)
    return checked


def check_schema(schema: Mapping[str, Any], loc: Loc) -> list[Problem]:
    """What is wrong with an input schema itself."""
    problems: list[Problem] = []
    for name, field in schema_fields(schema).items():
        here = [*loc, name]
        if not isinstance(field, dict):
            problems.append(fault(here, 'a field is an object such as {"type": "string"}'))
            continue
        if _type(field) is None:
            known = ", ".join(TYPES)
            problems.append(fault([*here, "type"], f"{field.get('type')!r} is no type; there is {known}"))
            continue
        if isinstance(field.get("items"), dict):
            problems += check_schema({"items": field["items"]}, here)
        if isinstance(field.get("properties"), dict):
            problems += check_schema(field["properties"], [*here, "properties"])
        if field.get("default") is not None:
            problems += check_value(field, field["default"], [*here, "default"])
    return problems


def check_value(field: Mapping[str, Any], value: Any, loc: Loc) -> list[Problem]:
    """What is wrong with one value, nested ones included."""
    kind = _type(field)
    if kind is None:
        return []
    wanted, accepts = TYPES[kind]
    if not accepts(value):
        return [fault(loc, f"expected {wanted}, not {shown(value)}", f"{kind}_type")]
    choices = field.get("enum")
    if choices and value not in choices:
        return [fault(loc, f"expected one of {', '.join(map(repr, choices))}, not {shown(value)}", "enum")]
    return list(_check_inside(field, value, loc))


def _check_inside(field: Mapping[str, Any], value: Any, loc: Loc) -> Iterator[Problem]:
    items, properties = field.get("items"), field.get("properties")
    if isinstance(value, list) and isinstance(items, dict):
        for position, item in enumerate(value):
            yield from check_value(items, item, [*loc, position])
    if isinstance(value, dict) and isinstance(properties, dict):
        for name, inner in properties.items():
            if value.get(name) is not None:
                yield from check_value(inner, value[name], [*loc, name])
            elif _type(inner) and inner.get("required"):
                yield fault([*loc, name], f"this property is required: {_wanted(inner)}", "missing")


def fault(loc: Loc, message: str, kind: str = "value_error") -> Problem:
    return {"loc": loc, "msg": message, "type": kind}


def raise_all(problems: list[Problem]) -> None:
    """Raises: ValidationError with all of the problems, where there are any."""
    if not problems:
        return
    first = problems[0]
    message = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if len(problems) > 1:
        message += f" (and {len(problems) - 1} more)"
    raise ValidationError(message, problems=problems)


def shown(value: Any) -> str:
    """A value for a message: its kind, and itself where that is short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value if len(value) <= 40 else value[:37] + '...'!r}"
    return "an array" if isinstance(value, list) else "an object"


def _type(field: Any) -> str | None:
    """The field's type, where it is one of ours."""
    kind = field.get("type") if isinstance(field, Mapping) else None
    return kind if isinstance(kind, str) and kind in TYPES else None


def _wanted(field: Mapping[str, Any]) -> str:
    description = field.get("description")
    return f"{TYPES[field['type']][0]}, {description}" if description else TYPES[field["type"]][0]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_iso(parse: Callable[[str], Any]) -> Callable[[Any], bool]:
    def accepts(value: Any) -> bool:
        try:
            return isinstance(value, str) and parse(value) is not None
        except ValueError:
            return False

    return accepts


def _is_file(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(value.get(key), str) for key in ("url", "base64", "data", "object_id"))
    return isinstance(value, str)


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


def _is_int8_vector(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_integer(item) and -128 <= item <= 127 for item in value)


def _is_sparse_vector(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    indices, values = value.get("indices"), value.get("values")
    if not (isinstance(indices, list) and isinstance(values, list) and len(indices) == len(values)):
        return False
    return all(_is_integer(item) and item >= 0 for item in indices) and all(map(_is_number, values))


def _is_anything(value: Any) -> bool:
    return True


TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text", _is_text),
    "text": ("a text", _is_text),
    "number": ("a number", _is_number),
    "float": ("a number", _is_number),
    "integer": ("a whole number", _is_integer),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "array": ("an array", lambda value: isinstance(value, list)),
    "date": ("a date such as '2026-01-31'", _is_iso(date.fromisoformat)),
    "datetime": ("a time such as '2026-01-31T12:00:00Z'", _is_iso(datetime.fromisoformat)),
    "json": ("any JSON", _is_anything),
    "automatic": ("any JSON", _is_anything),
    "dense_vector": ("an array of numbers", _is_vector),
    "int8_vector": ("an array of whole numbers from -128 to 127", _is_int8_vector),
    "sparse_vector": ("an object with equally long arrays 'indices' and 'values'", _is_sparse_vector),
    **{kind: (f"a URL or base64 text of the {kind}, or an object with 'url' or 'base64'", _is_file) for kind in _FILES},
}
"""By type: what a message says is right, and whether a value is. In the contract's order of kinds."""
