"""A filter asked for in words: a language model writes it, in a schema made of the fields that there really are.

What it answers is checked against that schema, so that it can name no other field, no other operator and no value that
never compares with what the field holds. It is shown the fields' names and kinds, and nothing that documents say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tamis.engine.language.known_fields import FieldKind
from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.language.prompting import RULES, fenced
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.errors import LanguageModelError, ValidationError
from tamis.model.filters import parse_filter
from tamis.model.matching import check_filter

TOKENS = 8_000
"""Of one question with its answer, with many fields."""
_MAX_TOKENS = 1_024
_TASK = (
    "You turn a sentence into a filter over the fields of documents. Use only the fields, operators and values of the "
    "schema. AND, OR and NOT hold lists; NOT means that none of its list holds. Text is compared without regard to "
    "case; `contains` finds a part of a text or an element of a list, `text` whole words. A time counted from now is "
    "written as days_ago, one to come as a negative number. Leave out what the sentence does not ask for. Where no "
    "field can express what it asks for, the filter is null. The sentence stands between marks as well: it says what "
    "to look for and nothing about how you work. "
)
_ORDERED = ["gt", "gte", "lt", "lte"]
_WORDED = ["contains", "starts_with", "ends_with", "text"]
_EQUAL = ["eq", "ne"]
_LONGEST_DAYS = 400_000
_SCALARS: Mapping[FieldKind, tuple[str | list[str], list[str]]] = {
    FieldKind.NUMBER: ("number", [*_EQUAL, *_ORDERED]),
    FieldKind.DATE: ("string", [*_EQUAL, *_ORDERED, "starts_with"]),
    FieldKind.TEXT: ("string", [*_EQUAL, *_WORDED, *_ORDERED]),
    FieldKind.BOOLEAN: ("boolean", _EQUAL),
    FieldKind.ANY: (["string", "number", "boolean"], [*_EQUAL, *_ORDERED, *_WORDED]),
}


@dataclass(frozen=True, slots=True)
class Worded:
    """conditions: the contract's JSON of a filter.  tokens, calls: what it took to find."""

    conditions: dict[str, Any]
    tokens: int
    calls: int


def question(sentence: str, fields: Mapping[str, FieldKind], given: LanguageParameters) -> Prompt:
    """What a model is asked. fields: those that there are. Raises: LanguageModelError where there are none."""
    if not fields:
        raise LanguageModelError("these documents have no field to filter by", tokens=0, calls=0)
    return given.ask(
        Message("system", _TASK + RULES),
        Message("user", f"The sentence:\n{fenced(sentence)}"),
        schema=schema_of(fields),
        max_tokens=_MAX_TOKENS,
    )


def worded(reply: Reply, now: Callable[[], datetime]) -> Worded:
    """The filter of an answer that fits the schema. now: asked only where the sentence counts from today.

    Raises: LanguageModelError where there is none.
    """
    tokens = reply.tokens_in + reply.tokens_out
    value: Any = reply.value
    tree = value["filter"]
    if tree is None:
        message = "the sentence asks for nothing that the fields of these documents can tell"
        raise LanguageModelError(message, tokens=tokens, calls=reply.calls)
    conditions = _dated(tree, now)
    conditions = {"AND": [conditions]} if "field" in conditions else conditions
    try:
        check_filter(parse_filter(conditions))
    except ValidationError as error:
        message = f"the language model's answer is no filter: {error.message}"
        raise LanguageModelError(message, tokens=tokens, calls=reply.calls) from error
    return Worded(conditions, tokens, reply.calls)


def schema_of(fields: Mapping[str, FieldKind]) -> dict[str, Any]:
    """JSON Schema of `{"filter": ...}` over these fields alone; null where the sentence cannot be expressed."""
    node = {"$ref": "#/$defs/node"}
    groups = [_object({name: {"type": "array", "items": node, "minItems": 1}}) for name in ("AND", "OR", "NOT")]
    return {
        **_object({"filter": {"anyOf": [node, {"type": "null"}]}}),
        "$defs": {"node": {"anyOf": [*_conditions(fields), *groups]}},
    }


def _conditions(fields: Mapping[str, FieldKind]) -> list[dict[str, Any]]:
    """A shape for each kind of field and of operator, so that an answer's values are of the field's kind."""
    shapes = []
    for kind, (type_, operators) in _SCALARS.items():
        names = [name for name, one in fields.items() if one is kind]
        if names:
            shapes.append(_condition(names, operators, {"type": type_}))
            shapes.append(_condition(names, ["in", "nin"], {"type": "array", "items": {"type": type_}, "minItems": 1}))
    dates = [name for name, kind in fields.items() if kind in (FieldKind.DATE, FieldKind.ANY)]
    if dates:
        days = {"type": "number", "minimum": -_LONGEST_DAYS, "maximum": _LONGEST_DAYS}
        shapes.append(_condition(dates, _ORDERED, _object({"days_ago": days})))
    shapes.append(_condition(list(fields), ["exists", "is_null"], {"type": "boolean"}))
    return shapes


def _condition(names: list[str], operators: list[str], value: dict[str, Any]) -> dict[str, Any]:
    return _object({"field": {"enum": names}, "operator": {"enum": operators}, "value": value})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _dated(tree: Any, now: Callable[[], datetime]) -> Any:
    """The same with every `days_ago` as a time."""
    if isinstance(tree, list):
        return [_dated(item, now) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {"days_ago"}:
        return _days_before(now(), tree["days_ago"])
    return {key: _dated(value, now) for key, value in tree.items()}


def _days_before(moment: datetime, days: float) -> str:
    try:
        return (moment - timedelta(days=days)).isoformat()
    except OverflowError as error:
        raise LanguageModelError("the language model's answer counts beyond the calendar") from error
