"""JSON Schemas that come with a request: checked, and values checked against them.

A schema is a stranger's program: it may name no document elsewhere, and its patterns run in linear time (RE2).
The library is imported when a schema is first looked at.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import re2

from tamis.model.json import JSON

_LARGEST = 64 * 1024
_MOST_FAULTS = 5
_LINEAR = ("pattern",)
_REFUSED = ("patternProperties", "$dynamicRef", "$recursiveRef")


def checked_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema. Raises: ValueError that names what is wrong, for pydantic to put in its place."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if len(json.dumps(schema)) > _LARGEST:
        raise ValueError(f"a schema has at most {_LARGEST} characters")
    for key, value in _members(schema):
        if key in _REFUSED:
            raise ValueError(f"{key!r} is not supported in a schema")
        if key == "$ref" and isinstance(value, str) and not value.startswith("#"):
            raise ValueError(f"a $ref stays within the schema, as '#/$defs/...'; {value!r} does not")
        if key in _LINEAR and isinstance(value, str):
            _compiled(value)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path) or "the schema"
        raise ValueError(f"not a JSON Schema: {where}: {error.message}") from error
    return schema


def faults_of(schema: dict[str, Any], value: JSON) -> list[str]:
    """What about the value does not fit the schema, at most five, as `place: keyword`; it repeats none of the value."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = extend(Draft202012Validator, {"pattern": _pattern})(schema, registry=Registry())
    try:
        first = [_nearest(error) for error in islice(validator.iter_errors(value), _MOST_FAULTS)]
        found = [
            f"/{'/'.join(str(part) for part in error.absolute_path)}: {error.validator} {_short(error.validator_value)}"
            for error in first
        ]
    except RecursionError:
        return ["/: nested too deeply"]
    except Unresolvable:
        return ["/: the schema refers to what it does not hold"]
    return found


def _nearest(error: Any) -> Any:
    """Of alternatives that all fail, the first fault of the one with the fewest: it says more than all of them do."""
    while error.context:
        alternatives: dict[Any, list[Any]] = {}
        for inner in error.context:
            alternatives.setdefault(inner.schema_path[0], []).append(inner)
        error = min(alternatives.values(), key=len)[0]
    return error


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError("does not match the pattern")


def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern)
    except re2.error as error:
        raise ValueError(f"a pattern that RE2 does not take: {pattern!r}") from error


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _short(value: Any) -> str:
    return json.dumps(value)[:200]
