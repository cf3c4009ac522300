"""An execution that a reader follows stage by stage. It never waits for the reader, who may be slow or leave."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from tamis.engine.events import Event, ExecutionFinished, ExecutionStarted, Sink, StageEnd, StageFinished, StageStarted
from tamis.engine.ports.clock import Clock
from tamis.errors import TamisError
from tamis.services.runs.execution_runs import Executed

Work: TypeAlias = Callable[[Sink], Coroutine[Any, Any, Executed]]


class ExecutionCancelledError(TamisError):
    """The execution was cancelled before it ended; its record says so."""

    status = 503


@dataclass(frozen=True, slots=True)
class Spent:
    """What the execution had used by then. tokens_used: None where no stage counts tokens."""

    credits_used: float = 0.0
    tokens_used: int | None = None
    time_elapsed_ms: float = 0.0

    def and_for(self, end: StageEnd, time_elapsed_ms: float) -> "Spent":
        tokens = self.tokens_used
        if isinstance(end, StageFinished) and end.tokens_used is not None:
            tokens = (tokens or 0) + end.tokens_used
        return Spent(round(self.credits_used + end.credits_used, 9), tokens, time_elapsed_ms)


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage begins or has ended, and what had been used by then."""

    event: StageStarted | StageEnd
    spent: Spent


class ExecutionStream:
    """One execution and what it told that has not been read.

    At most two steps a stage wait here. They hold the hits that the execution itself holds until it is answered, so
    what a reader leaves lying is bounded by what the pipeline finds, however slow the reader is.
    """

    def __init__(self, work: Work, clock: Clock, heartbeat_s: float) -> None:
        self.execution_id: str | None = None
        self.total_stages: int | None = None
        self.spent = Spent()
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._started_ms = clock.monotonic_ms()
        self._unread: deque[Progress] = deque()
        self._is_read = True
        self._news = asyncio.Event()
        self._running = asyncio.ensure_future(work(self._hear))
        self._running.add_done_callback(self._end)

    @property
    def name(self) -> str:
        return f"execution {self.execution_id}"

    @property
    def has_ended(self) -> bool:
        """Whether the execution has; its record is durable then. What it told may still be unread."""
        return self._running.done()

    async def begun(self) -> None:
        """Returns when the pipeline has begun, its answer is there, or it has been queued for as long as a heartbeat.

        Raises: what was wrong before it began.
        """
        try:
            await self._is_news()
        except asyncio.CancelledError:
            await self.close()
            raise
        if self.execution_id is None and self.has_ended:
            self.result()

    async def steps(self) -> AsyncGenerator[Progress | None, None]:
        """What happens, in order, until the execution has ended; None where nothing did for as long as a heartbeat."""
        while True:
            self._news.clear()
            while self._unread:
                yield self._unread.popleft()
            if self.has_ended:
                return
            if not await self._is_news():
                yield None

    def result(self) -> Executed:
        """The answer, once the execution has ended. Raises: what it failed with."""
        if self._running.cancelled():
            raise ExecutionCancelledError
        return self._running.result()

    async def run_unread(self) -> None:
        """Let the execution go on to its end, and keep nothing more of what it tells."""
        self._is_read = False
        self._unread.clear()
        await asyncio.wait((self._running,))

    async def close(self) -> BaseException | None:
        """Cancel what still runs and wait until its record is written; what went wrong with that, if anything did."""
        self._unread.clear()
        if self._running.done():
            return None
        self._running.cancel()
        await asyncio.wait((self._running,))
        return None if self._running.cancelled() else self._running.exception()

    async def _is_news(self) -> bool:
        try:
            async with asyncio.timeout(self._heartbeat_s):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _hear(self, event: Event) -> None:
        if isinstance(event, ExecutionStarted):
            self.execution_id, self.total_stages = event.execution_id, event.total_stages
        elif not isinstance(event, ExecutionFinished):
            self._note(event)
        self._news.set()

    def _note(self, event: StageStarted | StageEnd) -> None:
        elapsed_ms = self._clock.monotonic_ms() - self._started_ms
        if isinstance(event, StageStarted):
            self.spent = Spent(self.spent.credits_used, self.spent.tokens_used, elapsed_ms)
        else:
            self.spent = self.spent.and_for(event, elapsed_ms)
        if self._is_read:
            self._unread.append(Progress(event, self.spent))

    def _end(self, running: asyncio.Future[Executed]) -> None:
        if not running.cancelled():
            running.exception()  # Asked for here, so that one nobody reads is not reported as forgotten.
        self._news.set()


@dataclass(frozen=True, slots=True)
class Streaming:
    """heartbeat_s: how long a stream may be silent.  stall_s: how long an ended execution waits for its reader."""

    clock: Clock
    heartbeat_s: float = 15.0
    stall_s: float = 60.0

    async def begin(self, work: Work) -> ExecutionStream:
        """Start the work with a sink of its own. Raises: what is wrong before the pipeline begins."""
        stream = ExecutionStream(work, self.clock, self.heartbeat_s)
        await stream.begun()
        return stream
