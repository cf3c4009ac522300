"""What the operations of a noun are built on."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

from tamis.client.calls import Call
from tamis.client.connection import AsyncConnection, Connection


class Noun:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _ask(self, call: Call) -> Any:
        return self._connection.ask(call)

    def _pieces(self, call: Call) -> Generator[bytes, None, None]:
        return self._connection.pieces(call)

    def _events(self, call: Call) -> Generator[Any, None, None]:
        return self._connection.events(call)


class AsyncNoun:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _ask(self, call: Call) -> Any:
        return await self._connection.ask(call)

    def _pieces(self, call: Call) -> AsyncGenerator[bytes, None]:
        return self._connection.pieces(call)

    def _events(self, call: Call) -> AsyncGenerator[Any, None]:
        return self._connection.events(call)
