"""A reader who follows an execution, or an answer: sent what he takes, dropped where he takes nothing.

He is missed when he leaves.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Protocol

log = logging.getLogger("tamis.streams")


class Followed(Protocol):
    """What goes on by itself while somebody reads of it. name: what it is, for the log."""

    @property
    def name(self) -> str: ...

    async def run_unread(self) -> None:
        """Let it go on to its end, and keep nothing more of what it tells."""
        ...

    async def close(self) -> BaseException | None:
        """Cancel what still runs and wait until it has ended; what went wrong with that, if anything did."""
        ...


async def follow(
    stream: Followed,
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
            log.error("what was left of %s failed", stream.name, exc_info=fault)


async def _sent(
    stream: Followed,
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
        log.warning("the reader of %s took nothing for %g s: dropped", stream.name, stall_s)
        await stream.run_unread()
