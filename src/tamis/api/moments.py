"""Moments in queries."""

from datetime import UTC, datetime

from tamis.errors import ValidationError


def moment(name: str, at: datetime | None) -> datetime | None:
    """In UTC, which it is in where it names no zone. Raises: ValidationError naming the parameter."""
    if at is None:
        return None
    if not 1970 <= at.year <= 9998:
        raise ValidationError.at(["query", name], "a time from 1970 to 9998")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
