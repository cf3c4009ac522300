"""A limit of time that holds whatever the work does: it is cancelled and not waited for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tamis.errors import StageTimeoutError

T = TypeVar("T")

_LONGEST_MS = 2**31 - 1

_GRACE_S = 0.02
"""How long a cancelled stage may take to leave its own things in order."""

_abandoned: set[asyncio.Task[Any]] = set()


class OutOfTimeError(Exception):
    """The time was up before the work came back."""


async def within(limit_ms: float | None, work: Coroutine[Any, Any, T]) -> T:
    """The work's result. Work that hangs on a thread or swallows its cancellation is left behind.

    Raises: OutOfTimeError, and what the work raises.
    """
    if limit_ms is None:
        return await work
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait((task,), timeout=limit_ms / 1000)
    except asyncio.CancelledError:
        await _abandon(task)
        raise
    if not done:
        await _abandon(task)
        raise OutOfTimeError
    return task.result()


async def within_hard_timeout(limit_ms: int | None, what: str, work: Coroutine[Any, Any, T]) -> T:
    """A stage's own `hard_timeout_ms`. what: names the work in the error.

    Raises: StageTimeoutError, and what the work raises.
    """
    try:
        async with asyncio.timeout(None if limit_ms is None else min(limit_ms, _LONGEST_MS) / 1000) as deadline:
            return await work
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise StageTimeoutError(f"{what} ran past hard_timeout_ms = {limit_ms}") from error


async def _abandon(task: asyncio.Task[Any]) -> None:
    task.cancel()
    # Held until it ends: the event loop itself keeps only weak references.
    _abandoned.add(task)
    task.add_done_callback(_forget)
    await asyncio.wait((task,), timeout=_GRACE_S)


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
