"""A run as the playground follows it: a line for each stage as it begins and ends, then where its record is."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tamis.engine.events import StageCut, StageEnd, StageFailed, StageStarted
from tamis.errors import TamisError
from tamis.services.runs.following import follow
from tamis.services.runs.streaming import ExecutionStream
from tamis.studio.languages import Language
from tamis.studio.security import HEADERS


class RunEvents(Response):
    """Server-sent events. Who leaves takes the run along; its record says that it was cancelled."""

    def __init__(self, stream: ExecutionStream, language: Language, stall_s: float) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({**HEADERS, "content-type": "text/event-stream", "x-accel-buffering": "no"})
        self._stream = stream
        self._language = language
        self._stall_s = stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def take(piece: bytes, more: bool) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": more})

        async def begin() -> None:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        await follow(self._stream, begin(), self._events(), take, _left(receive), self._stall_s)

    async def _events(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._stream.steps()) as steps:
            async for step in steps:
                yield b": the run goes on\n\n" if step is None else _event("stage", self._stage(step.event))
        yield _event("end", self._end())

    def _stage(self, event: StageStarted | StageEnd) -> dict[str, Any]:
        if isinstance(event, StageStarted):
            return {"index": event.index, "state": "running", "says": self._language("outcome.running")}
        return {"index": event.index, "state": _state(event), "says": self._says(event)}

    def _says(self, event: StageEnd) -> str:
        if isinstance(event, StageFailed):
            return event.error.message
        if isinstance(event, StageCut):
            return event.reason
        seen = max(event.processed, len(event.received))
        figures = self._language.figures
        counts = f"{figures.number(seen)} → {figures.number(len(event.returned))}"
        credits = self._language("play.credits", n=figures.credits(event.credits_used))
        return f"{counts} · {figures.duration(event.duration_ms)} · {credits}"

    def _end(self) -> dict[str, Any]:
        try:
            executed = self._stream.result()
        except TamisError as error:
            return {"execution": self._stream.execution_id, "message": error.message}
        return {"execution": executed.execution_id, "message": None}


def _state(event: StageEnd) -> str:
    if isinstance(event, StageFailed):
        return "skipped" if event.skipped else "failed"
    if isinstance(event, StageCut):
        return "cut"
    if event.passed_over is not None:
        return "passed_over"
    return "cached" if event.cache_hit else "completed"


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
