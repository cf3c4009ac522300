"""The locks of one process."""

import asyncio


class _MemoryHold:
    __slots__ = ("_held", "_name")

    def __init__(self, held: dict[str, asyncio.Event], name: str) -> None:
        self._held = held
        self._name = name

    async def release(self) -> None:
        freed = self._held.pop(self._name, None)
        if freed is not None:
            freed.set()


class MemoryLocks:
    def __init__(self) -> None:
        self._held: dict[str, asyncio.Event] = {}

    async def take(self, name: str) -> _MemoryHold | None:
        if name in self._held:
            return None
        self._held[name] = asyncio.Event()
        return _MemoryHold(self._held, name)

    async def freed(self, name: str) -> None:
        held = self._held.get(name)
        if held is not None:
            await held.wait()

    async def close(self) -> None:
        self._held.clear()
