"""What every stage's `Parameters` share: unknown ones are refused, null means the default."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import AliasChoices, BaseModel, ConfigDict, model_validator

from tamis.engine.ports.secrets import REFERENCE
from tamis.engine.templating.templates import doubled, mentions
from tamis.errors import ValidationError
from tamis.model.filters import parse_filter
from tamis.model.matching import check_filter

_NULL_AS_TEXT = frozenset(
    {
        "api_key", "category", "decision_model", "diversity_feature_uri", "expansion_prompt", "feature_address",
        "feature_uri", "group_by", "inference_name", "model_name", "natural_language", "output_field",
        "relevance_criteria", "response_path", "retriever_id", "sort_by", "start_published_date", "stratify_by", "url",
    }
)  # fmt: skip
"""Of the published client's models, whose default for these is the text `null`: that is what it sends for null."""


def with_nulls(written: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, null where the published client writes the text for it."""
    return {name: None if value == "null" and name in _NULL_AS_TEXT else value for name, value in written.items()}


class StageParameters(BaseModel):
    """The public schema of a stage. The contract's spelling comes first; other spellings in use are aliases.

    verbatim: parameters in another language, whose braces are no templates.
    refers_to_secrets: parameters in which `{{SECRET.name}}` is replaced by a value, or that are a secret's name.
    in_single_braces: texts in which `{INPUT.x}` is a template too, as the contract's pages write it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    verbatim: ClassVar[frozenset[str]] = frozenset()
    refers_to_secrets: ClassVar[frozenset[str]] = frozenset()
    in_single_braces: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return _said_once(cls, {name: value for name, value in with_nulls(raw).items() if value is not None})


def _said_once(model: type[BaseModel], raw: dict[str, Any]) -> dict[str, Any]:
    """Raises: ValueError, where two spellings of one parameter say different things."""
    for spellings in _spellings(model):
        first, *more = [name for name in spellings if name in raw] or [""]
        for name in more:
            if raw[name] != raw[first]:
                raise ValueError(f"{first} and {name} are two spellings of one parameter; give one of them")
            del raw[name]
    return raw


@cache
def _spellings(model: type[BaseModel]) -> tuple[tuple[str, ...], ...]:
    """The names of each parameter that has several."""
    aliases = ((name, field.validation_alias) for name, field in model.model_fields.items())
    return tuple(
        tuple(dict.fromkeys((*(str(one) for one in alias.choices), name)))
        for name, alias in aliases
        if isinstance(alias, AliasChoices)
    )


def template_roots(value: Any) -> frozenset[str]:
    """What a value's templates name, in capitals. Text from an input may hold braces that are no template."""
    try:
        return mentions(value)
    except ValidationError:
        return frozenset()


def with_double_braces(model: type[BaseModel], written: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the definition has them, with templates in single braces written as usual."""
    names: frozenset[str] = getattr(model, "in_single_braces", frozenset())
    return {
        name: doubled(value) if name in names and isinstance(value, str) else value for name, value in written.items()
    }


def templated(model: type[BaseModel], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that may hold templates."""
    verbatim = getattr(model, "verbatim", ())
    return {name: value for name, value in raw.items() if name not in verbatim}


def smuggled(model: type[BaseModel], written: Mapping[str, Any], filled: Mapping[str, Any]) -> Iterator[list[str]]:
    """The places where a template's value refers to a secret: what an input or a document holds never may.

    written: parameters as the definition has them.  filled: with their templates filled.
    """
    for name in getattr(model, "refers_to_secrets", ()):
        if name in written:
            yield from _smuggled(written[name], filled.get(name), [name])


def _smuggled(written: Any, filled: Any, place: list[str]) -> Iterator[list[str]]:
    if isinstance(written, dict) and isinstance(filled, dict) and written.keys() == filled.keys():
        for key, value in written.items():
            yield from _smuggled(value, filled[key], [*place, str(key)])
    elif written != filled and (place[-1] in _NAMES or _refers(filled)):
        yield place


_NAMES = ("secret_ref", "api_key")
"""Parameters that are a secret's name, without braces."""


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key in _NAMES or _refers(key) or _refers(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and REFERENCE.search(value) is not None


def checked_filter(raw: Any) -> Any:
    """A filter parameter, refused where it could never be one; one with templates only once they are filled.

    Raises: ValueError, which pydantic turns into a fault at the parameter's place.
    """
    if raw is None or template_roots(raw):
        return raw
    try:
        check_filter(parse_filter(raw))
    except ValidationError as error:
        raise ValueError(error.message) from error
    return raw
