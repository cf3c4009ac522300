"""What a published search can be narrowed by: values of exposed fields that several of its results share.

Only what leaves anyway is offered, and only an exposed field can be asked for: nothing is learned of what is hidden.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from tamis.errors import BadRequestError
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit
from tamis.model.json import JSON

PREFIX = ".where."
"""In an address before the field's path; inputs never begin with a dot."""
_LONGEST, _MOST_VALUES, _MOST_FIELDS = 60, 8, 6

Value: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Choice:
    """count: of the results on this page, how many have it.  where: what is chosen once this is pressed."""

    text: str
    count: int
    where: Mapping[str, Value]
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    path: str
    label: str
    choices: tuple[Choice, ...]


def read_where(display: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Value]:
    """By the field's path. asked: the address's parameters. Raises: BadRequestError."""
    if not display["components"]["show_filters"]:
        return {}
    known = {canonical_path(name) for name in display["exposed_fields"]}
    found: dict[str, Value] = {}
    for name, text in asked.items():
        path = name.removeprefix(PREFIX)
        if name.startswith(PREFIX):
            if path not in known:
                raise BadRequestError(f"{name}: a field that this search shows", field=name)
            found[path] = _value(name, text)
    return found


def filters_of(where: Mapping[str, Value]) -> JSON:
    """As executions take them; None where nothing is narrowed."""
    conditions: list[JSON] = [{"field": path, "operator": "eq", "value": value} for path, value in where.items()]
    return {"AND": conditions} if conditions else None


def parameters_of(where: Mapping[str, Value]) -> dict[str, str]:
    """As an address carries them."""
    return {f"{PREFIX}{path}": orjson.dumps(value).decode() for path, value in where.items()}


def facets_of(display: Mapping[str, Any], hits: Iterable[Hit], where: Mapping[str, Value]) -> list[Facet]:
    """What is chosen comes with the choice that takes it back."""
    if not display["components"]["show_filters"]:
        return []
    stored = [hit.document.fields for hit in hits if hit.document is not None]
    paths = dict.fromkeys(canonical_path(name) for name in display["exposed_fields"])
    labels = {canonical_path(name): one["format_options"]["label"] for name, one in display["field_config"].items()}
    found = []
    for path in paths:
        choices = _choices(path, [_at(fields, path.split(".")) for fields in stored], where)
        if choices:
            found.append(Facet(path, labels.get(path) or path.rpartition(".")[2].replace("_", " "), choices))
    return found[:_MOST_FIELDS]


def _choices(path: str, values: Sequence[Any], where: Mapping[str, Value]) -> tuple[Choice, ...]:
    counts = Counter((type(value), value) for value in values if _is_short(value))
    if path in where:
        rest = {name: value for name, value in where.items() if name != path}
        return (Choice(_told(where[path]), sum(counts.values()), rest, True),)
    # A field whose values are all one's own names documents: nobody narrows by it.
    if not 2 <= len(counts) <= _MOST_VALUES or max(counts.values()) < 2:
        return ()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0][1])))
    return tuple(Choice(_told(value), count, {**where, path: value}) for (_, value), count in ordered)


def _value(name: str, text: str) -> Value:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, str | int | float | bool):
        raise BadRequestError(f"{name}: a text in quotes, a number, true or false", field=name)
    return value


def _is_short(value: Any) -> bool:
    return isinstance(value, int | float | bool) or (isinstance(value, str) and 0 < len(value) <= _LONGEST)


def _told(value: Value) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _at(fields: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = fields
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
