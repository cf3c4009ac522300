"""JSON Schemas that come with a request: checked, and values checked against them.

A schema is a stranger's program: it may name no document elsewhere, its patterns are bounded (`model/patterns.py`),
and it takes so many steps over a value and no more.
The library is imported when a schema is first looked at.
"""

import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache
from itertools import islice
from typing import Any

from tamis.model.json import JSON
from tamis.model.patterns import compiled

_LARGEST = 64 * 1024
_MOST_FAULTS = 5
_MOST_STEPS = 50_000
"""Keywords applied to values, of some ten microseconds each, in one check."""
_PATTERN_STEPS_A_STEP = 10_000
_MEMBERS_A_STEP = 20
_PAIRS_A_STEP = 8
_steps: ContextVar[int] = ContextVar("steps")
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
        # A validator of another draft would be the library's own, with neither bound.
        if key == "$schema" and isinstance(value, str) and schema.get(key) is not value:
            raise ValueError("a $schema stands at the root alone")
        if key in _LINEAR and isinstance(value, str):
            compiled(value)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path) or "the schema"
        raise ValueError(f"not a JSON Schema: {where}: {error.message}") from error
    return schema


def faults_of(schema: dict[str, Any], value: JSON) -> list[str]:
    """What about the value does not fit the schema, at most five, as `place: keyword`; it repeats none of the value.

    schema: a checked one.  Cost: half a second at most.
    """
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    unnamed = {key: part for key, part in schema.items() if key != "$schema"}
    validator = _metered()(unnamed, registry=Registry())
    _steps.set(0)
    try:
        first = [_nearest(error) for error in islice(validator.iter_errors(value), _MOST_FAULTS)]
        found = [
            f"/{'/'.join(str(part) for part in error.absolute_path)}: {error.validator} {_short(error.validator_value)}"
            for error in first
        ]
    except RecursionError:
        return ["/: nested too deeply"]
    except _TooCostlyError:
        return ["/: too large for what the schema asks of it"]
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


class _TooCostlyError(Exception):
    pass


@cache
def _metered() -> Any:
    """The draft's validator, of which each keyword counts its steps."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    keywords = {**Draft202012Validator.VALIDATORS, "pattern": _pattern}
    return extend(Draft202012Validator, {name: _counted(name, check) for name, check in keywords.items()})


def _counted(name: str, check: Callable[..., Any]) -> Callable[..., Any]:
    def counted(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
        spent = _steps.get() + _steps_of(name, wanted, instance)
        _steps.set(spent)
        if spent > _MOST_STEPS:
            raise _TooCostlyError
        return check(validator, wanted, instance, schema)

    return counted


def _steps_of(name: str, wanted: Any, instance: Any) -> int:
    if name == "pattern":
        return 1 + (compiled(wanted).steps(instance) // _PATTERN_STEPS_A_STEP if isinstance(instance, str) else 0)
    if name == "uniqueItems" and isinstance(instance, list):
        are_plain = all(isinstance(one, str | int | float) for one in instance)
        return 1 + (len(instance) if are_plain else len(instance) ** 2 // _PAIRS_A_STEP)
    members = sum(len(one) for one in (wanted, instance) if isinstance(one, dict | list))
    return 1 + members // _MEMBERS_A_STEP


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not compiled(pattern).is_in(instance):
        yield ValidationError("does not match the pattern")


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
