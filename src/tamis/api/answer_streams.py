"""Answers of agents as server-sent events. Who leaves takes the answer along; who stalls is left behind."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from fastapi import Response
from starlette.types import Receive, Scope, Send

from tamis.api.streams import EVENT_HEADERS, framed, left
from tamis.services.agents.answer_stream import AnswerStream, Happened
from tamis.services.runs.following import follow

_HEARTBEAT = b": the answer is being made\n\n"


class AnswerEvents(Response):
    """Each event has its name, and its JSON in `data`, where `event_type` says the name again."""

    def __init__(self, stream: AnswerStream, stall_s: float) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(EVENT_HEADERS)
        self._stream = stream
        self._stall_s = stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def take(piece: bytes, more: bool) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": more})

        async def begin() -> None:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        await follow(self._stream, begin(), self._pieces(), take, left(receive), self._stall_s)

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._stream.events()) as events:
            async for one in events:
                for piece in (_HEARTBEAT,) if one is None else _framed(one):
                    yield piece


def _framed(one: Happened) -> Iterator[bytes]:
    yield f"event: {one.event}\n".encode()
    yield from framed({"event_type": one.event, **one.data})
