"""Random values of a JSON schema, and random parameters of a stage that its own `Parameters` accept."""

from collections.abc import Mapping
from random import Random
from typing import Any

from pydantic import BaseModel, ValidationError

from tamis.engine.stage import Stage

TEXTS = (
    "brand", "price", "metadata.brand", "metadata.price", "text", "tags", "score", "search", "no.such.field", "id",
    "running shoes", "Sole", "{{INPUT.q}}", "{{DOC.text}}", "日本語", "", "x" * 300,
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 7, 10, 100, -1)
_DEPTH = 4


def value_of(schema: Mapping[str, Any], chance: Random, defs: Mapping[str, Any], depth: int = 0) -> Any:
    """A value that the schema accepts, as far as types, bounds and enumerations go."""
    if "$ref" in schema:
        return value_of(defs[schema["$ref"].rsplit("/", 1)[-1]], chance, defs, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return value_of(chance.choice(choices), chance, defs, depth)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = chance.choice(kind)
    return _of_type(kind, schema, chance, defs, depth)


def _of_type(kind: str | None, schema: Mapping[str, Any], chance: Random, defs: Mapping[str, Any], depth: int) -> Any:
    if kind == "integer":
        low, high = _bounds(schema, 1)
        return chance.randint(int(low), int(high))
    if kind == "number":
        low, high = _bounds(schema, 0.01)
        return round(chance.uniform(low, high), 2)
    if kind == "boolean":
        return chance.random() < 0.5
    if kind == "null":
        return None
    if kind == "array":
        return _array(schema, chance, defs, depth)
    if kind == "object":
        return _object(schema, chance, defs, depth)
    if kind == "string":
        return chance.choice(TEXTS)[: schema.get("maxLength", 1000)]
    return chance.choice([*TEXTS, *NUMBERS, True, None])


def _bounds(schema: Mapping[str, Any], step: float) -> tuple[float, float]:
    """A few of the least values: what is large by a schema's leave is only slow here."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", -step) + step)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 12 + step) - step)
    return low, max(low, min(high, low + 12))


def _array(schema: Mapping[str, Any], chance: Random, defs: Mapping[str, Any], depth: int) -> list[Any]:
    least = schema.get("minItems", 0)
    count = least if depth > _DEPTH else chance.randint(least, max(least, min(schema.get("maxItems", 3), least + 2)))
    return [value_of(schema.get("items", {}), chance, defs, depth + 1) for _ in range(count)]


def _object(schema: Mapping[str, Any], chance: Random, defs: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    properties: Mapping[str, Any] = schema.get("properties", {})
    wanted = [name for name in properties if name in required or (depth <= _DEPTH and chance.random() < 0.3)]
    made = {name: value_of(properties[name], chance, defs, depth + 1) for name in wanted}
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping) and depth <= _DEPTH and chance.random() < 0.5:
        made[chance.choice(("a", "brand", "the name"))] = value_of(more, chance, defs, depth + 1)
    return made


def parameters_of(stage: type[Stage], start: Mapping[str, Any], chance: Random, changes: int) -> dict[str, Any]:
    """`start` with up to `changes` parameters taken away or drawn anew; a change that is refused is not made."""
    schema = _schema_of(stage.Parameters)
    names = list(schema["properties"])
    made = dict(start)
    for _ in range(changes):
        changed = dict(made)
        name = chance.choice(names)
        if name in changed and chance.random() < 0.3:
            del changed[name]
        else:
            changed[name] = value_of(schema["properties"][name], chance, schema.get("$defs", {}))
        if is_valid(stage, changed):
            made = changed
    return made


def is_valid(stage: type[Stage], parameters: Mapping[str, Any]) -> bool:
    try:
        stage.Parameters.model_validate(parameters)
    except ValidationError:
        return False
    return True


_SCHEMAS: dict[type[BaseModel], dict[str, Any]] = {}


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    if model not in _SCHEMAS:
        _SCHEMAS[model] = model.model_json_schema()
    return _SCHEMAS[model]
