"""The times that figures are asked of: whole hours, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tamis.errors import ValidationError

MOST_GROUPS = 10_000
HOUR = timedelta(hours=1)
GROUPS: Mapping[str, int] = {"hour": 1, "day": 24, "week": 168}
_USUAL = {
    "hour": timedelta(days=1), "day": timedelta(days=30), "week": timedelta(weeks=26), "month": timedelta(days=366),
}  # fmt: skip
_SINCE_MONDAY = timedelta(days=3)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole hours, UTC: figures are kept by hour. `end` itself is outside."""

    start: datetime
    end: datetime


def last(now: datetime, hours: int) -> Span:
    return Span(floor(now - hours * HOUR), ceil(now))


def between(now: datetime, start: datetime | None, end: datetime | None, group_by: str) -> Span:
    """Without a start: a day, a month, half a year or a year before the end. Raises: ValidationError (parameter)."""
    end_at = ceil(now if end is None else end)
    first = floor(end_at - _USUAL[group_by] if start is None else start)
    if first >= end_at:
        raise ValidationError.at(["query", "start_date"], "before 'end_date', which is now where it is left out")
    if end_at - first > MOST_GROUPS * GROUPS.get(group_by, 720) * HOUR:
        message = f"at most {MOST_GROUPS} times the {group_by} of 'group_by' before 'end_date'"
        raise ValidationError.at(["query", "start_date"], message)
    return Span(first, end_at)


def check_group(group_by: str, known: Mapping[str, int] = GROUPS) -> None:
    """Raises: ValidationError."""
    if group_by not in known:
        raise ValidationError.at(["query", "group_by"], f"one of {', '.join(known)}, not {group_by!r}")


def group_of(at: datetime, group_by: str) -> datetime:
    """When the hour, day, week or month began that it lies in; a week begins on Monday."""
    if group_by == "month":
        return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    span = GROUPS[group_by] * HOUR
    since = at - _EPOCH + _SINCE_MONDAY
    return at - since % span


def hour_of(number: int) -> datetime:
    """When an hour began, counted since 1970."""
    return _EPOCH + number * HOUR


def floor(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def ceil(at: datetime) -> datetime:
    return floor(at) if at == floor(at) else floor(at) + HOUR
