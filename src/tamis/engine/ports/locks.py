"""Locks by name: who works at something now, wherever all who might can see it.

They spare work and keep turns; nothing may be wrong where one is lost, since a holder that stood still too long loses
his to another.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol


class Hold(Protocol):
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
async def held(locks: Locks, name: str) -> AsyncIterator[None]:
    """A block that runs while nobody else holds the lock; it waits for as long as that takes."""
    while (hold := await locks.take(name)) is None:
        await locks.freed(name)
    try:
        yield
    finally:
        await hold.release()
