"""Cron expressions: the five fields of crontab(5), in a time zone.

`minute hour day month weekday`, each `*`, numbers, ranges `1-5`, lists `1,15`, steps `*/10` and `8-18/2`; months and
weekdays also by their English names, Sunday as 0 or 7. Where day and weekday are both given, either suffices.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)
_NAMED = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_MOST_DAYS = 366 * 8 + 2
"""Until the next 29 February at the latest."""


@dataclass(frozen=True, slots=True)
class Cron:
    """any_day, any_weekday: the field begins with `*`, and then the other alone decides."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """The next time after the moment, in UTC; None where there is none, as on 30 February.

        A time that the clocks jump over is left out, one that they come to twice counts once.
        """
        local = moment.astimezone(self.zone)
        for ahead in range(_MOST_DAYS):
            day = local.date() + timedelta(days=ahead)
            if self._is_on(day):
                found = self._on(day, moment)
                if found is not None:
                    return found
        return None

    def _is_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_day and by_weekday) if self.any_day or self.any_weekday else (by_day or by_weekday)

    def _on(self, day: date, moment: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                there = local.astimezone(UTC)
                exists = there.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
                if exists and there > moment:
                    return there
        return None


def parse_cron(expression: str, zone: str = "UTC") -> Cron:
    """Raises: ValueError saying what is wrong."""
    parts = _NAMED.get(expression.strip().lower(), expression).split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"five fields, minute hour day month weekday, as '0 2 * * *'; these are {len(parts)}")
    minutes, hours, days, months, weekdays = (
        _field(text, *about) for text, about in zip(parts, _FIELDS, strict=True)
    )  # fmt: skip
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {zone!r}; name one as Europe/Berlin or UTC") from None
    return Cron(
        minutes, hours, days, months, frozenset(one % 7 for one in weekdays), parts[2].startswith("*"),
        parts[4].startswith("*"), where,
    )  # fmt: skip


def _field(text: str, name: str, least: int, most: int, names: Mapping[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, last = _span(span, name, least, most, names, has_step=bool(step))
        width = _number(step, name, 1, most + 1, {}) if step or part.endswith("/") else 1
        found.update(range(first, last + 1, width))
    return frozenset(found)


def _span(text: str, name: str, least: int, most: int, names: Mapping[str, int], *, has_step: bool) -> tuple[int, int]:
    if text == "*":
        return least, most if name != "weekday" else 6
    first, dash, last = text.partition("-")
    begin = _number(first, name, least, most, names)
    end = _number(last, name, least, most, names) if dash else most if has_step else begin
    if end < begin:
        raise ValueError(f"{name}: {text!r} runs backwards")
    return begin, end


def _number(text: str, name: str, least: int, most: int, names: Mapping[str, int]) -> int:
    value = names.get(text.lower())
    if value is None and text.isascii() and text.isdigit() and len(text) < 4:
        value = int(text)
    if value is None or not least <= value <= most:
        known = f", or {', '.join(names)}" if names else ""
        raise ValueError(f"{name}: {text!r} is none of {least} to {most}{known}")
    return value
