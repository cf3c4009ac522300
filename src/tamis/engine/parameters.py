"""What every stage's `Parameters` share: unknown ones are refused, null means the default."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from tamis.engine.templates import mentions
from tamis.errors import ValidationError
from tamis.model.filters import parse_filter
from tamis.model.matching import check_filter


class StageParameters(BaseModel):
    """The public schema of a stage. The contract's spelling comes first; other spellings in use are aliases."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, raw: Any) -> Any:
        return {key: value for key, value in raw.items() if value is not None} if isinstance(raw, dict) else raw


def template_roots(value: Any) -> frozenset[str]:
    """What a value's templates name, in capitals. Text from an input may hold braces that are no template."""
    try:
        return mentions(value)
    except ValidationError:
        return frozenset()


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
