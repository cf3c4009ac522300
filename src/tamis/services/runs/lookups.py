"""What a request to execute looks up by name before it runs, remembered for as long as nothing has been written."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from tamis.engine.ports.metadata import Metadata, Session

T = TypeVar("T")


class Lookups:
    """Exact: a write forgets everything before it is told of. Where other processes may write, nothing is kept."""

    def __init__(self, metadata: Metadata, capacity: int = 1024) -> None:
        """capacity: how many are kept at most; one more, and all are forgotten."""
        self._metadata = metadata
        self._capacity = capacity
        self._generation: int | None = None
        self._known: dict[Hashable, Any] = {}

    async def find(self, key: Hashable, function: Callable[[Session], T]) -> T:
        """What the function reads by key. key: everything that it follows from, the principal among it."""
        generation = self._metadata.generation
        if generation is None:
            return await self._metadata.read_now(function)
        if generation != self._generation or len(self._known) >= self._capacity:
            self._known.clear()
            self._generation = generation
        if key in self._known:
            known: T = self._known[key]
            return known
        found = await self._metadata.read_now(function)
        # A commit meanwhile may be in what was read or not.
        if generation == self._generation == self._metadata.generation:
            self._known[key] = found
        return found
