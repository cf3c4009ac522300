"""Locks by name: who works at something now, wherever all who might can see it.

A holder that stood still too long, or whose backend went away, has lost his to another: who must not go on then asks
`Hold.stands`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol


class Hold(Protocol):
    async def stands(self) -> bool:
        """Whether it has been the holder's all the time. Where the backend does not know, it says yes."""
        ...

    async def release(self) -> None: ...


class Locks(Protocol):
    """Shared by all requests of a server, or by several servers. A holder that dies loses his lock, soon."""

    async def take(self, name: str) -> Hold | None:
        """At once; None where somebody holds it."""
        ...

    async def freed(self, name: str) -> None:
        """Return once nobody holds it, though somebody else may take it in that moment."""
        ...

    async def close(self) -> None: ...


@asynccontextmanager
async def held(locks: Locks, name: str) -> AsyncIterator[Hold]:
    """A block that runs while nobody else holds the lock; it waits for as long as that takes."""
    while (hold := await locks.take(name)) is None:
        await locks.freed(name)
    try:
        yield hold
    finally:
        await hold.release()
