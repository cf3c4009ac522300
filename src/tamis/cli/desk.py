"""How commands reach keys, users, secrets and the audit log: on the data directory, server running or not."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from tamis.cli.terminal import fail, plain_errors
from tamis.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.wiring.desk import Desk

T = TypeVar("T")

OrganizationOption = Annotated[
    str | None, typer.Option("--organization", help="An organisation's id or name; else the first.")
]

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def at_desk(data_dir: "Path", organization: str | None, work: Callable[["Desk"], Awaitable[T]]) -> T:
    from tamis.wiring.desk import open_desk

    async def run() -> T:
        async with open_desk(Settings(data_dir=data_dir), organization) as desk:
            return await work(desk)

    with plain_errors():
        return asyncio.run(run())


def span(text: str, option: str) -> timedelta:
    """A span of time such as 30s, 15m, 12h, 90d."""
    found = _SPAN.fullmatch(text)
    if found is None:
        fail(f"{option}: a span such as 30s, 15m, 12h or 90d, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
