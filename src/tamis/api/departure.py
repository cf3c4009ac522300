"""A caller that goes away takes its work along."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from tamis.errors import TamisError

T = TypeVar("T")


class CallerLeftError(TamisError):
    """The caller went away before the answer; nobody reads this one."""

    status = 499


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The work's result; where the caller leaves first, the work is cancelled and has ended when this raises.

    Raises: CallerLeftError, and what the work raises.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await _cancelled(working)
            raise CallerLeftError
        return await working
    except asyncio.CancelledError:
        await _cancelled(working)
        raise
    finally:
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _cancelled(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
