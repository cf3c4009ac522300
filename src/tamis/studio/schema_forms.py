"""A field of a form for each property of a JSON schema, and what a person wrote in it as a value again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tamis.errors import ValidationError

_LONG = frozenset({"prompt", "system_prompt", "code", "template", "query", "document_template", "criteria"})


@dataclass(frozen=True, slots=True)
class Field:
    """control: text, long, number, choice, boolean, json.  value: as it stands in the form; empty is not sent.

    default: what holds where it is empty.
    """

    name: str
    control: str
    value: str
    about: str
    choices: tuple[str, ...] = ()
    default: str = ""
    is_required: bool = False


def fields_of(schema: Mapping[str, Any]) -> Iterator[Field]:
    """Empty ones, of every property."""
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    for name, raw in schema.get("properties", {}).items():
        kinds = [_resolved(one, definitions) for one in raw.get("anyOf", [raw])]
        kinds = [one for one in kinds if one.get("type") != "null"]
        choices = tuple(str(one) for kind in kinds for one in kind.get("enum", ())) if len(kinds) == 1 else ()
        default = raw.get("default")
        yield Field(
            name, _control(name, kinds, choices), "", str(raw.get("description", "")), choices,
            "" if default is None or default in ([], {}) else _text(default), name in required,
        )  # fmt: skip


def filled(empty: Field, parameters: Mapping[str, Any]) -> Field:
    """The field with what `parameters` has for it."""
    if parameters.get(empty.name) is None:
        return empty
    value = parameters[empty.name]
    shown = value if isinstance(value, str) and empty.control != "json" else json_text(value)
    return Field(
        empty.name, empty.control, shown, empty.about, empty.choices, empty.default, empty.is_required
    )  # fmt: skip


def json_text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def value_of(control: str, text: str, place: str, takes_templates: bool = False) -> Any:
    """What was written in a field. takes_templates: whether `{{...}}` may stand in place of any value.

    Raises: ValidationError naming the place.
    """
    stripped = text.strip()
    if control in ("text", "long", "choice"):
        return text if control == "long" else stripped
    if takes_templates and stripped.startswith("{{") and stripped.endswith("}}"):
        return stripped
    try:
        return orjson.loads(stripped)
    except orjson.JSONDecodeError as error:
        wanted = {"number": "a number", "boolean": "true or false"}.get(control, "JSON")
        hint = ", or a template such as {{INPUT.x}}" if takes_templates else ""
        raise ValidationError(f"{place}: {wanted}{hint} ({error})") from None


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = str(schema.get("$ref", ""))
    found = definitions.get(reference.rpartition("/")[2]) if reference else None
    return found if isinstance(found, Mapping) else schema


def _control(name: str, kinds: Sequence[Mapping[str, Any]], choices: Sequence[str]) -> str:
    if choices:
        return "choice"
    types = {str(one.get("type")) for one in kinds}
    if types == {"string"}:
        return "long" if name in _LONG else "text"
    if types and types <= {"integer", "number"}:
        return "number"
    return "boolean" if types == {"boolean"} else "json"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
