"""Templates to pages: everything is escaped, an unknown name is an error."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from tamis.studio.assets import asset_url
from tamis.studio.markdown import rendered

_FIGURES = (
    "number", "duration", "credits", "score", "percent", "moment", "moment_short", "date", "size", "marked",
)  # fmt: skip
"""Filters that write a value as the page's language does."""


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
    made.filters.update(pretty=pretty, iso=iso, short_id=short_id, markdown=rendered)
    made.filters.update({name: _figure(name) for name in _FIGURES})
    return made


def render(template: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(template).render(values)


def _figure(name: str) -> Callable[[Context, Any], str]:
    @pass_context
    def written(context: Context, value: Any) -> str:
        return str(getattr(context["t"].figures, name)(value))

    return written


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pretty(value: Any) -> str:
    """JSON for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode()


def short_id(identifier: str) -> str:
    """Its kind and its last characters, which differ."""
    return identifier if len(identifier) <= 18 else f"{identifier[:5]}…{identifier[-8:]}"
