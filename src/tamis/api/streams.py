"""Executions as server-sent events. A reader is sent what he takes, at his pace; the execution keeps its own."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from tamis.api.answers import show_documents, show_hit, show_outline, stage_statistics, written
from tamis.api.departure import while_connected
from tamis.api.errors import told
from tamis.api.links import Link
from tamis.engine.events import StageCut, StageFailed, StageFinished, StageStarted
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hit, Hits
from tamis.services.runs.execution_runs import Executed
from tamis.services.runs.following import follow
from tamis.services.runs.streaming import ExecutionStream, Progress, Spent, Streaming, Work

EVENT_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",  # A proxy is to pass each event on, not to collect them.
}
_HEARTBEAT = b": the execution goes on\n\n"
_PIECE_BYTES = 64 * 1024
_DOCUMENTS_AT_ONCE = 64
# JSON lets them stand in a text as they are, and readers that split lines as Unicode does would break there.
_LINE_ENDS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))

Lists = Mapping[str, tuple[Hits, Callable[[Sequence[Hit]], list[dict[str, Any]]]]]


async def streamed(
    request: Request, streaming: Streaming, work: Work, with_results: bool, headers: Mapping[str, str],
    link: Link | None = None,
) -> Response:  # fmt: skip
    """Follow an execution. Raises: what is wrong before it begins, so that it is answered as it always is."""
    stream = await while_connected(request, streaming.begin(work))
    return EventStream(stream, streaming.stall_s, with_results, headers, link)


class EventStream(Response):
    """Each event is `data: {json}` and an empty line. What waits to be sent is rendered piece by piece."""

    def __init__(
        self, stream: ExecutionStream, stall_s: float, with_results: bool, headers: Mapping[str, str],
        link: Link | None = None,
    ) -> None:  # fmt: skip
        self.status_code = 200
        self.background = None
        self.init_headers({**EVENT_HEADERS, **headers})
        self._stream = stream
        self._stall_s = stall_s
        self._with_results = with_results
        self._link = link

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A reader who leaves takes the execution along; one who stalls is sent no more, and it goes on."""

        async def take(piece: bytes, more: bool) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": more})

        async def begin() -> None:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        await follow(self._stream, begin(), self._pieces(), take, left(receive), self._stall_s)

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._stream.steps()) as steps:
            async for step in steps:
                for piece in (_HEARTBEAT,) if step is None else self._step(step):
                    yield piece
        for piece in self._end():
            yield piece

    def _step(self, step: Progress) -> Iterator[bytes]:
        event = step.event
        where: dict[str, Any] = {"stage_name": event.stage_name, "stage_index": event.index}
        if isinstance(event, StageStarted):
            return framed(self._event("stage_start", step.spent, **where))
        where["statistics"] = stage_statistics(event)
        if isinstance(event, StageFinished):
            shown = self._event("stage_complete", step.spent, **where)
            return framed(shown, {"documents": (event.returned, _show_hits)})
        return framed(self._event("stage_error", step.spent, **where, **_stage_fault(event)))

    def _end(self) -> Iterator[bytes]:
        try:
            executed = self._stream.result()
        except Exception as error:
            return framed(self._event("execution_error", self._stream.spent, **_fault(error)))
        spent = Spent(executed.credits_used, self._stream.spent.tokens_used, executed.duration_ms)
        shown = {**self._event("execution_complete", spent), **show_outline(executed)}
        shown["total_stages"] = shown["total_stages"] or len(executed.stages)
        return framed(shown, self._lists(executed))

    def _lists(self, executed: Executed) -> Lists:
        names = ("documents", "results") if self._with_results else ("documents",)
        return {name: (executed.documents, lambda hits: show_documents(executed, hits, self._link)) for name in names}

    def _event(self, event_type: str, spent: Spent, **fields: Any) -> dict[str, Any]:
        """StreamEvent: every field is there, null where it says nothing, for readers that ask for each of them."""
        return {
            "event_type": event_type,
            "execution_id": self._stream.execution_id,
            "stage_name": None,
            "stage_index": None,
            "total_stages": self._stream.total_stages,
            "documents": None,
            "statistics": None,
            "budget_used": {
                "credits_used": spent.credits_used,
                "time_elapsed_ms": round(spent.time_elapsed_ms, 3),
                "tokens_used": spent.tokens_used,
            },
            "error": None,
            "error_details": None,
            **fields,
        }


def _stage_fault(end: StageFailed | StageCut) -> dict[str, Any]:
    if isinstance(end, StageCut):
        details = {"type": "BudgetLimit", "status": None, "outcome": "cut", "details": {"limit": end.limit}}
        return {"error": end.reason, "error_details": details}
    error, outcome = end.error, "skipped" if end.skipped else "failed"
    failure = {"type": error.code, "status": error.status, "outcome": outcome, "details": error.details}
    return {"error": error.message, "error_details": failure}


def _fault(error: Exception) -> dict[str, Any]:
    status, shown = told(error)
    details = {"type": shown["type"], "status": status, "outcome": "failed", "details": shown["details"]}
    return {"status": ExecutionStatus.FAILED.value, "error": shown["message"], "error_details": details}


def _show_hits(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    return [show_hit(hit) for hit in hits]


def framed(event: Mapping[str, Any], lists: Lists | None = None) -> Iterator[bytes]:
    """One event in pieces of at most 64 KiB; `lists` are fields whose items are rendered when their turn comes."""
    waiting = bytearray(b"data: ")
    for part in _parts(event, lists or {}):
        waiting += part
        while len(waiting) > _PIECE_BYTES:
            yield bytes(waiting[:_PIECE_BYTES])
            del waiting[:_PIECE_BYTES]
    waiting += b"\n\n"
    yield bytes(waiting)


def _parts(event: Mapping[str, Any], lists: Lists) -> Iterator[bytes]:
    """The event's JSON. Each part is cut between characters, so that none is overlooked where two parts meet."""
    yield _one_line({key: value for key, value in event.items() if key not in lists})[:-1]
    for name, (hits, show) in lists.items():
        yield b',"%s":[' % name.encode()
        for start in range(0, len(hits), _DOCUMENTS_AT_ONCE):
            yield b"," if start else b""
            yield _one_line(show(hits[start : start + _DOCUMENTS_AT_ONCE].items))[1:-1]
        yield b"]"
    yield b"}"


def _one_line(value: Any) -> bytes:
    text = written(value)
    for end, escaped in _LINE_ENDS:
        text = text.replace(end, escaped)
    return text


async def left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
