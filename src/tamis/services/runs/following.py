"""A reader who follows an execution: sent what he takes, dropped where he takes nothing, and missed when he leaves."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from tamis.services.runs.streaming import ExecutionStream

log = logging.getLogger("tamis.streams")


async def follow(
    stream: ExecutionStream,
    begin: Coroutine[Any, Any, None],
    pieces: AsyncGenerator[bytes, None],
    take: Callable[[bytes, bool], Awaitable[None]],
    left: Coroutine[Any, Any, None],
    stall_s: float,
) -> None:
    """Until all is sent, or the reader has left, who takes the execution along.

    begin: says that something comes.  pieces: what he is sent.
    take: returns once he has taken a piece, of which it is told whether another follows.
    left: ends when he is gone.  stall_s: how long he may take nothing; then the execution goes on without him.
    """
    sending = asyncio.ensure_future(_sent(stream, begin, pieces, take, stall_s))
    leaving = asyncio.ensure_future(left)
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        leaving.cancel()
        sending.cancel()
        fault = await stream.close()
        if fault is not None:
            log.error("what was left of execution %s failed", stream.execution_id, exc_info=fault)


async def _sent(
    stream: ExecutionStream,
    begin: Coroutine[Any, Any, None],
    pieces: AsyncGenerator[bytes, None],
    take: Callable[[bytes, bool], Awaitable[None]],
    stall_s: float,
) -> None:
    await begin
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                async with asyncio.timeout(stall_s):
                    await take(piece, True)
        async with asyncio.timeout(stall_s):
            await take(b"", False)
    except TimeoutError:
        log.warning("the reader of execution %s took nothing for %g s: dropped", stream.execution_id, stall_s)
        await stream.run_unread()
