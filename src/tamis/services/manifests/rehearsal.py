"""Changes made on trial: services make them as ever, and nothing of it stays until all of them are made at once."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tamis.engine.change import beside_the_change
from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata, MetadataHealth, Session

T = TypeVar("T")


class Rehearsal:
    """A `Metadata` that keeps writes back. Each call runs in a transaction of its own behind all writes so far, which
    is then undone; `commit` runs the writes in one that stays.

    Cost: a call is as dear as all writes before it, so that this is for some hundred of them.
    """

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._writes: list[Callable[[Session], Any]] = []

    @property
    def generation(self) -> int | None:
        """None: what is read here is nobody else's."""
        return None

    async def read(self, function: Callable[[Session], T]) -> T:
        return await self._tried(function) if self._writes else await self._metadata.read(function)

    async def read_now(self, function: Callable[[Session], T]) -> T:
        return await self.read(function)

    async def write(self, function: Callable[[Session], T]) -> T:
        value = await self._tried(function)
        self._writes.append(function)
        return value

    async def commit(self, bounds: Sequence[Callable[[Session], None]] = ()) -> None:
        """Make all of it, or where one raises, since somebody else came first, nothing.

        bounds: are asked first, in the same transaction.
        """
        writes = tuple(self._writes)
        if not writes:
            return

        def make(session: Session) -> None:
            for write in (*bounds, *writes):
                write(session)

        await self._metadata.write(make)
        self._writes.clear()

    def keep(self, entry: Entry) -> Any:
        return self._metadata.keep(entry)

    async def health(self) -> MetadataHealth:
        return await self._metadata.health()

    async def close(self) -> None:
        """It has nothing of its own that is open."""

    async def _tried(self, function: Callable[[Session], T]) -> T:
        writes = tuple(self._writes)

        def attempt(session: Session) -> None:
            for write in writes:
                write(session)
            raise _Undone(function(session))

        with beside_the_change():
            try:
                await self._metadata.write(attempt)
            except _Undone as undone:
                value: T = undone.value
                return value
        raise AssertionError("a trial always ends by being undone")


class _Undone(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value
