"""What commands show and how they end when something is wrong."""

import contextlib
from collections.abc import Iterator
from typing import NoReturn

import httpx
from rich.console import Console
from rich.text import Text

from tamis.cli.plain import plain
from tamis.client import ApiError, BrokenStreamError
from tamis.errors import TamisError

out = Console()
err = Console(stderr=True)


def fail(message: str) -> NoReturn:
    """One line on standard error, exit status 1."""
    err.print(Text.assemble(("error", "bold red"), " ", plain(message)), highlight=False)
    raise SystemExit(1)


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
    except httpx.ConnectError:
        fail("no server answers there; start one with `tamis serve`, or give its address with --url")
    except httpx.HTTPError as error:
        fail(f"the server could not be asked: {error}")
