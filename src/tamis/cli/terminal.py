"""What commands show and how they end when something is wrong."""

import contextlib
import os
import sys
from collections.abc import Container, Iterator
from typing import NoReturn

import httpx
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tamis.cli.plain import plain
from tamis.client import ApiError, BrokenStreamError
from tamis.errors import TamisError

_WIDE = 200
"""Columns of what is piped: a program that reads it has no window."""

out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE)
err = Console(stderr=True)


def fail(message: str) -> NoReturn:
    """One line on standard error, exit status 1."""
    err.print(Text.assemble(("error", "bold red"), " ", plain(message)), highlight=False, soft_wrap=True)
    raise SystemExit(1)


def show_table(table: Table, giving_way: Container[str] = ()) -> None:
    """Ids and figures are shown whole, however narrow the window; only these columns give way."""
    for column in table.columns:
        if str(column.header) not in giving_way:
            cells = [column.header, *column.cells]
            column.min_width = max(cell_len(cell.plain if isinstance(cell, Text) else str(cell)) for cell in cells)
    out.print(table, crop=False, no_wrap=True, overflow="ignore")


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Errors that people can act on are shown as a line, not as a traceback."""
    try:
        yield
    except TamisError as error:
        fail(error.message)
    except ApiError as error:
        fail(f"the server answered {error}")
    except BrokenStreamError as error:
        fail(f"the answer broke off: {error}")
    except httpx.ConnectError as error:
        asked = error.request.url
        at = f"{asked.scheme}://{asked.netloc.decode()}"
        fail(f"no server answers at {at}; start one with `tamis serve`, or give its address with --url")
    except httpx.HTTPError as error:
        fail(f"the server could not be asked: {error}")
