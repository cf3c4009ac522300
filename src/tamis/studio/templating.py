"""Templates to pages: everything is escaped, an unknown name is an error."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from tamis.studio.assets import asset_url
from tamis.studio.markdown import rendered


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tamis.studio", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset_url)
    made.filters.update(
        number=number, duration=duration, credits=credits_text, score=score, percent=percent, moment=moment,
        moment_short=moment_short, pretty=pretty, iso=iso, short_id=short_id, date=date_text, size=size,
        markdown=rendered,
    )  # fmt: skip
    return made


def render(template: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(template).render(values)


def number(value: float) -> str:
    return f"{value:,}"


def duration(ms: float | None) -> str:
    """Three figures, and the unit that people read best."""
    if ms is None:
        return "–"
    if ms < 1000:
        return f"{_figures(ms)} ms"
    return f"{_figures(ms / 1000)} s" if ms < 60_000 else f"{ms / 60_000:.1f} min"


def credits_text(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def score(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.3g} %"


def size(size_bytes: float | None) -> str:
    if size_bytes is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{_figures(size_bytes)} {unit}"
        size_bytes /= 1000
    return f"{_figures(size_bytes)} TB"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%d %b %Y, %H:%M:%S UTC").lstrip("0")


def moment_short(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%d %b %H:%M:%S").lstrip("0")


def date_text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%d %b %Y").lstrip("0")


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pretty(value: Any) -> str:
    """JSON for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode()


def short_id(identifier: str) -> str:
    """Its kind and its last characters, which differ."""
    return identifier if len(identifier) <= 18 else f"{identifier[:5]}…{identifier[-8:]}"


def _figures(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
