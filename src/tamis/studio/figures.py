"""Numbers, times and sizes as the readers of a language write them: three figures, and the unit that reads best."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_LEAST_SHARE = 0.001


@dataclass(frozen=True, slots=True)
class Figures:
    """What a language's file says under `format`.

    thousands, decimal: marks.  date, short, at: patterns of a date, one without its year, and one with a time.
    months: twelve short names.  byte: its letter.  singular: the numbers that take the singular.
    """

    thousands: str
    decimal: str
    date_pattern: str
    short_pattern: str
    moment_pattern: str
    months: tuple[str, ...]
    byte: str
    singular: frozenset[int]

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "Figures":
        """Raises: KeyError naming what the file lacks."""
        return cls(
            table["thousands"], table["decimal"], table["date"], table["short"], table["moment"],
            tuple(table["months"]), table["byte"], frozenset(table["singular"]),
        )  # fmt: skip

    def number(self, value: float) -> str:
        return self.marked(f"{value:,}")

    def duration(self, ms: float | None) -> str:
        if ms is None:
            return "–"
        if ms < 1000:
            return f"{self._three(ms)} ms"
        return f"{self._three(ms / 1000)} s" if ms < 60_000 else f"{self.marked(f'{ms / 60_000:.1f}')} min"

    def credits(self, value: float | None) -> str:
        return "–" if value is None else self.marked(f"{value:.6g}")

    def score(self, value: float | None) -> str:
        return "–" if value is None or math.isnan(value) else self.marked(f"{value:.4f}")

    def percent(self, share: float | None) -> str:
        if share is None:
            return "–"
        is_little = 0 < share < _LEAST_SHARE
        return f"{'< ' if is_little else ''}{self.marked(f'{100 * (_LEAST_SHARE if is_little else share):.3g}')} %"

    def size(self, size_bytes: float | None) -> str:
        if size_bytes is None:
            return "–"
        for prefix in ("", "k", "M", "G"):
            if size_bytes < 1000:
                return f"{self._three(size_bytes)} {prefix}{self.byte}"
            size_bytes /= 1000
        return f"{self._three(size_bytes)} T{self.byte}"

    def moment(self, at: datetime) -> str:
        return self._date(self.moment_pattern, at, f"{at.astimezone(UTC):%H:%M:%S}")

    def moment_short(self, at: datetime) -> str:
        return f"{self._date(self.short_pattern, at)} {at.astimezone(UTC):%H:%M:%S}"

    def minute(self, at: datetime) -> str:
        return f"{self._date(self.short_pattern, at)} {at.astimezone(UTC):%H:%M}"

    def date(self, at: datetime) -> str:
        return self._date(self.date_pattern, at)

    def day(self, at: datetime) -> str:
        return self._date(self.short_pattern, at)

    def _date(self, pattern: str, at: datetime, time: str = "") -> str:
        there = at.astimezone(UTC)
        return pattern.format(day=there.day, month=self.months[there.month - 1], year=there.year, time=time)

    def _three(self, value: float) -> str:
        return self.marked(f"{value:.3g}" if value < 100 else f"{value:.0f}")

    def marked(self, text: str) -> str:
        """text: a number as Python writes it, with commas between thousands."""
        return text.translate({ord(","): self.thousands, ord("."): self.decimal})
