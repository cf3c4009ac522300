"""What an extractor is given of its source: paths into a view, input mappings, passthrough, parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from tamis.engine.ports.extraction import Extractor
from tamis.errors import ValidationError
from tamis.model.collection import ExtractorConfig
from tamis.model.json import JSON

MISSING: Any = object()
SYSTEM_FIELDS = frozenset(
    {
        "object_id",
        "bucket_id",
        "key_prefix",
        "status",
        "document_id",
        "collection_id",
        "root_bucket_id",
        "root_object_id",
        "source_type",
        "source_object_id",
        "source_collection_id",
        "source_document_id",
        "lineage_path",
        "lineage_chain",
        "source_blobs",
        "document_blobs",
        "_internal",
    }
)
_PREFIXES = ("payload.", "metadata.")


def readings(path: str) -> Iterator[tuple[str, ...]]:
    """The ways to read a path: as it stands, then without `payload.` or `metadata.`, which name the source's root."""
    path = path.removeprefix("$").removeprefix(".")
    yield tuple(path.split("."))
    for prefix in _PREFIXES:
        if path.startswith(prefix):
            yield from readings(path.removeprefix(prefix))


def is_qualified(path: str) -> bool:
    """True for `metadata.x` and `payload.x`: fields that may be there although the source's schema has not them."""
    return path.removeprefix("$").removeprefix(".").startswith(_PREFIXES)


def field_name(path: str) -> str:
    """The name that a passed field gets where none is given: its path without prefixes."""
    *_, parts = readings(path)
    return ".".join(parts)


def pick(view: Mapping[str, JSON], path: str) -> Any:
    """The value at a path, or MISSING. List elements are named by their position (`tags.0`)."""
    for parts in readings(path):
        value = _walk(view, parts)
        if value is not MISSING:
            return value
    return MISSING


def _walk(value: Any, parts: tuple[str, ...]) -> Any:
    for position, part in enumerate(parts):
        if isinstance(value, Mapping):
            # A field whose own name has dots in it stands before a path through objects.
            whole = ".".join(parts[position:])
            if whole in value:
                return value[whole]
            if part not in value:
                return MISSING
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def place(fields: dict[str, JSON], path: str, value: JSON) -> None:
    """Write a value at a dotted path, making the objects on the way; a value in the way is replaced."""
    *parents, last = path.split(".")
    for part in parents:
        child = fields.get(part)
        child = dict(child) if isinstance(child, dict) else {}
        fields[part] = child
        fields = child
    fields[last] = value


def mapped_inputs(view: Mapping[str, JSON], config: ExtractorConfig) -> dict[str, JSON]:
    """The extractor's inputs by name; those that the source lacks, or has as null, are left out."""
    inputs: dict[str, JSON] = {}
    for name, mapping in config.input_mappings.items():
        value = mapping["override"] if isinstance(mapping, dict) else pick(view, str(mapping))
        if value is not MISSING and value is not None:
            inputs[name] = value
    return inputs


def passed_fields(view: Mapping[str, JSON], config: ExtractorConfig) -> dict[str, JSON]:
    """What goes from the source to its documents. Raises: ValidationError where a required field is missing."""
    fields: dict[str, JSON] = {}
    if config.include_all_source_fields:
        fields.update((name, value) for name, value in view.items() if name not in SYSTEM_FIELDS)
    for rule in config.passthrough:
        value = pick(view, rule.source_path)
        if value is MISSING or value is None:
            if rule.required and rule.default is None:
                raise ValidationError(f"the source has no field {rule.source_path!r}, which this collection requires")
            value = rule.default
        if value is not None:
            place(fields, rule.target_path or field_name(rule.source_path), value)
    return fields


def parameters_for(
    extractor: Extractor, config: ExtractorConfig, view: Mapping[str, JSON] | None
) -> pydantic.BaseModel:
    """The extractor's parameters, dynamic ones taken from the source's view (left at their defaults without one).

    Raises: ValidationError naming the parameter.
    """
    values: dict[str, Any] = {}
    for name, raw in config.parameters.items():
        kind, value = unwrap(raw)
        if kind == "dynamic":
            value = MISSING if view is None else pick(view, str(value))
        if value is not MISSING:
            values[name] = value
    return validate_parameters(extractor, values, ["body", "feature_extractor", "parameters"])


def is_dynamic(config: ExtractorConfig) -> bool:
    return any(unwrap(raw)[0] == "dynamic" for raw in config.parameters.values())


def unwrap(raw: Any) -> tuple[str, Any]:
    """(`fixed` or `dynamic`, value): the contract lets a parameter be wrapped, or stand plain."""
    if isinstance(raw, dict) and set(raw) == {"type", "value"} and raw["type"] in ("fixed", "dynamic"):
        return raw["type"], raw["value"]
    return "fixed", raw


def validate_parameters(extractor: Extractor, values: Mapping[str, Any], loc: list[str | int]) -> pydantic.BaseModel:
    try:
        return extractor.Parameters.model_validate(dict(values))
    except pydantic.ValidationError as invalid:
        problems = [
            {"loc": [*loc, *fault["loc"]], "msg": fault["msg"], "type": fault["type"]} for fault in invalid.errors()
        ]
        first = problems[0]
        where = ".".join(str(part) for part in [*loc, *invalid.errors()[0]["loc"]])
        raise ValidationError(f"{where}: {first['msg']}", problems=problems) from None
