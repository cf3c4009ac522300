"""From a retriever's input schema to the JSON Schema of a tool's arguments."""

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": "string"},
    "text": {"type": "string"},
    "number": {"type": "number"},
    "float": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "dense_vector": {"type": "array", "items": {"type": "number"}},
    "int8_vector": {"type": "array", "items": {"type": "integer"}},
    "sparse_vector": {"type": "object"},
    "json": {},
    "automatic": {},
}
# Whatever holds a file is named by where it is.
_FILE = {"type": "string", "description": "A URL, or the file itself as a data: URI"}
_KEPT = ("description", "enum", "examples", "default")


def tool_arguments(inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """inputs: field by name, as a retriever has them, or as `{"properties": {...}}`."""
    inner = (inputs or {}).get("properties")
    fields = inner if isinstance(inner, Mapping) and "type" not in inner else inputs or {}
    return _object({name: field for name, field in fields.items() if isinstance(field, Mapping)})


def _object(fields: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: _schema(field) for name, field in fields.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if field.get("required") and field.get("default") is None]
    return found | ({"required": required} if required else {})


def _schema(field: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: field[name] for name in _KEPT if field.get(name) is not None}
    schema: dict[str, Any] = {**_TYPES.get(str(field.get("type")), _FILE), **said}
    if isinstance(field.get("items"), Mapping):
        schema["items"] = _schema(field["items"])
    if isinstance(field.get("properties"), Mapping):
        schema |= {key: one for key, one in _object(field["properties"]).items() if key != "additionalProperties"}
    return schema
