"""The locks of one process, where nobody else may work at the same."""

import asyncio


class LocalHold:
    __slots__ = ("_held", "_name")

    def __init__(self, held: dict[str, asyncio.Event], name: str) -> None:
        self._held = held
        self._name = name

    async def stands(self) -> bool:
        return True

    async def release(self) -> None:
        freed = self._held.pop(self._name, None)
        if freed is not None:
            freed.set()


class LocalLocks:
    """Implements `Locks`."""

    def __init__(self) -> None:
        self._held: dict[str, asyncio.Event] = {}

    async def take(self, name: str) -> LocalHold | None:
        if name in self._held:
            return None
        self._held[name] = asyncio.Event()
        return LocalHold(self._held, name)

    async def freed(self, name: str) -> None:
        held = self._held.get(name)
        if held is not None:
            await held.wait()

    async def close(self) -> None:
        self._held.clear()
