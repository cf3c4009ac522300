"""The text that a stage compares documents with, where its parameters do not say it."""

from tamis.engine.stage import Context
from tamis.errors import ValidationError


def asked_query(query: str | None, context: Context) -> str:
    """The parameter, else the input `query` as text or `{"text": ...}`. Raises: ValidationError where there is none."""
    value = query if query is not None else context.inputs.get("query")
    if isinstance(value, dict):
        value = value.get("text")
    if not isinstance(value, str) or not value.strip():
        raise ValidationError.at(
            ["parameters", "query"], "there is no text to compare with: give query, or the input 'query' as text"
        )
    return value
