"""A stage as a form made from its JSON schema, and what a person wrote in it as a pipeline again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from tamis.engine.planning.definition import parse_stages
from tamis.engine.stage import Stage
from tamis.errors import ValidationError
from tamis.model.retriever import StageSpec
from tamis.studio.schema_forms import Field, fields_of, filled, json_text, value_of

_OPTIONS = ("when", "on_error")


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
        fields = [filled(one, spec.parameters) for one in self.fields(spec.stage_id)]
        known = {one.name for one in fields}
        # What the schema spells otherwise, such as an alias, stays as it was written.
        fields += [
            Field(name, "json", json_text(value), "") for name, value in spec.parameters.items() if name not in known
        ]
        options = {name: spec.options[name] for name in _OPTIONS if name in spec.options}
        is_shown = [bool(one.value) or one.is_required for one in fields]
        return StageForm(
            uid, spec.stage_name, spec.stage_id, stage.kind.value, stage.description,
            tuple(one for one, shown in zip(fields, is_shown, strict=True) if shown),
            tuple(one for one, shown in zip(fields, is_shown, strict=True) if not shown),
            json_text(options) if options else "", missing,
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
            known = self._fields[stage_id] = list(fields_of(schema))
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
        stage["parameters"][parameter] = value_of(control, value, f"stage {name}: {parameter}", True)


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text.strip() or "{}")
    except orjson.JSONDecodeError as error:
        raise ValidationError(f"{place}: not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValidationError(f"{place}: a JSON object")
    return value
