"""What a collection is going to be, worked out before it exists: its mappings, its features, its schemas. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine.ports.extraction import Extractor
from tamis.errors import ValidationError
from tamis.model.collection import ExtractorConfig
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec
from tamis.services.data.sources import field_name, is_qualified, parameters_for, place, readings

_LOC = ["body", "feature_extractor"]
_TEXT = ("text", "string")


@dataclass(frozen=True, slots=True)
class Design:
    extractor: ExtractorConfig
    features: tuple[FeatureSpec, ...]
    input_schema: dict[str, JSON]
    output_schema: dict[str, JSON]


def design(extractor: Extractor, config: ExtractorConfig, source_schema: Mapping[str, JSON]) -> Design:
    """Fill in what the caller left open and check what he wrote.

    source_schema: `{"properties": {field: BucketSchemaField}}`; without properties nothing is known of the source.
    Raises: ValidationError naming the parameter, mapping or input.
    """
    properties = properties_of(source_schema)
    parameters = parameters_for(extractor, config, None)
    config = replace(
        config,
        name=extractor.name,
        version=extractor.version,
        input_mappings=_mappings(extractor, config, properties),
        include_all_source_fields=config.include_all_source_fields or _passes_all(extractor, config),
    )
    passed = _passed_schema(config, properties)
    made = properties_of(extractor.output_schema(parameters))
    return Design(
        extractor=config,
        features=tuple(extractor.features(parameters)),
        input_schema={"properties": dict(properties)},
        output_schema={"properties": {**passed, **made}},
    )


def merged_schema(schemas: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """The fields of several sources as one; a field that two sources type differently is `automatic`."""
    merged: dict[str, JSON] = {}
    for schema in schemas:
        for name, field in properties_of(schema).items():
            known = merged.get(name)
            if isinstance(known, dict) and isinstance(field, dict) and known.get("type") != field.get("type"):
                field = {"type": "automatic"}
            merged[name] = field
    return {"properties": merged}


def properties_of(schema: Mapping[str, Any] | None) -> dict[str, JSON]:
    properties = (schema or {}).get("properties")
    return dict(properties) if isinstance(properties, Mapping) else {}


def field_type(field: JSON) -> str:
    return str(field.get("type", "automatic")) if isinstance(field, dict) else "automatic"


def _passes_all(extractor: Extractor, config: ExtractorConfig) -> bool:
    """An extractor without inputs of its own exists to pass fields on: unless told which, it passes them all."""
    return not properties_of(extractor.input_schema) and not config.passthrough


def _mappings(extractor: Extractor, config: ExtractorConfig, properties: Mapping[str, JSON]) -> dict[str, JSON]:
    known = properties_of(extractor.input_schema)
    mappings = dict(config.input_mappings)
    for name, mapping in mappings.items():
        if known and name not in known:
            raise _bad_mapping(name, f"{extractor.name} has no such input; it takes {', '.join(known)}")
        if isinstance(mapping, str):
            _check_path(name, mapping, properties)
    for name in extractor.input_schema.get("required", ()):
        if name not in mappings:
            mappings[name] = _default_path(extractor, name, properties)
    return mappings


def _check_path(name: str, path: str, properties: Mapping[str, JSON]) -> None:
    if not properties or is_qualified(path) or any(parts[0] in properties for parts in readings(path)):
        return
    if field_name(path) in properties:
        return
    known = ", ".join(sorted(properties))
    raise _bad_mapping(name, f"the source has no field {path!r}; it has {known} (`metadata.x` for one without schema)")


def _default_path(extractor: Extractor, name: str, properties: Mapping[str, JSON]) -> str:
    if not properties or name in properties:
        return name
    for types in _wanted_types(extractor):
        fitting = [field for field, spec in properties.items() if field_type(spec) in types]
        if len(fitting) == 1:
            return fitting[0]
    known = ", ".join(f"{field} ({field_type(spec)})" for field, spec in sorted(properties.items()))
    raise _bad_mapping(name, f"say which field of the source it is; there are {known}")


def _wanted_types(extractor: Extractor) -> list[tuple[str, ...]]:
    """The types of source fields that fit, the most exact first: one `text` field wins over several strings."""
    accepted = tuple(extractor.supported_input_types)
    if any(kind in accepted for kind in _TEXT):
        return [accepted, (*accepted, *_TEXT)]
    return [accepted]


def _bad_mapping(name: str, message: str) -> ValidationError:
    return ValidationError.at([*_LOC, "input_mappings", name], message)


def _passed_schema(config: ExtractorConfig, properties: Mapping[str, JSON]) -> dict[str, JSON]:
    passed: dict[str, JSON] = dict(properties) if config.include_all_source_fields else {}
    for rule in config.passthrough:
        target, *inner = (rule.target_path or field_name(rule.source_path)).split(".")
        found = _schema_at(rule.source_path, properties)
        if inner:
            nested: dict[str, JSON] = {}
            place(nested, ".properties.".join(inner), found)
            before = passed.get(target)
            known = properties_of(before) if isinstance(before, dict) else {}
            passed[target] = {"type": "object", "properties": {**known, **nested}}
        else:
            passed[target] = found
    return passed


def _schema_at(path: str, properties: Mapping[str, JSON]) -> JSON:
    for first, *rest in readings(path):
        field = properties.get(first)
        for part in rest:
            field = properties_of(field).get(part) if isinstance(field, dict) else None
        if field is not None:
            return field
    return {"type": "automatic"}
