"""Which fields a retriever's stages filter by, and how, as its definition writes them."""

from collections.abc import Iterator, Mapping
from typing import Any

from tamis.model.filters import Operator, canonical_path
from tamis.model.retriever import Definition, StageSpec

_GROUPS = frozenset({"AND", "OR", "NOT"})
_KEYS = frozenset({"filters", "filter", "conditions"})
_TEMPLATE = "{"
_BESIDE = frozenset({"case_sensitive", "case_insensitive", "additional_properties", "operator", "value"})
_OPERATORS = frozenset(operator.value for operator in Operator)


def filtered_fields(definition: Definition) -> dict[tuple[str, str], frozenset[tuple[str, Operator]]]:
    """By stage name and id: (path, operator) of each condition. A filter that is a template whole is not known."""
    return {(one.stage_name, one.stage_id): frozenset(_of_stage(one)) for one in definition.stages}


def _of_stage(stage: StageSpec) -> Iterator[tuple[str, Operator]]:
    yield from _filters(stage.parameters)
    if stage.stage_id == "attribute_filter":
        parameters = stage.parameters
        bare = {key: value for key, value in parameters.items() if key.upper() in _GROUPS or key == "field"}
        if bare:
            yield from _conditions({**bare, "operator": parameters.get("operator")})


def _filters(parameters: Any) -> Iterator[tuple[str, Operator]]:
    if isinstance(parameters, Mapping):
        for key, value in parameters.items():
            yield from _conditions(value) if key in _KEYS else _filters(value)
    elif isinstance(parameters, list):
        for one in parameters:
            yield from _filters(one)


def _conditions(raw: Any) -> Iterator[tuple[str, Operator]]:
    """As `model.filters.parse_filter` reads it, without minding its values, which may be templates."""
    if isinstance(raw, list):
        for one in raw:
            yield from _conditions(one)
    elif isinstance(raw, Mapping) and "field" in raw:
        yield from _condition(raw["field"], raw.get("operator"))
    elif isinstance(raw, Mapping):
        for key, value in raw.items():
            if key.upper() in _GROUPS:
                yield from _conditions(value)
            elif key not in _BESIDE:
                yield from _shorthand(key, value)


def _shorthand(path: str, value: Any) -> Iterator[tuple[str, Operator]]:
    names = [name.removeprefix("$") for name in value] if isinstance(value, Mapping) else []
    for name in names if names and _OPERATORS.issuperset(names) else [Operator.EQ.value]:
        yield from _condition(path, name)


def _condition(path: Any, operator: Any) -> Iterator[tuple[str, Operator]]:
    name = operator or Operator.EQ.value
    if isinstance(path, str) and path and _TEMPLATE not in path and name in _OPERATORS:
        yield canonical_path(path), Operator(name)
