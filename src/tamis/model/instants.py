"""Dates and times written as text, as points in time."""

from datetime import UTC, datetime
from functools import lru_cache

_DATE_LENGTH = len("2026-01-31")
_LONGEST = len("2026-01-31T12:00:00.123456+00:00:00.123456")


def instant(text: str) -> datetime | None:
    """The instant that an RFC 3339 time or an ISO date (its midnight) names; without a zone it is UTC. None if none."""
    if not _DATE_LENGTH <= len(text) <= _LONGEST or text[4] != "-" or text[7] != "-" or not text[:4].isdigit():
        return None
    return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> datetime | None:
    if len(text) > _DATE_LENGTH and text[_DATE_LENGTH] not in "Tt ":
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    # A zone may carry an instant of year 1 or 9999 out of the calendar: such a text compares as text.
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None
