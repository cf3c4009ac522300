"""Work that several callers want at once is done once, and goes on for as long as one of them waits."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Flights(Generic[T]):
    """By key, what is being worked at in this process."""

    def __init__(self) -> None:
        self._flights: dict[bytes, _Flight[T]] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._flights

    async def lead(self, key: bytes, work: Coroutine[Any, Any, T]) -> T:
        """Begin the work under a key that is free, and wait for it. Raises: what the work raises."""
        flight = _Flight(asyncio.ensure_future(work))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return await self._arrival(key, flight)

    async def follow(self, key: bytes) -> T:
        """Wait for work that is under way. Raises: what the work raises."""
        return await self._arrival(key, self._flights[key])

    def _land(self, key: bytes, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _arrival(self, key: bytes, flight: _Flight[T]) -> T:
        """A caller who goes leaves the others their work; the last takes it along; it has ended when this raises."""
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight)  # at once: who comes while it winds down is not to be cancelled with it
                flight.task.cancel()
                await asyncio.wait((flight.task,))
