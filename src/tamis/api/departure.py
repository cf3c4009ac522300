"""A caller that goes away takes its work along."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from tamis.errors import TamisError

T = TypeVar("T")

_BEGIN_AFTER_S = 0.03


class CallerLeftError(TamisError):
    """The caller went away before the answer; nobody reads this one."""

    status = 499


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The work's result; where the caller leaves first, the work is cancelled and has ended when this raises.

    Raises: CallerLeftError, and what the work raises.
    """
    watch = _Watch(request)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.has_seen_leave:
            watch.task.uncancel()
            raise CallerLeftError from None
        raise
    finally:
        watch.stop()


class _Watch:
    """Cancels the task that made it when the caller leaves. Most answers are out before it begins to look."""

    def __init__(self, request: Request) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be watched")
        self.task = task
        self.has_seen_leave = False
        self._request = request
        self._looking: asyncio.Task[None] | None = None
        self._begin = asyncio.get_running_loop().call_later(_BEGIN_AFTER_S, self._look)

    def stop(self) -> None:
        self._begin.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def _look(self) -> None:
        self._looking = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.has_seen_leave = True
        self.task.cancel()
