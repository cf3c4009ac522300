"""A stage as a form made from its JSON schema, and what a person wrote in it as a pipeline again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from tamis.engine.definition import parse_stages
from tamis.engine.stage import Stage
from tamis.errors import ValidationError
from tamis.model.retriever import StageSpec

_OPTIONS = ("when", "on_error")
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


@dataclass(frozen=True, slots=True)
class StageForm:
    """uid: tells it apart in the page.  shown: fields that are filled or required; more: the rest.

    missing: what the server lacks to run it.
    """

    uid: str
    name: str
    stage_id: str
    kind: str
    about: str
    shown: tuple[Field, ...]
    more: tuple[Field, ...]
    options: str
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """stages: by id, each with what it lacks here."""

    stages: Mapping[str, tuple[type[Stage], str | None]]
    _fields: dict[str, list[Field]] = field(default_factory=dict)

    @classmethod
    def of(cls, stages: Sequence[tuple[type[Stage], str | None]]) -> "Catalogue":
        return cls({stage.id: (stage, missing) for stage, missing in stages})

    def form(self, uid: str, spec: StageSpec) -> StageForm:
        """Raises: ValidationError for a stage that this server does not know."""
        stage, missing = self.find(spec.stage_id)
        fields = [_filled(one, spec.parameters) for one in self.fields(spec.stage_id)]
        known = {one.name for one in fields}
        # What the schema spells otherwise, such as an alias, stays as it was written.
        fields += [
            Field(name, "json", _json(value), "") for name, value in spec.parameters.items() if name not in known
        ]
        options = {name: spec.options[name] for name in _OPTIONS if name in spec.options}
        is_shown = [bool(one.value) or one.is_required for one in fields]
        return StageForm(
            uid, spec.stage_name, spec.stage_id, stage.kind.value, stage.description,
            tuple(one for one, shown in zip(fields, is_shown, strict=True) if shown),
            tuple(one for one, shown in zip(fields, is_shown, strict=True) if not shown),
            _json(options) if options else "", missing,
        )  # fmt: skip

    def find(self, stage_id: str) -> tuple[type[Stage], str | None]:
        found = self.stages.get(stage_id)
        if found is None:
            raise ValidationError(f"there is no stage {stage_id!r}; known are {', '.join(self.stages)}")
        return found

    def fields(self, stage_id: str) -> list[Field]:
        """Empty ones, of every parameter."""
        known = self._fields.get(stage_id)
        if known is None:
            schema = self.find(stage_id)[0].Parameters.model_json_schema()
            known = self._fields[stage_id] = list(_fields(schema))
        return known


def read_pipeline(catalogue: Catalogue, form: Sequence[tuple[str, str]]) -> tuple[StageSpec, ...]:
    """Stages in the order of the form's fields, which are called `s.<uid>.name`, `.id`, `.options`, `.p.<parameter>`.

    Raises: ValidationError naming the stage and the field.
    """
    stages: dict[str, dict[str, Any]] = {}
    for key, value in form:
        uid, _, place = key.removeprefix("s.").partition(".")
        if key.startswith("s.") and place:
            _read(catalogue, stages.setdefault(uid, {"parameters": {}}), place, value)
    return parse_stages(list(stages.values()))


def _read(catalogue: Catalogue, stage: dict[str, Any], place: str, value: str) -> None:
    name = stage.get("stage_name", "")
    if place == "name":
        stage["stage_name"] = value.strip()
    elif place == "id":
        catalogue.find(value)
        stage["stage_id"] = value
    elif place == "options":
        stage.update(_object(value, f"stage {name}: options"))
    elif place.startswith("p.") and value.strip():
        parameter = place[2:]
        fields = {one.name: one for one in catalogue.fields(stage.get("stage_id", ""))}
        control = fields[parameter].control if parameter in fields else "json"
        stage["parameters"][parameter] = _value(control, value, f"stage {name}: {parameter}")


def _value(control: str, text: str, place: str) -> Any:
    stripped = text.strip()
    if control in ("text", "long", "choice"):
        return text if control == "long" else stripped
    if stripped.startswith("{{") and stripped.endswith("}}"):
        return stripped
    try:
        return orjson.loads(stripped)
    except orjson.JSONDecodeError as error:
        wanted = {"number": "a number", "boolean": "true or false"}.get(control, "JSON")
        raise ValidationError(f"{place}: {wanted}, or a template such as {{{{INPUT.x}}}} ({error})") from None


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text.strip() or "{}")
    except orjson.JSONDecodeError as error:
        raise ValidationError(f"{place}: not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValidationError(f"{place}: a JSON object")
    return value


def _fields(schema: Mapping[str, Any]) -> Iterator[Field]:
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


def _filled(empty: Field, parameters: Mapping[str, Any]) -> Field:
    if parameters.get(empty.name) is None:
        return empty
    value = parameters[empty.name]
    shown = value if isinstance(value, str) and empty.control != "json" else _json(value)
    return Field(
        empty.name, empty.control, shown, empty.about, empty.choices, empty.default, empty.is_required
    )  # fmt: skip


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
