"""What every stage's `Parameters` share: unknown ones are refused, null means the default."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from tamis.errors import ValidationError
from tamis.model.filters import parse_filter
from tamis.model.json import JSON
from tamis.model.matching import check_filter


class StageParameters(BaseModel):
    """The public schema of a stage. The contract's spelling comes first; other spellings in use are aliases."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, raw: Any) -> Any:
        return {key: value for key, value in raw.items() if value is not None} if isinstance(raw, dict) else raw


def has_template(value: JSON) -> bool:
    """True where a template is still to be filled somewhere inside."""
    if isinstance(value, str):
        return "{{" in value or (value.startswith("{") and value.endswith("}"))
    if isinstance(value, dict):
        return any(has_template(item) for item in value.values())
    return isinstance(value, list) and any(has_template(item) for item in value)


def checked_filter(raw: Any) -> Any:
    """A filter parameter, refused where it could never be one. For use as a pydantic validator.

    Raises: ValueError, which pydantic turns into a fault at the parameter's place.
    """
    if raw is None or has_template(raw):
        return raw
    try:
        check_filter(parse_filter(raw))
    except ValidationError as error:
        raise ValueError(error.message) from error
    return raw
