"""Each document replaced by the JSON that a template makes of it."""

from typing import Any, ClassVar

import orjson
from pydantic import BaseModel, Field

from tamis.engine.parameters import StageParameters
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON


class JsonTransformParameters(StageParameters):
    template: str | dict[str, Any] = Field(
        min_length=1,
        description="Jinja2 template that renders to a JSON object, or an object with templates as values. It sees "
        "DOC, INPUT, CONTEXT and STAGE.",
    )
    fail_on_error: bool = Field(
        False, description="true: the first document that cannot be transformed fails the stage; else it is left out."
    )
    additional_properties: dict[str, Any] = Field(
        default_factory=dict, max_length=0, description="Of the contract's schema; takes nothing."
    )


class JsonTransform:
    """The output replaces all of the document's fields; the hit keeps its id, score and place."""

    id: ClassVar[str] = "json_transform"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "braces"
    description: ClassVar[str] = (
        "Replace each document by the JSON object that a template makes of it: to rename, drop or reshape fields for "
        "whoever reads the answer. What does not become an object is left out with a warning, or fails the stage."
    )
    Parameters: ClassVar[type[BaseModel]] = JsonTransformParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {
        "template": '{"id": "{{ DOC.document_id }}", "content": {{ DOC.text | tojson }}, "score": {{ DOC.score }}}'
    }

    def __init__(self, parameters: JsonTransformParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        rows: list[Hit] = []
        dropped: dict[str, JSON] = {}
        for hit in hits:
            try:
                made = _object(context.render(self._parameters.template, hit))
            except ValidationError as error:
                reason = _reason(error)
                if self._parameters.fail_on_error:
                    raise ValidationError.at(["template"], f"document {hit.id!r}: {reason}") from error
                dropped[hit.id] = reason
            else:
                rows.append(Hit(hit.id, hit.score, None, hit.scores, made))
        return Outcome(
            Hits.of(rows), metadata={DROPPED: dropped} if dropped else {}, warnings=tuple(_warnings(dropped))
        )


def _object(rendered: Any) -> dict[str, JSON]:
    """Raises: ValidationError, where it is no JSON object."""
    value = _parsed(rendered) if isinstance(rendered, str) else rendered
    if not isinstance(value, dict):
        raise ValidationError.at(["template"], "the template renders to JSON, but not to an object")
    return value


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise ValidationError.at(["template"], f"the template renders to no JSON ({error}): {shown}") from error


def _reason(error: ValidationError) -> str:
    return str(error.problems[0]["msg"]) if error.problems else error.message


def _warnings(dropped: dict[str, JSON]) -> list[str]:
    if not dropped:
        return []
    first, reason = next(iter(dropped.items()))
    return [f"{len(dropped)} documents could not be transformed and were left out; first {first}: {reason}"]
